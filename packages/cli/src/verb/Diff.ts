/** `skein diff`: what changed between two points of a thread. */
import { isDeepStrictEqual } from "node:util"
import type { ThreadItem } from "@skein/core/fold/view/ThreadItem"
import type { Turn, TurnFacts } from "@skein/core/fold/view/Turn"
import type { Diagnostic } from "@skein/store/Diagnostic"
import type * as EffectiveLog from "@skein/store/EffectiveLog"
import { InvalidRequest } from "@skein/store/StoreError"
import { Effect } from "effect"
import type { Operation } from "fast-json-patch"
import * as Position from "../Position.js"
import * as Reading from "../Reading.js"
import * as Source from "../Source.js"
import * as Text from "../Text.js"
import * as Transcript from "../Transcript.js"
import * as Context from "./Context.js"
import * as Show from "./Show.js"
import * as World from "./World.js"

/** One of the two points: what it was called, and the place in a file behind which nothing counts. */
export interface Point {
  /** As it was asked for; null for the end. */
  readonly at: string | null
  readonly file: string
  readonly offset: number
}

/** The fields that differ. One that is not there at a point has no value for it. */
export type Fields = Readonly<Record<string, { readonly from?: unknown; readonly to?: unknown }>>

/** A turn that is there at one of the points only. `number` is its place there, from 1. */
export type LoneTurn = TurnFacts & { readonly number: number }

/** A turn that is there at both points, and not the same. `number` is its place at `to`. */
export interface ChangedTurn {
  readonly number: number
  readonly id: string
  readonly fields: Fields
}

/** An item that is there at one of the points only: `number` is its place in its turn, `turn` that of the turn. */
export interface LoneItem {
  readonly turn: number
  readonly turnId: string
  readonly number: number
  readonly item: ThreadItem
}

/** An item that is there at both points, and not the same. The places are those at `to`. */
export interface ChangedItem {
  readonly turn: number
  readonly turnId: string
  readonly number: number
  readonly id: string
  readonly type: ThreadItem["type"]
  readonly fields: Fields
}

/**
 * What `skein diff --json` prints for a file.
 *
 * Law: from the turns at `from`, take what was removed (places of `from`), put in what was added (places of `to`), and
 * set the fields that changed: that gives the turns at `to`.
 */
export interface DiffDocument {
  readonly file: string
  readonly threadId: string | null
  readonly from: Point
  readonly to: Point
  readonly turns: {
    readonly added: ReadonlyArray<LoneTurn>
    readonly changed: ReadonlyArray<ChangedTurn>
    readonly removed: ReadonlyArray<LoneTurn>
  }
  /** Those of turns that were added or removed are among them. */
  readonly items: {
    readonly added: ReadonlyArray<LoneItem>
    readonly changed: ReadonlyArray<ChangedItem>
    readonly removed: ReadonlyArray<LoneItem>
  }
  readonly world: {
    /** RFC 6902: they make the world at `to` of the world at `from`. */
    readonly operations: ReadonlyArray<Operation>
    /** Whether both states are certain. */
    readonly complete: boolean
  }
  /** Null when both points are in the same window. */
  readonly window: { readonly from: Context.Window; readonly to: Context.Window } | null
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

/** The two points, as {@link Position.before} takes them; the beginning and the end unless they are given. */
export interface Request {
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/**
 * What changed in a file between two points. Each point is read as `show`, `world` and `context` read it, so that what
 * this tells is what they tell. Cost: one pass in which every line is decoded, from the beginning to the second point;
 * for each point one over the bytes, to find it and what the model knew there. Memory: two views.
 */
export const diff = (file: string, request: Request = {}) =>
  Effect.scoped(
    Effect.gen(function* () {
      const opened = yield* Source.open(file)
      const at = request.from ?? "0"
      const first = yield* Position.before(opened, at, "--from")
      const second = request.to === undefined ? opened : yield* Position.before(opened, request.to, "--to")
      const from = pointOf(first, at, file)
      const to = pointOf(second, request.to ?? null, file)
      if (isBehind(first, second)) return yield* Effect.fail(wrongWay(from, to))
      // This one reads every line, so what it notices is all that there is to notice.
      const { before, diagnostics, turns } = yield* Show.view(second, file, first)
      const old = yield* standing(first)
      const now = yield* standing(second)
      const isSameWindow = isDeepStrictEqual(old.window, now.window)
      const document: DiffDocument = {
        file,
        threadId: opened.meta?.payload.id ?? null,
        from,
        to,
        ...between(before, turns),
        world: {
          operations: World.between(old.world, now.world),
          complete: old.complete && now.complete
        },
        window: isSameWindow ? null : { from: old.window, to: now.window },
        diagnostics
      }
      return document
    })
  )

const pointOf = ({ pieces }: Source.Log, at: string | null, file: string): Point => {
  const last = pieces.at(-1)
  return { at, file: last?.source.path ?? file, offset: last?.to ?? 0 }
}

/** Whether one cut of a log is longer than another. */
const isBehind = (one: Source.Log, other: Source.Log): boolean =>
  one.pieces.length === other.pieces.length
    ? (one.pieces.at(-1)?.to ?? 0) > (other.pieces.at(-1)?.to ?? 0)
    : one.pieces.length > other.pieces.length

const wrongWay = (from: Point, to: Point): InvalidRequest =>
  new InvalidRequest({
    field: "--from",
    reason: `${from.at} lies behind --to ${to.at}`,
    advice: `Ask the other way round: --from ${to.at} --to ${from.at}.`
  })

/** What the model knows at the end of a log. */
const standing = <E>(log: EffectiveLog.EffectiveLog<E>) =>
  Effect.map(Reading.modelContext(log), ({ context }) => ({
    world: context.worldState ?? null,
    complete: context.complete.worldState,
    window: Context.windowOf(context)
  }))

/** What changed from some turns to others. */
export const between = (
  before: ReadonlyArray<Turn>,
  after: ReadonlyArray<Turn>
): Pick<DiffDocument, "turns" | "items"> => {
  const added: Array<LoneTurn> = []
  const changed: Array<ChangedTurn> = []
  const removed: Array<LoneTurn> = []
  const items = {
    added: [] as Array<LoneItem>,
    changed: [] as Array<ChangedItem>,
    removed: [] as Array<LoneItem>
  }
  for (const [i, j] of aligned(before, after)) {
    const old = i === undefined ? undefined : before[i]
    const now = j === undefined ? undefined : after[j]
    if (old === undefined && now !== undefined) added.push({ ...factsOf(now), number: (j ?? 0) + 1 })
    if (old !== undefined && now === undefined) removed.push({ ...factsOf(old), number: (i ?? 0) + 1 })
    if (old !== undefined && now !== undefined) {
      const fields = fieldsBetween(factsOf(old), factsOf(now))
      if (fields !== undefined) changed.push({ number: (j ?? 0) + 1, id: now.id, fields })
    }
    const left = old?.items ?? []
    const right = now?.items ?? []
    for (const [k, l] of aligned(left, right)) {
      const one = k === undefined ? undefined : left[k]
      const other = l === undefined ? undefined : right[l]
      const place = { turn: (j ?? i ?? 0) + 1, turnId: (now ?? old)?.id ?? "", number: (l ?? k ?? 0) + 1 }
      if (one === undefined && other !== undefined) items.added.push({ ...place, item: other })
      if (one !== undefined && other === undefined) items.removed.push({ ...place, turn: (i ?? 0) + 1, item: one })
      if (one !== undefined && other !== undefined) {
        const fields = fieldsBetween(one, other)
        if (fields !== undefined) items.changed.push({ ...place, id: other.id, type: other.type, fields })
      }
    }
  }
  return { turns: { added, changed, removed }, items }
}

type Pair = readonly [before: number | undefined, after: number | undefined]

/**
 * Which elements are the same ones: for each its indexes before and after, of which one is undefined for what is there
 * once only. Those there at both keep their order, also where an id stands more than once.
 */
const aligned = (
  before: ReadonlyArray<{ readonly id: string }>,
  after: ReadonlyArray<{ readonly id: string }>
): ReadonlyArray<Pair> => {
  const places = new Map<string, { readonly indexes: Array<number>; next: number }>()
  before.forEach(({ id }, i) => {
    const known = places.get(id)
    if (known === undefined) places.set(id, { indexes: [i], next: 0 })
    else known.indexes.push(i)
  })
  const pairs: Array<Pair> = []
  let from = 0
  after.forEach(({ id }, j) => {
    const known = places.get(id)
    while (known !== undefined && (known.indexes[known.next] ?? from) < from) known.next++
    const i = known?.indexes[known.next]
    while (i !== undefined && from < i) pairs.push([from++, undefined])
    if (i !== undefined) from++
    pairs.push([i, j])
  })
  while (from < before.length) pairs.push([from++, undefined])
  return pairs
}

const factsOf = ({ completedAt, durationMs, error, id, rootTurnId, startedAt, status }: Turn): TurnFacts => ({
  id,
  rootTurnId,
  status,
  error,
  startedAt,
  completedAt,
  durationMs
})

const fieldsBetween = (before: object, after: object): Fields | undefined => {
  const old = new Map<string, unknown>(Object.entries(before))
  const now = new Map<string, unknown>(Object.entries(after))
  const different = [...new Set([...old.keys(), ...now.keys()])].filter(
    (name) => !isDeepStrictEqual(old.get(name), now.get(name))
  )
  if (different.length === 0) return undefined
  return Object.fromEntries(
    different.map((name) => [
      name,
      { ...(old.has(name) ? { from: old.get(name) } : {}), ...(now.has(name) ? { to: now.get(name) } : {}) }
    ])
  )
}

/** The document for a person. */
export const render = (document: DiffDocument, style: Text.Style): string => {
  const { diagnostics, file, from, threadId, to, window, world } = document
  const blocks = turnBlocks(document, style)
  const isEmpty = blocks.length === 0 && world.operations.length === 0 && window === null
  return Text.lines([
    style.strong(file),
    style.dim(`  thread ${threadId ?? "unknown"} · from ${nameOf(from, "line")} to ${nameOf(to, "line")}`),
    ...(isEmpty ? ["  nothing changed"] : []),
    ...blocks,
    ...(window === null ? [] : [`  window ${windowText(window.from)} → ${windowText(window.to)}`]),
    ...(world.operations.length === 0
      ? []
      : [
          `  world: ${Text.plural(world.operations.length, "operation")}`,
          ...world.operations.map((operation) => `    ${World.describe(operation, style)}`)
        ]),
    ...(world.complete ? [] : [style.warn("  the world is not certain: the log was not read whole")]),
    ...Text.diagnostics(diagnostics, style)
  ])
}

const nameOf = ({ at }: Point, noun: string): string => {
  if (at === null) return "the end"
  if (/^0+$/.test(at)) return "the beginning"
  return /^\d+$/.test(at) ? `${noun} ${at}` : Text.brief(at, 64)
}

const windowText = ({ id, number }: Context.Window): string =>
  `${number}${id === null ? "" : ` (${Text.brief(id, 64)})`}`

/** Each turn that is not what it was, with its items: those that are gone first, the others in their order. */
const turnBlocks = ({ items, turns }: DiffDocument, style: Text.Style): ReadonlyArray<string> => {
  const gone = turns.removed.flatMap((turn) => [
    `  ${style.bad("-")} ${Transcript.heading(turn, turn.number, style)} · rolled back`,
    ...items.removed
      .filter((item) => item.turn === turn.number)
      .map(({ item }) => `    ${style.bad("-")} ${Transcript.line(item, style)}`)
  ])
  const goneNumbers = new Set(turns.removed.map(({ number }) => number))
  const blocks = new Map<string, Block>()
  const blockOf = (number: number, id: string): Block => {
    const known = blocks.get(id) ?? { number, id, heading: undefined, lines: [] }
    blocks.set(id, known)
    return known
  }
  for (const turn of turns.added) {
    blockOf(turn.number, turn.id).heading = `${style.good("+")} ${Transcript.heading(turn, turn.number, style)}`
  }
  for (const { fields, id, number } of turns.changed) {
    const block = blockOf(number, id)
    block.heading = `${changedHeading(block, style)} · ${turnFieldTexts(fields, style)}`
  }
  for (const { item, turn, turnId } of items.removed) {
    if (goneNumbers.has(turn)) continue
    blockOf(turn, turnId).lines.push(`    ${style.bad("-")} ${Transcript.line(item, style)}`)
  }
  for (const { fields, turn, turnId, type } of items.changed) {
    const name = style.dim(Transcript.names[type].padEnd(Transcript.margin))
    blockOf(turn, turnId).lines.push(`    ${style.warn("~")} ${name}${fieldTexts(fields, style)}`)
  }
  for (const { item, turn, turnId } of items.added) {
    blockOf(turn, turnId).lines.push(`    ${style.good("+")} ${Transcript.line(item, style)}`)
  }
  const rest = [...blocks.values()]
    .sort((left, right) => left.number - right.number)
    .flatMap((block) => [`  ${block.heading ?? changedHeading(block, style)}`, ...block.lines])
  return [...gone, ...rest]
}

interface Block {
  readonly number: number
  readonly id: string
  heading: string | undefined
  readonly lines: Array<string>
}

const changedHeading = ({ id, number }: Block, style: Text.Style): string =>
  `${style.warn("~")} ${style.strong(`turn ${number}`)} ${style.dim(Text.brief(id, 64))}`

/** Of a turn its status goes without saying what it is, and with a duration its end needs no telling. */
const turnFieldTexts = ({ status, durationMs, completedAt, ...others }: Fields, style: Text.Style): string => {
  const length = typeof durationMs?.to === "number" ? Transcript.duration(durationMs.to) : undefined
  const rest = {
    ...others,
    ...(durationMs !== undefined && length === undefined ? { durationMs } : {}),
    ...(completedAt !== undefined && length === undefined ? { completedAt } : {})
  }
  return [
    status === undefined ? undefined : `${valueText(status.from)} → ${valueText(status.to)}`,
    length,
    Object.keys(rest).length === 0 ? undefined : fieldTexts(rest, style)
  ]
    .filter((text) => text !== undefined)
    .join(" · ")
}

const fieldTexts = (fields: Fields, style: Text.Style): string =>
  Object.entries(fields)
    .map(([name, { from, to }]) => `${style.dim(name)} ${valueText(from)} → ${valueText(to)}`)
    .join(", ")

const valueText = (value: unknown): string =>
  value === undefined || value === null
    ? "none"
    : Text.brief(typeof value === "string" ? value : JSON.stringify(value), 40)
