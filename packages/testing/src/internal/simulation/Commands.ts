/** What simulated processes do with a store: commands drawn from a seed, noted with what came of them. */
import type { Draft } from "@skein/core/record/Record"
import type { Appended } from "@skein/store/ThreadStore"
import { Effect } from "effect"
import * as Drafts from "../../Drafts.js"
import * as Script from "../../Script.js"
import type { Random } from "../Disk.js"
import type { Batch, Revert, Set as Setting, Thread, Write } from "./History.js"
import * as History from "./History.js"
import * as Look from "./Look.js"

/** A host that keeps threads of a store open, such as one over an engine. */
export interface Host {
  /**
   * Opens a thread and lets `use` say things in it, each a write of its own that is over when its effect is; then closes
   * it. May fail with any error of the store.
   */
  readonly converse: (
    threadId: string,
    use: (say: (text: string) => Effect.Effect<void, Failure>) => Effect.Effect<void, Failure>
  ) => Effect.Effect<void, Failure>
}

/** An error as a host has it: told by its tag. */
export interface Failure {
  readonly _tag: string
}

/** What a command is done with. */
export interface Context extends Look.Reader {
  readonly host: Host | undefined
  readonly chance: Random
  readonly tick: Look.Tick
  readonly world: World
  /** Whether whoever gave the command can still be told. */
  readonly isAlive: () => boolean
  /** Takes down what happens. */
  readonly tell: (text: string) => void
}

/** What all processes share: what was done so far. */
export interface World {
  readonly threads: Map<string, Thread>
  readonly refusals: Map<string, number>
  batches: number
}

/** Something that is done. */
export type Command = (context: Context) => Effect.Effect<void, Failure>

/**
 * Errors that say that nothing happened. Of all others nobody knows: whoever takes a thread over from a holder that is
 * late keeps what that one was writing, and it is told `LeaseHeld`.
 */
const refusing = new Set(["AppendConflict", "Conflict", "InvalidRequest", "ThreadAlreadyExists", "ThreadNotFound"])
/** Errors that nothing which is done here may lead to. */
const never = new Set(["CorruptThread", "UnsupportedHistoryMode"])

/** Notes how a write ends. */
const noted = <A, E extends Failure>(
  context: Context,
  what: string,
  thread: Thread,
  writes: ReadonlyArray<Write>,
  effect: Effect.Effect<A, E>,
  done: (answer: A) => void = () => undefined
): Effect.Effect<A, E> =>
  Effect.zipRight(
    Effect.sync(() => context.tell(`${what}, thread ${Number.parseInt(thread.id.slice(-12), 16)}`)),
    effect
  ).pipe(
    Effect.tap((answer) =>
      Effect.sync(() => {
        if (!context.isAlive()) return
        const end = context.tick()
        for (const write of writes) Object.assign(write, { end, outcome: "done" })
        done(answer)
        context.tell(`${what}: done`)
      })
    ),
    Effect.tapError((error) =>
      Effect.suspend(() => {
        const { refusals } = context.world
        refusals.set(error._tag, (refusals.get(error._tag) ?? 0) + 1)
        const end = context.tick()
        context.tell(`${what}: ${String(error)}`)
        if (never.has(error._tag)) return Look.broken(`thread ${thread.id}: ${String(error)}`)
        if (!refusing.has(error._tag)) return Effect.void
        const start = writes[0]?.start ?? end
        for (const write of writes) Object.assign(write, { end, outcome: "refused" })
        const isMissed = error._tag === "ThreadNotFound" && History.existence(thread, start, end) === "there"
        return isMissed ? Look.broken(`thread ${thread.id} is there and was not found`) : Effect.void
      })
    )
  )

const begin = ({ tick }: Context): Write => ({ start: tick(), end: Number.POSITIVE_INFINITY, outcome: "open" })

/** A new batch and its records. */
const batchOf = (context: Context, most = 4): { readonly batch: Batch; readonly drafts: ReadonlyArray<Draft> } => {
  const { chance, world } = context
  const id = `b${++world.batches}`
  const count = 1 + chance.below(most)
  const batch: Batch = { ...begin(context), id, count, position: undefined }
  const drafts = Array.from({ length: count }, (_, i) =>
    Drafts.of(Script.assistant(History.text(id, i, count, sizeOf(chance))), batch.start)
  )
  return { batch, drafts }
}

/** Mostly short; now and then longer than a page. */
const sizeOf = (chance: Random): number => (chance.below(12) === 0 ? 6000 : chance.below(40))

const placed =
  (batch: Batch) =>
  ({ position }: Appended): void => {
    batch.position = position
  }

/** A thread that may be there, newer ones first. */
const pick = ({ chance, tick, world }: Context): Thread | undefined => {
  const now = tick()
  const there = [...world.threads.values()].filter((one) => History.existence(one, now, now) !== "gone")
  return there[there.length - 1 - chance.below(Math.min(there.length, 1 + chance.below(6)))]
}

/** How many threads are there at most. */
const most = 6

const inOne =
  (use: (context: Context, thread: Thread) => Effect.Effect<unknown, Failure>): Command =>
  (context) => {
    const thread = pick(context)
    return thread === undefined ? create(context) : Effect.asVoid(use(context, thread))
  }

const threadOf = (
  context: Context,
  n: number,
  mode: Thread["mode"],
  made: Batch,
  inherited: ReadonlyArray<string>
): Thread => {
  const thread: Thread = {
    id: Drafts.id(n),
    mode,
    made,
    inherited,
    batches: new Map([[made.id, made]]),
    reverts: [],
    archived: [],
    names: [],
    deleted: []
  }
  context.world.threads.set(thread.id, thread)
  return thread
}

const create: Command = (context) => {
  const { chance, store, world } = context
  const n = world.threads.size
  const { batch, drafts } = batchOf(context)
  const mode = chance.below(2) === 0 ? "legacy" : "paginated"
  const thread = threadOf(context, n, mode, batch, [])
  const made = store.create(Drafts.header({ n, mode, at: batch.start }), drafts)
  return Effect.asVoid(noted(context, `create ${batch.id} ${mode}`, thread, [batch], made, placed(batch)))
}

const appendTo = (context: Context, thread: Thread, options: Parameters<Look.Reader["store"]["append"]>[2] = {}) => {
  const { batch, drafts } = batchOf(context)
  thread.batches.set(batch.id, batch)
  return noted(
    context,
    `append ${batch.id}`,
    thread,
    [batch],
    context.store.append(thread.id, drafts, options),
    placed(batch)
  )
}

const append = inOne((context, thread) => appendTo(context, thread))

/** At a position that was looked up, and again as after an answer that got lost. */
const appendAt = inOne((context, thread) =>
  Effect.gen(function* () {
    const { store } = context
    const start = context.tick()
    const { head } = yield* noted(
      context,
      "head",
      thread,
      [{ ...begin(context), start }],
      store.head(thread.id, { includeArchived: true })
    )
    const { batch, drafts } = batchOf(context)
    thread.batches.set(batch.id, batch)
    const options = { expected: head, operationId: batch.id }
    yield* noted(
      context,
      `append ${batch.id} at ${head.offset}`,
      thread,
      [batch],
      store.append(thread.id, drafts, options),
      placed(batch)
    )
    const again = yield* Effect.either(store.append(thread.id, drafts, options))
    if (again._tag === "Right" && again.right.position.offset !== batch.position?.offset && context.isAlive()) {
      yield* Look.broken(`thread ${thread.id}: batch ${batch.id} was appended again by a retry of it`)
    }
  })
)

const read = inOne((context, thread) => Look.thread(context, context.tick, thread))
const look = inOne((context, thread) => Look.row(context, context.tick, thread))
const list: Command = (context) => Look.listed(context, context.tick, context.world.threads.values())

const rename = inOne((context, thread) => {
  const { chance, store } = context
  const value = chance.below(4) === 0 ? undefined : `name ${chance.below(1000)}`
  const name: Setting<string | undefined> = { ...begin(context), value }
  thread.names.push(name)
  return noted(context, `rename to ${value}`, thread, [name], store.updateSummary(thread.id, { name: value ?? null }))
})

const archive = inOne((context, thread) => {
  const { chance, store } = context
  const archived: Setting<boolean> = { ...begin(context), value: chance.below(2) === 0 }
  thread.archived.push(archived)
  return noted(
    context,
    archived.value ? "archive" : "unarchive",
    thread,
    [archived],
    archived.value ? store.archive(thread.id) : store.unarchive(thread.id)
  )
})

const remove = inOne((context, thread) => {
  const deleted = begin(context)
  thread.deleted.push(deleted)
  return noted(context, "delete", thread, [deleted], context.store.delete(thread.id))
})

/** A place behind a batch of a thread, and what is in front of it. */
const cut = (context: Context, thread: Thread) =>
  Effect.map(Look.thread(context, context.tick, thread), (log) => {
    const ends = (log?.seen ?? []).filter(({ count, index }) => index === count - 1)
    const at = ends.length === 0 ? undefined : ends[context.chance.below(ends.length)]
    return at === undefined
      ? undefined
      : { position: at.position, kept: ends.slice(0, ends.indexOf(at) + 1).map((one) => one.batch) }
  })

const fork = inOne((context, source) =>
  Effect.gen(function* () {
    const place = yield* cut(context, source)
    if (place === undefined) return
    const n = context.world.threads.size
    const { batch, drafts } = batchOf(context)
    const thread = threadOf(context, n, source.mode, batch, place.kept)
    const header = Drafts.header({ n, mode: source.mode, at: batch.start, more: { forked_from_id: source.id } })
    const forked = context.store.fork(source.id, { at: place.position, header, records: drafts, includeArchived: true })
    yield* noted(
      context,
      `fork ${batch.id} of ${place.kept} from ${source.id.slice(-3)}`,
      { ...thread, made: source.made, deleted: source.deleted },
      [batch],
      forked,
      placed(batch)
    )
  })
)

const revert = inOne((context, thread) =>
  Effect.gen(function* () {
    const place = yield* cut(context, thread)
    if (place === undefined) return
    const { batch, drafts } = batchOf(context)
    const back: Revert = { ...begin(context), id: batch.id, kept: new Set(place.kept) }
    thread.reverts.push(back)
    thread.batches.set(batch.id, batch)
    const options = { to: place.position, timestamp: Drafts.stamp(batch.start), records: drafts }
    yield* noted(
      context,
      `revert ${batch.id} to ${place.kept}`,
      thread,
      [batch, back],
      context.store.revert(thread.id, options),
      placed(batch)
    )
  })
)

/** Keeps the right to append for a while. */
const hold = inOne((context, thread) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { chance, store } = context
      const { fence } = yield* store.lease(thread.id, { time: 500 + chance.below(8000), name: "a simulated host" })
      for (let i = chance.below(3); i >= 0; i--) {
        yield* appendTo(context, thread, { fence })
        yield* Effect.sleep(chance.below(chance.below(2) === 0 ? 20 : 4000))
      }
    })
  )
)

/** Says things through the host. */
const converse = inOne((context, thread) => {
  const { host } = context
  if (host === undefined) return appendTo(context, thread)
  return host.converse(thread.id, (say) =>
    Effect.gen(function* () {
      for (let i = context.chance.below(4); i >= 0; i--) {
        const { batch } = batchOf(context, 1)
        thread.batches.set(batch.id, batch)
        yield* noted(
          context,
          `say ${batch.id}`,
          thread,
          [batch],
          say(History.text(batch.id, 0, 1, sizeOf(context.chance)))
        )
      }
    })
  )
})

const weights: ReadonlyArray<readonly [number, Command]> = [
  [30, append],
  [10, appendAt],
  [9, converse],
  [7, hold],
  [7, read],
  [3, look],
  [3, list],
  [6, rename],
  [7, archive],
  [3, remove],
  [5, fork],
  [5, revert]
]
const total = weights.reduce((sum, [weight]) => sum + weight, 0)

/** Any command. */
export const draw = (chance: Random, { threads }: World, tick: Look.Tick): Command => {
  const now = tick()
  const there = [...threads.values()].filter((one) => History.existence(one, now, now) !== "gone").length
  if (there === 0 || (there < most && chance.below(10) === 0)) return create
  let left = chance.below(total)
  for (const [weight, command] of weights) {
    left -= weight
    if (left < 0) return there > most && command === fork ? remove : command
  }
  return append
}
