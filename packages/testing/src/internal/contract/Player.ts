/** Plays operations on a store and says what came of each, in words that do not depend on the store. */
import type { Decoded, Draft, StoredRecord } from "@skein/core/record/Record"
import type { Position } from "@skein/store/Position"
import type { StoreError } from "@skein/store/StoreError"
import type { Summary } from "@skein/store/Summary"
import type { Page, SummaryQuery } from "@skein/store/SummaryQuery"
import type { AppendOptions, Row, ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Exit, Scope } from "effect"
import * as Drafts from "../../Drafts.js"
import * as Script from "../../Script.js"
import * as Look from "./Look.js"
import * as Raw from "./Raw.js"
import type { Asked, Op, What } from "./Sequences.js"

/** A store that is played on, and what the player remembers of it. */
export interface World {
  store: ThreadStoreService
  readonly reopen: Effect.Effect<ThreadStoreService, unknown, Scope.Scope>
  /** Whether headers that were copied or inherited are compared too. */
  readonly strict: boolean
  /** Every thread that was ever made, by its number from 1. */
  readonly modes: Array<"legacy" | "paginated" | "quantum">
  readonly leases: Map<number, { readonly scope: Scope.CloseableScope; readonly fence: number }>
  /** The newest append at an expected place, by thread. */
  readonly retries: Map<number, { readonly records: ReadonlyArray<Draft>; readonly options: AppendOptions }>
  staleFence: number
  segments: number
}

/** A world in which nothing has happened. */
export const world = (
  store: ThreadStoreService,
  reopen: Effect.Effect<ThreadStoreService, unknown, Scope.Scope>,
  strict: boolean
): World => ({ store, reopen, strict, modes: [], leases: new Map(), retries: new Map(), staleFence: 0, segments: 0 })

/** What came of an operation. */
export type Outcome = unknown

const base = 100_000

/** Plays one operation. `step` is its place in the sequence, from which its times and names come. */
export const play = (at: World, op: Op, step: number): Effect.Effect<Outcome, never, Scope.Scope> => {
  const { store } = at
  if (op === "reopen") {
    return Effect.gen(function* () {
      for (const [n] of at.leases) yield* release(at, n)
      at.store = yield* Effect.orDie(at.reopen)
      return "reopened"
    })
  }
  if ("create" in op) {
    const n = at.modes.push(op.create)
    const more = {
      ...(op.parent === undefined ? {} : { parent_thread_id: Drafts.id((op.parent % n) + 1) }),
      ...(op.cwd === undefined ? {} : { cwd: op.cwd }),
      model_provider: op.provider ?? null
    }
    const records = drafts(op.with, at, n, step)
    const explicit = op.name === undefined ? {} : { name: op.name }
    return told(store.create(Drafts.header({ n, mode: op.create, at: n, more }), records, { explicit }), appended(at))
  }
  if ("foreign" in op) {
    const n = at.modes.push(
      op.foreign === "unknown mode" ? "quantum" : op.foreign === "numbered" ? "paginated" : "legacy"
    )
    return told(store.imported(foreign(n, at.modes[n - 1] ?? "legacy")), () => "imported")
  }
  if ("list" in op)
    return told(
      pages((cursor) => store.summaries({ ...query(at, op.list), cursor })),
      (all) => all.map(row)
    )
  if ("search" in op) {
    const ask = (cursor: string | undefined) => store.search(op.search, { pageSize: op.size, cursor })
    return told(pages(ask), (all) => all.map(({ snippet, thread }) => [row(thread), snippet]))
  }
  const [verb = "", target] = Object.entries(op)[0] ?? []
  const n = at.modes.length === 0 ? 1 : (Number(target) % at.modes.length) + 1
  const id = Drafts.id(n)
  if ("append" in op) return told(append(at, op, n, step), appended(at))
  if ("retry" in op) {
    const retry = at.retries.get(n)
    return retry === undefined
      ? Effect.succeed("nothing to retry")
      : told(store.append(id, retry.records, retry.options), appended(at))
  }
  if ("fork" in op) {
    const made = at.modes.push(at.modes[n - 1] ?? "legacy")
    const header = Drafts.header({ n: made, at: made, more: { forked_from_id: id } })
    const options = { header, records: drafts(op.with, at, made, step), includeArchived: true }
    const fork = Effect.flatMap(placeBehind(at, n, op.behind), (place) => store.fork(id, { ...options, at: place }))
    return told(fork, appended(at))
  }
  if ("revert" in op) {
    const segmentId = Drafts.id(base + ++at.segments)
    const fence = op.lease === undefined ? undefined : at.leases.get(n)?.fence
    const place = Effect.flatMap(placeBehind(at, n, op.behind), (to) =>
      to === undefined ? startOf(at, n) : Effect.succeed(to)
    )
    const revert = Effect.flatMap(place, (to) =>
      store.revert(id, {
        to,
        timestamp: Drafts.stamp(500 + at.segments),
        segmentId,
        fence
      })
    )
    return told(revert, appended(at))
  }
  if ("patch" in op) {
    const { branch, memory, name, tenant } = op
    const patch = {
      ...(name === undefined ? {} : { name }),
      ...(memory === undefined ? {} : { memoryMode: memory }),
      ...(branch === undefined ? {} : { gitInfo: { branch } }),
      ...(tenant === undefined ? {} : { metadata: { tenant } })
    }
    return told(store.updateSummary(id, patch), row)
  }
  if ("delete" in op) {
    return told(store.delete(id, { subtree: op.alone !== true }), ({ deleted }) => deleted)
  }
  if ("lease" in op) return lease(at, n)
  if ("release" in op) return release(at, n)
  if ("read" in op) {
    const range = {
      direction: op.backward === true ? ("backward" as const) : ("forward" as const),
      includeArchived: op.archived
    }
    const read = Effect.flatMap(
      op.after === undefined ? Effect.succeed(undefined) : placeBehind(at, n, op.after, op.archived),
      (after) => Look.rows(store, id, { ...range, after })
    )
    return told(read, (rows) => content(at, n, rows))
  }
  if ("turns" in op) {
    const request = { pageSize: op.size, direction: op.direction }
    return told(
      pages((cursor) => store.turns(id, { ...request, cursor })),
      (all) => all.map((one) => JSON.stringify(one))
    )
  }
  if ("items" in op) {
    const request = { pageSize: op.size, direction: op.direction }
    return told(
      pages((cursor) => store.items(id, { ...request, cursor })),
      (all) => all.map((one) => JSON.stringify(one))
    )
  }
  if ("occurrences" in op) {
    const ask = (cursor: string | undefined) => store.occurrences(id, { searchTerm: op.term, cursor, pageSize: 2 })
    return told(pages(ask), (all) =>
      all.map(({ itemId, range, snippet, turnId }) => ({ itemId, range, snippet, turnId }))
    )
  }
  if (verb === "archive") return told(store.archive(id), () => "archived")
  if (verb === "unarchive") return told(store.unarchive(id), () => "taken out")
  return Effect.succeed("nothing")
}

/** The value in words, or the tag of what went wrong. */
const told = <A>(effect: Effect.Effect<A, StoreError>, inWords: (value: A) => Outcome): Effect.Effect<Outcome> =>
  Effect.match(effect, {
    onSuccess: inWords,
    onFailure: (error): Outcome => ({
      failed: error._tag,
      ...("reason" in error && error._tag === "AppendConflict" ? { reason: error.reason } : {})
    })
  })

const append = (at: World, op: Extract<Op, { readonly append: number }>, n: number, step: number) =>
  Effect.gen(function* () {
    const id = Drafts.id(n)
    const records = drafts(op.what, at, n, step, op.late)
    const fence = op.lease === undefined ? undefined : op.lease === "own" ? at.leases.get(n)?.fence : at.staleFence
    const head = op.at === undefined ? undefined : yield* Effect.option(at.store.head(id))
    const expected =
      head?._tag === "Some" ? { ...head.value.head, ...(op.at === "head" ? {} : { offset: 0 }) } : undefined
    const options = { expected, fence, ...(expected === undefined ? {} : { operationId: `step ${step}` }) }
    if (expected !== undefined) at.retries.set(n, { records, options })
    return yield* at.store.append(id, records, options)
  })

const lease = (at: World, n: number): Effect.Effect<Outcome, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
    const taken = yield* Effect.either(Scope.extend(at.store.lease(Drafts.id(n), { time: "1 minute" }), scope))
    if (taken._tag === "Left") return { failed: taken.left._tag }
    at.leases.set(n, { scope, fence: taken.right.fence })
    return "held"
  })

const release = (at: World, n: number): Effect.Effect<Outcome> =>
  Effect.gen(function* () {
    const held = at.leases.get(n)
    if (held === undefined) return "not held"
    at.leases.delete(n)
    at.staleFence = held.fence
    yield* Scope.close(held.scope, Exit.void)
    return "given back"
  })

const drafts = (all: ReadonlyArray<What>, at: World, n: number, step: number, late = 0): ReadonlyArray<Draft> =>
  all.flatMap((one, i): ReadonlyArray<Draft> => {
    const ms = (step + 1) * 2_000 - late + i
    if (one === "nothing") return [Look.dropped]
    if (one === "bad") return [{ ...Look.say("x"), payload: { type: "message" } } as unknown as Draft]
    if ("say" in one) return [Look.say(one.say, ms)]
    if ("tokens" in one) return [Drafts.of(Script.tokens(one.tokens), ms)]
    if ("model" in one) return [Drafts.of(Script.turnContext(undefined, one.model), ms)]
    const mode = at.modes[n - 1] === "paginated" ? "paginated" : "legacy"
    return Drafts.turn({ id: `t${step}.${i}`, user: one.turn, agent: `answer ${step}`, mode, at: ms })
  })

/** The place behind one of the records that a thread shows, headers aside; undefined when it shows none. */
const placeBehind = (at: World, n: number, behind: number | undefined, includeArchived = true) =>
  Effect.gen(function* () {
    if (behind === undefined) return undefined
    const rows = (yield* Look.rows(at.store, Drafts.id(n), { includeArchived })).filter(
      ({ decoded }) => decoded.kind !== "session_meta"
    )
    const found: Position | undefined = rows[behind % Math.max(1, rows.length)]?.position
    return found
  })

/** The place in front of everything that a thread shows, wherever its store keeps that. */
const startOf = (at: World, n: number) =>
  Effect.scoped(
    Effect.map(at.store.open(Drafts.id(n), { includeArchived: true }), ({ pieces }): Position => {
      const first = pieces[0]?.segmentId
      return { segmentId: first ?? Drafts.id(n), offset: 0 }
    })
  )

const query = (
  at: World,
  { childrenOf, cwd, descendantsOf, direction, provider, size, sort, tenant, term, ...rest }: Asked
): SummaryQuery => {
  const idOf = (n: number) => Drafts.id((n % Math.max(1, at.modes.length)) + 1)
  return {
    ...rest,
    pageSize: size,
    sortKey: sort,
    sortDirection: direction,
    searchTerm: term,
    modelProviders: provider === undefined ? undefined : [provider],
    defaultProvider: "p1",
    cwds: cwd === undefined ? undefined : [cwd],
    metadata: tenant === undefined ? undefined : { tenant },
    childrenOf: childrenOf === undefined ? undefined : idOf(childrenOf),
    descendantsOf: descendantsOf === undefined ? undefined : idOf(descendantsOf)
  }
}

const pages = <A, E>(
  ask: (cursor: string | undefined) => Effect.Effect<Page<A>, E>
): Effect.Effect<ReadonlyArray<A>, E> =>
  Effect.gen(function* () {
    const all: Array<A> = []
    let cursor: string | undefined
    for (let count = 0; count < 200; count++) {
      const page: Page<A> = yield* ask(cursor)
      all.push(...page.items)
      cursor = page.nextCursor
      if (cursor === undefined) return all
    }
    return yield* Effect.dieMessage("pages do not come to an end")
  })

/** A row without what depends on where and when it is kept. */
const row = ({ archivedAt, path: _, ...rest }: Summary): Outcome => ({ ...rest, archived: archivedAt !== undefined })

const appended =
  (at: World) =>
  ({ records }: { readonly records: ReadonlyArray<StoredRecord> }): Outcome =>
    records.map((record) => saying(record, at.strict))

/** The lines of a thread in words. */
export const content = (at: World, n: number, rows: ReadonlyArray<Row>): Outcome => {
  const isForeign = ({ decoded }: Row) =>
    decoded.kind === "session_meta" && (!at.strict || decoded.payload.id !== Drafts.id(n))
  const shown = at.strict ? rows : rows.filter((one) => !isForeign(one))
  return shown.map(({ decoded }) => saying(decoded, at.strict))
}

/** What a line says, without what says how and where it is stored. */
const saying = (decoded: Decoded, strict: boolean): string => {
  if (decoded.kind === "blank") return "blank"
  if (decoded.kind === "damage") return `${decoded.reason}: ${Look.latin1(decoded.line.bytes)}`
  const { extras, kind, ordinal, payload, timestamp } = decoded
  const { skein: _, ...others } = extras ?? {}
  const said: object =
    kind === "session_meta"
      ? { ...payload, history_base: strict ? payload.history_base?.end_ordinal_exclusive : undefined }
      : payload
  return JSON.stringify({ kind, ordinal, timestamp, payload: said, ...others })
}

/** A thread that another program wrote. */
const foreign = (n: number, historyMode: "legacy" | "paginated" | "quantum") => {
  const numbered = (i: number) => (historyMode === "paginated" ? i : undefined)
  const lines = [
    Raw.line(Script.header({ id: Drafts.id(n), session_id: Drafts.id(n), history_mode: historyMode }), n, numbered(0)),
    Raw.line(Script.userEvent("foreign"), 10, numbered(1)),
    Raw.text("{"),
    Raw.line({ type: "of_tomorrow", payload: {} }, 11, numbered(4)),
    Uint8Array.from([0x22, 0xff]),
    Raw.text(" "),
    Raw.line(Drafts.item(`f${n}`, Drafts.agentItem("x", "a")), 12, numbered(4)),
    Raw.line(Script.assistant("last"), 13, numbered(5))
  ]
  return Raw.thread(n, lines, { historyMode })
}
