/** `skein demo`, which is `npm start -- <paths>`: replays threads and draws what they come to. */
import { FileSystem, Path } from "@effect/platform"
import type { Turn } from "@skein/core/fold/view/Turn"
import * as Every from "@skein/store/Every"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import * as CodexHome from "@skein/store-fs/CodexHome"
import { Effect, Ref } from "effect"
import * as Output from "../Output.js"
import * as Text from "../Text.js"
import * as Transcript from "../Transcript.js"
import * as Agents from "./Agents.js"
import type { ContextDocument } from "./Context.js"
import * as Context from "./Context.js"
import type { ShowDocument } from "./Show.js"
import * as Show from "./Show.js"
import * as Tree from "./Tree.js"
import * as Verify from "./Verify.js"

/** So many threads of a home are replayed, the newest ones: it is to be read at a glance. */
const shownThreads = 20

/** A home with more rollouts than these takes a while to draw as a tree, which `skein tree` is there for. */
const treeLimit = 500

const shownAgents = 20

/** The folder of the bundled sample threads, above the built command. */
const samples = Effect.gen(function* () {
  const paths = yield* Path.Path
  const here = yield* paths.fromFileUrl(new URL(import.meta.url)).pipe(Effect.orDie)
  const fs = yield* FileSystem.FileSystem
  let folder = paths.dirname(here)
  for (;;) {
    const candidate = paths.join(folder, "samples")
    if (yield* fs.exists(candidate).pipe(Effect.orElseSucceed(() => false))) return candidate
    const parent = paths.dirname(folder)
    if (parent === folder) return undefined
    folder = parent
  }
})

/** Threads that are drawn together: those of a home or a store, or one file that was named. */
interface Group<R> {
  readonly home: string | undefined
  /** One word for each thread, newest first. */
  readonly newest: ReadonlyArray<string>
  readonly agents: Effect.Effect<ReadonlyArray<Agents.TreeAgent>, never, R>
}

/** A thread with what the model sees of it. */
interface Replayed {
  readonly shown: ShowDocument
  readonly context: ContextDocument
}

/** Draws the threads of the given files and homes, or of the samples. */
export const demo = (given: ReadonlyArray<string>, status: Ref.Ref<number>) =>
  Effect.gen(function* () {
    const bundled = given.length === 0 ? yield* samples : undefined
    const paths = bundled === undefined ? given : [bundled]
    if (paths.length === 0) {
      yield* Output.error("No path was given and the samples are not here. Name a rollout file or a Codex home.")
      return yield* Ref.set(status, 2)
    }
    const style = Output.style()
    let replayed = 0
    let refused = 0
    for (const path of paths) {
      const { groups, unlisted } = yield* groupsOf(path)
      for (const folder of unlisted) yield* Output.error(folder.message)
      refused += unlisted.length
      for (const group of groups) {
        const counts = yield* draw(group, style)
        replayed += counts.replayed
        refused += counts.refused
      }
    }
    if (bundled === undefined && refused > 0) yield* Ref.set(status, 1)
    yield* Output.print(
      `${Text.plural(replayed, "thread")} replayed${refused === 0 ? "" : `, ${refused} refused`}.` +
        (bundled === undefined ? "\n" : " Your own: npm start -- <rollout file or Codex home>\n")
    )
  })

/** Draws threads of a store: those named, or the newest ones. */
export const ofStore = (name: string, store: ThreadStoreService, ids: ReadonlyArray<string>, status: Ref.Ref<number>) =>
  Effect.gen(function* () {
    const newest = yield* Every.summaries(store, { ...Every.everything, sortKey: "recencyAt" })
    const words = ids.length > 0 ? ids : newest.map(({ id }) => id)
    const tree = newest.length > treeLimit ? Effect.succeed([]) : treeOf(Tree.ofStore(name, store))
    const { refused, replayed } = yield* draw(
      { home: name, newest: words, agents: ids.length > 0 ? Effect.succeed([]) : tree },
      Output.style()
    )
    if (refused > 0) yield* Ref.set(status, 1)
    yield* Output.print(`${Text.plural(replayed, "thread")} replayed${refused === 0 ? "" : `, ${refused} refused`}.\n`)
  })

/** The homes below a path, by name; a file stands for itself. */
const groupsOf = (path: string) =>
  Effect.gen(function* () {
    const paths = yield* Path.Path
    const { files, unlisted } = yield* Verify.files(path)
    const none = Effect.succeed<ReadonlyArray<Agents.TreeAgent>>([])
    if (files.length === 1 && files[0] === path) {
      return { groups: [{ home: undefined, newest: files, agents: none }], unlisted }
    }
    const groups = new Map<string, Array<string>>()
    for (const file of files) {
      const home = (yield* CodexHome.containing(file)) ?? path
      const known = groups.get(home)
      if (known === undefined) groups.set(home, [file])
      else known.push(file)
    }
    const sorted = [...groups]
      .sort(([left], [right]) => left.localeCompare(right, "en", { numeric: true }))
      .map(([home, files]) => ({
        home,
        newest: newestOf(files, paths),
        agents: files.length > treeLimit ? none : treeOf(Tree.tree(home))
      }))
    return { groups: sorted, unlisted }
  })

/** Draws a group: its agents where there are several, one thread turn by turn, a line for each of the others. */
const draw = <R>({ agents: tree, home, newest }: Group<R>, style: Text.Style) =>
  Effect.gen(function* () {
    const agents = yield* tree
    const parents = new Set(agents.filter(({ children }) => children.length > 0).map(({ id }) => id))
    let first: Replayed | undefined
    let best = -1
    const lines: Array<readonly [file: string, line: string]> = []
    let refused = 0
    for (const file of newest.slice(0, shownThreads)) {
      const answer = yield* Effect.either(Effect.all([Show.show(file), Context.context(file, undefined)]))
      if (answer._tag === "Left") {
        refused++
        lines.push([file, `  ${style.warn("✗")} ${answer.left.message}`])
        continue
      }
      const [shown, context] = answer.right
      lines.push([file, lineOf({ shown, context }, style)])
      const kinds = new Set(shown.turns.flatMap(({ items }) => items.map(({ type }) => type))).size
      const worth = parents.has(shown.thread.id ?? "") ? 100 + kinds : kinds
      if (worth > best) {
        first = { shown, context }
        best = worth
      }
    }
    const left = newest.length - shownThreads
    yield* Output.print(
      Text.lines([
        ...(home === undefined ? [] : [style.strong(`━━ ${home}: ${Text.plural(newest.length, "thread")}`)]),
        ...(first === undefined ? [] : threadLines(first, style)),
        ...lines.filter(([file]) => file !== first?.shown.file).map(([, line]) => line),
        ...(left > 0 ? [style.dim(`  ⋮ ${left} older`)] : []),
        ...(parents.size === 0 ? [] : ["  agents", ...agentLines(agents, style)]),
        ""
      ])
    )
    return { replayed: lines.length - refused, refused }
  })

/** One file for each thread, newest first: a thread that was reverted stands in several. */
const newestOf = (files: ReadonlyArray<string>, paths: Path.Path): ReadonlyArray<string> => {
  const found = files.flatMap((path) => {
    const name = CodexHome.parseName(paths.basename(path))
    return name === undefined ? [] : [{ ...name, path }]
  })
  return [...Tree.newestOf(found)]
    .sort((left, right) => (left.time < right.time ? 1 : left.time > right.time ? -1 : 0))
    .map(({ path }) => path)
}

/** The agents of a tree that have others below them, and those others. */
const treeOf = <E, R>(tree: Effect.Effect<Agents.TreeDocument, E, R>) =>
  tree.pipe(
    Effect.map(({ agents }) => agents.filter(({ children, depth }) => depth > 0 || children.length > 0)),
    Effect.orElseSucceed((): ReadonlyArray<Agents.TreeAgent> => [])
  )

const agentLines = (agents: ReadonlyArray<Agents.TreeAgent>, style: Text.Style): ReadonlyArray<string> => {
  const left = agents.length - shownAgents
  return [...Agents.branches(agents.slice(0, shownAgents), style), ...(left > 0 ? [style.dim(`  ⋮ ${left} more`)] : [])]
}

/** A thread on one line. */
const lineOf = ({ context, shown: { diagnostics, thread, turns } }: Replayed, style: Text.Style): string => {
  const items = turns.reduce((sum, turn) => sum + turn.items.length, 0)
  const facts = [
    Text.plural(turns.length, "turn"),
    Text.plural(items, "item"),
    ...(context.window.number === 0 ? [] : [`window ${context.window.number}`]),
    ...(diagnostics.length === 0 ? [] : [style.warn(Text.plural(diagnostics.length, "problem"))])
  ]
  const title = Text.brief(thread.name ?? thread.preview, 60)
  return `  ${style.good("●")} ${thread.id ?? "unknown thread"} ${style.dim("·")} ${facts.join(", ")}${
    title === "" ? "" : ` ${style.dim("·")} ${title}`
  }`
}

/** A thread turn by turn, and what the model sees next. */
const threadLines = ({ context, shown }: Replayed, style: Text.Style): ReadonlyArray<string> => {
  const { diagnostics, file, thread, turns } = shown
  const version = Text.brief(thread.cliVersion ?? "")
  const read =
    context.recordsRead < context.recordsTotal
      ? `${context.recordsRead} of ${context.recordsTotal} records, from the end`
      : Text.plural(context.recordsTotal, "record")
  return [
    `${style.good("●")} ${style.strong(file)}`,
    style.dim(`  thread ${thread.id ?? "unknown"}${version === "" ? "" : ` · Codex ${version}`}`),
    ...(turns.length > 0
      ? folded(turns, 2, (turn, i) => turnLines(turn, i + 1, style), style, "turn")
      : [
          // The oldest releases recorded no events: then what the model sees is all that there is to show.
          style.dim("  its log tells of no turns"),
          ...folded(context.prompt, 3, (item) => [`  │ ${Context.describe(item, style)}`], style, "item")
        ]),
    `  └ the model sees ${Text.plural(context.prompt.length, "item")} next, in window ${context.window.number}${settings(
      context
    )} ${style.dim(`(read from ${read})`)}`,
    ...Text.diagnostics(diagnostics, style)
  ]
}

const turnLines = (turn: Turn, number: number, style: Text.Style): ReadonlyArray<string> => [
  `  ${Transcript.heading(turn, number, style)}`,
  ...folded(turn.items, 2, (item) => [`  │ ${Transcript.line(item, style)}`], style, "item")
]

/** The lines of the first and the last ones, and one for those in between when there are many. */
const folded = <A>(
  all: ReadonlyArray<A>,
  ends: number,
  draw: (one: A, index: number) => ReadonlyArray<string>,
  style: Text.Style,
  noun: string
): ReadonlyArray<string> => {
  const between = all.length - 2 * ends
  if (between <= 1) return all.flatMap(draw)
  return [
    ...all.slice(0, ends).flatMap(draw),
    style.dim(`  ⋮ ${Text.plural(between, `more ${noun}`)}`),
    ...all.slice(-ends).flatMap((one, i) => draw(one, all.length - ends + i))
  ]
}

const settings = (document: ContextDocument): string => {
  const previous = document.previousTurnSettings
  const model = typeof previous === "object" && previous !== null && "model" in previous ? previous.model : undefined
  return typeof model === "string" ? `; its last turn ran ${Text.brief(model)}` : ""
}
