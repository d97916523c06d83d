import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { FileSystem, Path } from "@effect/platform"
import { SystemError } from "@effect/platform/Error"
import type { Turn } from "@skein/core/fold/view/Turn"
import * as Record from "@skein/core/record/Record"
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import { InvalidRequest } from "@skein/store/StoreError"
import { FileRefused } from "@skein/store-fs/FileError"
import { Cause, Effect, Exit, Layer, Option } from "effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { corpus, rollouts } from "../../core/test/corpus.js"
import * as Home from "../../store-fs/test/Home.js"
import * as Text from "../src/Text.js"
import * as Agents from "../src/verb/Agents.js"
import * as Context from "../src/verb/Context.js"
import * as Diff from "../src/verb/Diff.js"
import * as Show from "../src/verb/Show.js"
import * as Tree from "../src/verb/Tree.js"
import * as Verify from "../src/verb/Verify.js"
import * as Windows from "../src/verb/Windows.js"
import * as World from "../src/verb/World.js"
import { ensureBundle, spawnedAside } from "./command.js"
import { apply } from "./Diffs.js"
import * as Mutations from "./Mutations.js"

/** How many, and which: another seed gives others. */
const total = Number(process.env.SKEIN_MUTATIONS ?? 10_000)
const seed = Number(process.env.SKEIN_SEED ?? 1)

/** Short threads, so that there is time for many; the others differ in length only. */
const originals = new Map(
  rollouts
    .filter((path) => statSync(path).size <= (path.endsWith(".zst") ? 6_000 : 90_000))
    .map((path) => [path, readFileSync(path)] as const)
)

/** A file system in memory, as far as reading rollouts goes: the originals, and in front of them what was changed. */
const changed = new Map<string, Buffer>()
const contentOf = (path: string): Buffer | undefined => changed.get(path) ?? originals.get(path)

const folders = new Map<string, ReadonlySet<string>>()
for (let path of originals.keys()) {
  for (let parent = dirname(path); parent !== path; path = parent, parent = dirname(path)) {
    folders.set(parent, new Set([...(folders.get(parent) ?? []), basename(path)]))
  }
}

/** A home of its own for `tree`, since the others hold too many threads to read them all again and again. */
const grove = "/grove"
const branch = join(grove, "sessions/2026/11/20")
for (let path = branch; path !== grove; path = dirname(path)) folders.set(dirname(path), new Set([basename(path)]))

/** Files of the same folder, for each of them. */
const brothers = new Map(
  [...originals.keys()].map((path) => [path, [...originals.keys()].filter((one) => dirname(one) === dirname(path))])
)

/** Puts a changed file into the home of `tree`, with some that stood beside it. */
const plant = (path: string, content: Buffer, random: Mutations.Random): ReadonlyArray<string> => {
  const beside = brothers.get(path) ?? []
  const names = new Set([basename(path)])
  for (const one of [random.pick(beside), random.pick(beside)]) {
    names.add(basename(one))
    changed.set(join(branch, basename(one)), originals.get(one) ?? Buffer.alloc(0))
  }
  changed.set(join(branch, basename(path)), content)
  folders.set(branch, names)
  return [...names]
}

const missing = (method: string, path: string) =>
  Effect.fail(new SystemError({ reason: "NotFound", module: "FileSystem", method, pathOrDescriptor: path }))

const memory = FileSystem.layerNoop({
  stat: (path) => {
    const content = contentOf(path)
    if (content === undefined && !folders.has(path)) return missing("stat", path)
    const type = content === undefined ? ("Directory" as const) : ("File" as const)
    return Effect.succeed({ type, size: FileSystem.Size(content?.length ?? 0) } as FileSystem.File.Info)
  },
  readFile: (path) => {
    const content = contentOf(path)
    return content === undefined ? missing("readFile", path) : Effect.succeed(content)
  },
  readDirectory: (path) => {
    const names = folders.get(path)
    return names === undefined ? missing("readDirectory", path) : Effect.succeed([...names])
  },
  readLink: (path) => missing("readLink", path),
  open: (path) => {
    const content = contentOf(path)
    if (content === undefined) return missing("open", path)
    let at = 0
    const file = {
      seek: (offset: number) =>
        Effect.sync(() => {
          at = offset
        }),
      read: (buffer: Uint8Array) =>
        Effect.sync(() => {
          const part = content.subarray(at, at + buffer.length)
          buffer.set(part)
          at += part.length
          return FileSystem.Size(part.length)
        }),
      readAlloc: (length: number) =>
        Effect.sync(() => {
          const part = content.subarray(at, at + length)
          at += part.length
          return part.length === 0 ? Option.none() : Option.some(new Uint8Array(part))
        })
    }
    return Effect.succeed(file as unknown as FileSystem.File)
  }
})
const layer = Layer.merge(memory, Path.layer)

/** What a file says, without any code of ours: the items of its readable lines, as text, and every string in them. */
interface Said {
  readonly items: ReadonlySet<string>
  readonly texts: string
  /** Outputs and mail that older shapes come to; read with our own decoder. */
  readonly older: ReadonlySet<string>
  /** Every string in readable lines, keys too. */
  readonly strings: ReadonlySet<string>
}

const gather = (value: unknown, into: Set<string>): void => {
  if (typeof value === "string") into.add(value)
  else if (Array.isArray(value)) for (const one of value) gather(one, into)
  else if (typeof value === "object" && value !== null) {
    for (const [key, one] of Object.entries(value)) {
      into.add(key)
      gather(one, into)
    }
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const saidBy = (content: Buffer): Said => {
  const items = new Set<string>()
  const lines: Array<{ readonly bytes: Buffer; readonly number: number }> = []
  const strings = new Set<string>()
  const texts: Array<string> = []
  let number = 0
  for (let from = 0; from < content.length; ) {
    const end = content.indexOf(0x0a, from)
    const bytes = content.subarray(from, end < 0 ? content.length : end)
    from += bytes.length + 1
    number++
    let value: { readonly payload?: unknown }
    try {
      value = JSON.parse(decoder.decode(bytes)) as typeof value
    } catch {
      continue
    }
    if (typeof value !== "object" || value === null) continue
    lines.push({ bytes, number })
    gather(value, strings)
    const payload = value.payload as { readonly replacement_history?: unknown } | undefined
    const text = JSON.stringify(payload ?? value)
    items.add(text)
    if (Array.isArray(payload?.replacement_history)) {
      for (const item of payload.replacement_history) items.add(JSON.stringify(item))
    }
    texts.push(text)
  }
  let older: ReadonlySet<string> | undefined
  return {
    items,
    strings,
    texts: texts.join("\n"),
    get older() {
      older ??= olderIn(lines)
      return older
    }
  }
}

const olderIn = (lines: ReadonlyArray<{ readonly bytes: Buffer; readonly number: number }>): ReadonlySet<string> => {
  const older = new Set<string>()
  for (const { bytes, number } of lines) {
    for (const form of ["enveloped", "bare"] as const) {
      const record = Record.decode({ bytes, offset: 0, number, terminated: true }, form)
      if (record.kind === "damage" || record.kind === "blank" || record.upcast === undefined) continue
      if (record.kind === "response_item") older.add(JSON.stringify(record.payload))
      if (record.kind === "compacted") {
        for (const item of record.payload.replacement_history ?? []) older.add(JSON.stringify(item))
      }
    }
  }
  return older
}

const cache = new Map<string, Said>()
const saidByOriginal = (path: string): Said => {
  const known = cache.get(path) ?? saidBy(originals.get(path) ?? Buffer.alloc(0))
  cache.set(path, known)
  return known
}

/** Whether a text stands in a file, whole; JSON is compared with JSON. */
const stands = (said: Said, text: string): boolean => said.texts.includes(JSON.stringify(text).slice(1, -1))

/** What the rules put in front of encrypted mail (rollout-format §3.2). */
const mailHead = /^Message Type: (NEW_TASK|MESSAGE)\nTask name: .*\nSender: .*\nPayload:\n$/

/** Whether an item comes out of the rules, from what the files say: aborted outputs, rebuilt messages, older mail. */
const isDerived = (item: ResponseItem, prompt: ReadonlyArray<ResponseItem>, files: ReadonlyArray<Said>): boolean => {
  const anyStands = (text: string): boolean => files.some((said) => stands(said, text))
  switch (item.type) {
    case "function_call_output":
    case "custom_tool_call_output":
    case "tool_search_output": {
      const empty = item.type === "tool_search_output" ? item.tools.length === 0 : item.output === "aborted"
      return empty && prompt.some((one) => one !== item && "call_id" in one && one.call_id === item.call_id)
    }
    case "agent_message":
      return item.content.every((part) =>
        "text" in part ? mailHead.test(part.text) || anyStands(part.text) : anyStands(part.encrypted_content)
      )
    case "message":
      return (
        item.role === "user" &&
        item.content.every(
          (part) =>
            part.type === "input_text" &&
            (/^…\d+ tokens truncated…$/.test(part.text) ||
              part.text === "(no summary available)" ||
              anyStands(part.text))
        )
      )
    default:
      return false
  }
}

/** Words of our own in an item: which kind it is and how it stands. */
const vocabulary: ReadonlySet<string> = new Set(
  (
    "userMessage hookPrompt agentMessage plan reasoning commandExecution fileChange mcpToolCall dynamicToolCall " +
    "collabAgentToolCall subAgentActivity webSearch imageView sleep imageGeneration enteredReviewMode " +
    "exitedReviewMode contextCompaction text image localImage audio localAudio skill mention inProgress completed " +
    "failed declined agent userShell unifiedExecStartup unifiedExecInteraction read listFiles search unknown openPage " +
    "findInPage other inputText inputImage inputAudio spawnAgent sendInput resumeAgent wait closeAgent pendingInit running " +
    "interrupted errored shutdown notFound add delete update"
  ).split(" ")
)

/** The strings of an item, but not its keys: those are ours. */
const stringsOf = (value: unknown): ReadonlyArray<string> => {
  if (typeof value === "string") return [value]
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(stringsOf) : []
}

/**
 * Whether a string of an item comes from what the files say: whole; or, where the rules join, quote, cut and resolve
 * what they find (commands, paths, reviews, messages of several parts), word by word.
 */
const comesFrom = (files: ReadonlyArray<Said>, text: string): boolean => {
  const anyHolds = (part: string): boolean => files.some(({ strings }) => strings.has(part))
  if (vocabulary.has(text) || anyHolds(text) || /^item-\d+$/.test(text)) return true
  const anyStands = (part: string): boolean => files.some((said) => stands(said, part))
  return (
    anyStands(text) || text.split(/[^\p{L}\p{N}_-]+/u).every((word) => word === "" || anyStands(word) || ours.has(word))
  )
}

/** Words that the rules put between what they find. */
const ours: ReadonlySet<string> = new Set(["Moved", "to"])

interface Other {
  /** What is printed, for a program and for a person. */
  readonly printed: string
  /** What `context` must say too, from another way of reading. */
  readonly worldState?: unknown
  readonly window?: unknown
  /** What `show` must say too. */
  readonly turns?: ReadonlyArray<Turn>
}

type Ask = (
  path: string,
  at: string | undefined,
  random: Mutations.Random
) => Effect.Effect<Other, unknown, FileSystem.FileSystem | Path.Path>

const shownOf = (path: string, at: string | undefined) =>
  Effect.map(Show.show(path, { at }), (document) => ({
    document,
    printed: JSON.stringify(document) + Show.render(document, Text.plain)
  }))

const verbs: ReadonlyArray<Ask> = [
  (path, at) =>
    Effect.map(World.world(path, at), (document) => ({
      printed: JSON.stringify(document) + World.render(document, Text.plain),
      worldState: document.state
    })),
  (path, at) =>
    Effect.map(World.changes(path, at), (document) => ({
      printed: JSON.stringify(document) + World.renderChanges(document, Text.plain),
      worldState: document.state
    })),
  (path, at) =>
    Effect.map(Windows.windows(path, at), (document) => ({
      printed: JSON.stringify(document) + Windows.render(document, Text.plain),
      window: document.current
    })),
  (path) =>
    Effect.map(Verify.verify(path), (document) => ({
      printed: JSON.stringify(document) + Verify.render(document, Text.plain)
    })),
  (path, at) =>
    Effect.map(Show.items(path, { at }), (document) => ({
      printed: JSON.stringify(document) + Show.renderItems(document, Text.coloured)
    })),
  (path, at, random) =>
    Effect.gen(function* () {
      const from = String(random.below(12))
      const document = yield* Diff.diff(path, { from, to: at })
      const before = yield* Show.show(path, { at: from })
      return {
        printed: JSON.stringify(document) + Diff.render(document, Text.plain),
        turns: apply(before.turns, document)
      }
    }),
  (path, _, random) =>
    Effect.gen(function* () {
      const names = plant(path, contentOf(path) ?? Buffer.alloc(0), random)
      const document = yield* Tree.tree(grove)
      const files = names.map((name) => saidBy(contentOf(join(branch, name)) ?? Buffer.alloc(0)))
      for (const { id } of document.agents) {
        if (!names.some((name) => name.includes(id)) && !names.some((name) => name.endsWith(".zst"))) {
          expect(
            files.some((said) => stands(said, id)),
            `an agent that nobody speaks of: ${id}`
          ).toBe(true)
        }
      }
      return { printed: JSON.stringify(document) + Agents.render(document, Text.plain) }
    })
]

describe(`mutated files${corpus === undefined ? " (of the samples: no real rollouts beside the repository)" : ""}`, () => {
  const paths = [...originals.keys()]

  it(`${total} of them: no defect, no hang, no invented item, and no two answers`, { timeout: 180_000 }, async () => {
    const random = Mutations.random(seed)
    let answered = 0
    let items = 0
    let seen = 0
    let slowest = 0
    const where = (i: number, path: string): string => `mutation ${i} of seed ${seed}, ${path}`
    const problem = (i: number, path: string, what: string): Error => new Error(`${where(i, path)}: ${what}`)
    for (let i = 0; i < total; i++) {
      const path = random.pick(paths)
      const original = originals.get(path) ?? Buffer.alloc(0)
      const other = originals.get(random.pick(paths)) ?? original
      const content = Mutations.mutate(original, random, other, path.endsWith(".zst"))
      changed.clear()
      changed.set(path, content)
      const at = random.below(8) === 0 ? String(random.below(30)) : undefined
      const ask = random.pick(verbs)
      const start = performance.now()
      const exit = await Effect.runPromiseExit(
        Effect.all([
          Effect.either(
            Effect.map(Context.context(path, at), (document) => ({
              document,
              text: Context.render(document, Text.plain)
            }))
          ),
          // Every second one, for the sake of time.
          i % 2 === 0 ? Effect.either(shownOf(path, at)) : Effect.succeed(undefined),
          Effect.either(ask(path, at, random))
        ]).pipe(Effect.provide(layer))
      )
      slowest = Math.max(slowest, performance.now() - start)
      if (Exit.isFailure(exit)) throw problem(i, path, Cause.pretty(exit.cause))
      const [context, shown, also] = exit.value
      // Files are refused by all who read them or by none.
      if (shown !== undefined) expect(shown._tag, where(i, path)).toBe(context._tag)
      for (const refused of [context, shown, also]) {
        const expected = (error: unknown) => error instanceof FileRefused || error instanceof InvalidRequest
        if (refused?._tag === "Left" && !expected(refused.left))
          throw problem(i, path, `refused with ${String(refused.left)}`)
      }
      if (context._tag === "Left") continue
      answered++
      const { worldState, window } = context.right.document
      if (also._tag === "Right") {
        const { number, id } = window
        if ("worldState" in also.right) expect(also.right.worldState, where(i, path)).toEqual(worldState)
        if ("window" in also.right) expect(also.right.window, where(i, path)).toEqual({ number, id })
      }
      const { prompt } = context.right.document
      const turns = shown?._tag === "Right" ? shown.right.document.turns : []
      if (shown !== undefined && also._tag === "Right" && "turns" in also.right)
        expect(also.right.turns, where(i, path)).toEqual(turns)
      if (path.endsWith(".zst") || (prompt.length === 0 && turns.length === 0)) continue
      const own = saidBy(content)
      // What it inherits stands in other files of the same home, which are as they were.
      const home = path.slice(0, path.search(/\/(archived_)?sessions\//))
      const all = () => [own, ...paths.filter((one) => one !== path && one.startsWith(`${home}/`)).map(saidByOriginal)]
      let files: ReadonlyArray<Said> = [own]
      for (const text of turns.flatMap(({ error, items }) => [...items, error?.message]).flatMap(stringsOf)) {
        seen++
        if (comesFrom(files, text)) continue
        if (files.length === 1) files = all()
        if (!comesFrom(files, text)) throw problem(i, path, `the view holds what stands nowhere: ${text}`)
      }
      for (const item of prompt) {
        items++
        const text = JSON.stringify(item)
        const known = (): boolean =>
          files.some((said) => said.items.has(text)) || files.some((said) => said.older.has(text))
        if (known()) continue
        if (isDerived(item, prompt, files)) continue
        if (files.length === 1) files = all()
        if (known() || isDerived(item, prompt, files)) continue
        throw problem(i, path, `an item that stands nowhere: ${text}`)
      }
    }
    expect(slowest).toBeLessThan(5_000)
    // Most files keep something to answer, so that the above was put to the test.
    expect(answered).toBeGreaterThan(total * 0.7)
    expect(items).toBeGreaterThan(total)
    expect(seen).toBeGreaterThan(5 * total)
  })
})

describe("mutated files through the real command", () => {
  let folder = ""
  beforeAll(() => {
    ensureBundle()
    folder = Home.temporary()
  }, 60_000)
  afterAll(Home.removeAll)

  it("50 of them: exit code 0 or 1, no stack trace", { timeout: 120_000 }, async () => {
    const random = Mutations.random(seed + 1)
    const words = [
      ["show"],
      ["show", "--items"],
      ["diff"],
      ["diff", "--from", "3"],
      ["tree"],
      ["context"],
      ["world"],
      ["world", "--changes"],
      ["windows"],
      ["verify"]
    ]
    const paths = [...originals.keys()]
    const running: Array<Promise<void>> = []
    for (let i = 0; i < 50; i++) {
      const from = random.pick(paths)
      const original = originals.get(from) ?? Buffer.alloc(0)
      const other = originals.get(random.pick(paths)) ?? original
      const path = join(folder, `sessions/${i}`, basename(from))
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, Mutations.mutate(original, random, other, from.endsWith(".zst")))
      const json = i % 2 === 0
      const verb = random.pick(words)
      const asked = verb[0] === "tree" ? join(folder, `sessions/${i}`) : path
      running.push(check(i, from, path, verb, json, asked))
      // Four at a time, since each takes a while to start.
      if (running.length >= 4) await Promise.all(running.splice(0))
    }
    await Promise.all(running)
  })

  const check = async (
    i: number,
    from: string,
    path: string,
    verb: ReadonlyArray<string>,
    json: boolean,
    asked: string
  ): Promise<void> => {
    const { err, out, signal, status } = await spawnedAside(...verb, ...(json ? ["--json"] : []), asked)
    const where = `mutation ${i} of seed ${seed + 1}, ${from}: ${err}`
    expect(signal, where).toBeNull()
    expect([0, 1], where).toContain(status)
    expect(err, where).not.toMatch(/^\s+at |Error:|undefined/m)
    if (json) {
      expect(out.trimEnd().split("\n").length, where).toBe(1)
      expect(JSON.parse(out), where).toMatchObject({ [verb[0] === "tree" ? "home" : "file"]: asked })
    }
    rmSync(path)
  }
})
