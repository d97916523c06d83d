import { readFileSync, statSync } from "node:fs"
import { join, relative } from "node:path"
import type { Turn } from "@skein/core/fold/view/Turn"
import { InvalidRequest } from "@skein/store/StoreError"
import { Effect } from "effect"
import jsonPatch from "fast-json-patch"
import { afterAll, describe, expect, it } from "vitest"
import { corpus, needsCorpus, rolloutsBelow, samples, versions } from "../../core/test/corpus.js"
import * as Home from "../../store-fs/test/Home.js"
import { coloured, plain } from "../src/Text.js"
import * as Context from "../src/verb/Context.js"
import * as Diff from "../src/verb/Diff.js"
import * as Show from "../src/verb/Show.js"
import { documents, skein } from "./command.js"
import { apply } from "./Diffs.js"
import * as Mutations from "./Mutations.js"

afterAll(Home.removeAll)

/** A document as its readers get it. */
const parsed = <A>(value: A): A => JSON.parse(JSON.stringify(value)) as A

/** How other verbs tell a file at a position. */
const standing = (file: string, at: string | undefined) =>
  Effect.map(Effect.all([Show.show(file, { at }), Context.context(file, at)]), ([{ turns }, { window, worldState }]) =>
    parsed({ turns, window, worldState: worldState ?? null })
  )

type Standing = Effect.Effect.Success<ReturnType<typeof standing>>

const isEmpty = ({ items, turns, window, world }: Diff.DiffDocument): boolean =>
  [turns, items].every((part) => Object.values(part).every((list) => list.length === 0)) &&
  window === null &&
  world.operations.length === 0

const check = async (
  file: string,
  from: string | undefined,
  to: string | undefined,
  known?: (at: string | undefined) => Promise<Standing>
) => {
  const read = known ?? ((at) => Home.run(standing(file, at)))
  const before = await read(from ?? "0")
  const after = await read(to)
  const document = parsed(await Home.run(Diff.diff(file, { from, to })))
  const where = `${file} from ${from} to ${to}`
  expect(apply(before.turns, document), where).toEqual(after.turns)
  const state = jsonPatch.applyPatch(before.worldState, document.world.operations, true, false).newDocument
  expect(state, where).toEqual(after.worldState)
  expect(document.window, where).toEqual(
    JSON.stringify(before.window) === JSON.stringify(after.window) ? null : { from: before.window, to: after.window }
  )
  const text = Diff.render(document, plain)
  expect(text.includes("nothing changed"), where).toBe(isEmpty(document))
  return document
}

const linesIn = (file: string): number => readFileSync(file).filter((byte) => byte === 0x0a).length

/** The law at pairs of lines of a file: all neighbours where there are few, else some; the ends; a point and itself. */
const checkFile = async (file: string, pairs: number) => {
  const last = file.endsWith(".zst") ? 5 : linesIn(file)
  const random = Mutations.random(last)
  const asked = new Map<string, Promise<Standing>>()
  const known = (at = "end"): Promise<Standing> => {
    const answer = asked.get(at) ?? Home.run(standing(file, at === "end" ? undefined : at))
    asked.set(at, answer)
    return answer
  }
  await check(file, undefined, undefined, known)
  for (let i = 0; i < pairs; i++) {
    const [one, other] = [random.below(last + 1), random.below(last + 1)]
    const from = String(Math.min(one, other))
    await check(file, from, i % 4 === 0 ? undefined : String(Math.max(one, other)), known)
  }
  // A turn may lie in a base, so that the first point is in another file than the second.
  const { turns } = await known("end")
  const started = turns.filter(({ startedAt }) => startedAt !== null).map(({ id }) => id)
  if (started.length > 0) await check(file, random.pick(started), undefined, known)
  for (const at of ["0", String(random.below(last + 1)), String(last)]) {
    expect(isEmpty(await check(file, at, at, known)), `${file} at ${at}`).toBe(true)
  }
}

const turn = (id: string) => Home.event({ type: "task_started", turn_id: id, model_context_window: null })
const ended = (id: string) => Home.event({ type: "task_complete", turn_id: id, last_agent_message: null })
const user = (message: string) => Home.event({ type: "user_message", message })
const agent = (message: string) => Home.event({ type: "agent_message", message })

const thread = () => {
  const lines = [
    Home.legacyMeta(1),
    turn("one"),
    user("do it"),
    Home.record("world_state", { full: true, state: { cwd: "/a", "x/y": 1 } }),
    agent("done"),
    ended("one"),
    turn("two"),
    user("and this"),
    Home.record("world_state", { full: false, state: { cwd: "/b" } }),
    ended("two"),
    Home.event({ type: "thread_rolled_back", num_turns: 1 }),
    turn("three"),
    user("or \u001b[31mthat"),
    Home.record("compacted", { message: "", replacement_history: [], window_number: 1, window_id: Home.id(20) })
  ].map((line) => line.replace(/"ordinal":\d+,/, ""))
  return join(Home.home({ [Home.file(1)]: Home.document(...lines) }), Home.file(1))
}

describe("skein diff: the document", () => {
  it("exactly the keys that are promised", async () => {
    const file = thread()
    const [document] = documents(await skein("diff", "--json", "--from", "3", "--to", "7", file))
    expect(document).toEqual({
      file,
      threadId: Home.id(1),
      from: { at: "3", file, offset: Home.offsetOf(readFileSync(file, "utf8"), '"world_state"') },
      to: { at: "7", file, offset: Home.offsetOf(readFileSync(file, "utf8"), "and this") },
      turns: {
        added: [
          {
            id: "two",
            rootTurnId: null,
            status: "interrupted",
            error: null,
            startedAt: null,
            completedAt: null,
            durationMs: null,
            number: 2
          }
        ],
        changed: [{ number: 1, id: "one", fields: { status: { from: "interrupted", to: "completed" } } }],
        removed: []
      },
      items: {
        added: [{ turn: 1, turnId: "one", number: 2, item: expect.objectContaining({ text: "done" }) }],
        changed: [],
        removed: []
      },
      world: { operations: [{ op: "replace", path: "", value: { cwd: "/a", "x/y": 1 } }], complete: true },
      window: null,
      diagnostics: []
    })
  })

  it("what was rolled back, with its items; the world and the window", async () => {
    const document = await check(thread(), "9", undefined)
    expect(document.turns.removed).toMatchObject([{ id: "two", number: 2 }])
    expect(document.items.removed).toMatchObject([{ turn: 2, turnId: "two", number: 1, item: { type: "userMessage" } }])
    expect(document.turns.added).toMatchObject([{ id: "three", number: 2 }])
    expect(document.window).toMatchObject({ from: { number: 0 }, to: { number: 1, id: Home.id(20) } })
    expect(document.to.at).toBeNull()
  })

  it("positions are lines, turns and times; without any it is the whole thread", async () => {
    const file = thread()
    expect((await check(file, undefined, "one")).turns.added.map(({ id }) => id)).toEqual(["one"])
    expect((await check(file, "one", "9")).turns.added.map(({ id }) => id)).toEqual(["two"])
    // A turn ends where the next one starts, so the rollback in between belongs to it.
    expect((await check(file, "one", "two")).turns.added).toEqual([])
    expect(isEmpty(await check(file, "2020-01-01", "2020-01-02"))).toBe(true)
    expect((await check(file, undefined, undefined)).turns.added.map(({ id }) => id)).toEqual(["one", "three"])
  })

  it("ids that stand more than once, and ids that change their places", () => {
    const one = (id: string, ...texts: ReadonlyArray<string>): Turn => ({
      id,
      rootTurnId: null,
      status: "completed",
      error: null,
      startedAt: texts.length,
      completedAt: null,
      durationMs: null,
      itemsView: "full",
      items: texts.map((text) => ({ type: "plan", id: text[0] ?? "", text, startedAtMs: null, completedAtMs: null }))
    })
    const random = Mutations.random(7)
    for (let i = 0; i < 2000; i++) {
      const make = () =>
        Array.from({ length: random.below(6) }, () =>
          one(
            random.pick(["a", "b", "c"]),
            ...Array.from({ length: random.below(5) }, () => random.pick(["p1", "p2", "q", "r"]))
          )
        )
      const [before, after] = [make(), make()]
      const document = { ...Diff.between(before, after) } as Diff.DiffDocument
      expect(apply(before, parsed(document))).toEqual(after)
      expect(Diff.between(after, after).turns).toEqual({ added: [], changed: [], removed: [] })
    }
  })

  it("a field that is there at one point only", () => {
    const at = (extra: object): Turn =>
      ({ id: "t", items: [{ type: "imageGeneration", id: "i", ...extra }], itemsView: "full" }) as unknown as Turn
    const { items } = Diff.between([at({ savedPath: "/x" })], [at({ result: "r" })])
    expect(items.changed).toMatchObject([{ fields: { savedPath: { from: "/x" }, result: { to: "r" } } }])
  })
})

describe("skein diff: requests that cannot be carried out", () => {
  it("from behind to, no such line, no such turn: each names its option and a way out", async () => {
    const file = thread()
    for (const [words, field] of [
      [["--from", "9", "--to", "3"], "--from"],
      [["--from", "two", "--to", "one"], "--from"],
      [["--from", "99"], "--from"],
      [["--to", "99"], "--to"],
      [["--to", "nobody"], "--to"]
    ] as const) {
      const answer = await skein("diff", "--json", ...words, file)
      expect(answer.code).toBe(1)
      expect(documents(answer)).toEqual([
        { file, error: { tag: "InvalidRequest", field, reason: expect.any(String), advice: expect.any(String) } }
      ])
    }
    const { code, err, out } = await skein("diff", "--from", "9", "--to", "3", file)
    expect({ code, out }).toEqual({ code: 1, out: "" })
    expect(err).toBe("--from: 9 lies behind --to 3. Ask the other way round: --from 3 --to 9.\n")
    expect(await Home.refused(Diff.diff(file, { from: "2", to: "1" }))).toBeInstanceOf(InvalidRequest)
    expect((await skein("diff", "--at", "1", file)).code).toBe(2)
  })
})

describe("skein diff: the human form", () => {
  it("a pipe gets lines without marks, a terminal the same with colours", async () => {
    const file = thread()
    const { out } = await skein("diff", "--from", "9", file)
    expect(out.split("\n")).toEqual([
      file,
      `  thread ${Home.id(1)} · from line 9 to the end`,
      "  - turn 2 two · interrupted · rolled back",
      "    - user        and this",
      "  + turn 2 three · interrupted",
      "    + user        or [31mthat",
      `  window 0 → 1 (${Home.id(20)})`,
      "  world: 1 operation",
      "    replace (everything) null",
      ""
    ])
    const colours = Diff.render(await Home.run(Diff.diff(file, { from: "9" })), coloured)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the marks are control characters
    expect(colours.replace(/\u001b\[\d+m/g, "")).toBe(out)
    expect(colours).not.toBe(out)
    expect((await skein("diff", "--from", "9", "--to", "9", file)).out).toContain("\n  nothing changed\n")
  })
})

describe("applying a diff to the turns at one point gives those at the other; a point and itself do not differ", () => {
  it.each(
    rolloutsBelow(samples)
      .filter((path) => statSync(path).size > 0)
      .map((path) => relative(samples, path))
  )("samples/%s", async (path) => {
    await checkFile(join(samples, path), 6)
  })

  describe.skipIf(corpus === undefined)(`real rollouts${needsCorpus}`, () => {
    it.each(versions)("%s", { timeout: 60_000 }, async (version) => {
      for (const path of rolloutsBelow(join(corpus ?? "", version))) {
        const { size } = statSync(path)
        if (size > 0) await checkFile(path, size > 1_000_000 ? 1 : 2)
      }
    })
  })
})
