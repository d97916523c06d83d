/**
 * The right to do something alone, across processes and without locks of the system: a file that only one of them can
 * make (design §7).
 *
 * Each key has a folder `leases/<key>/`. A lease is a file in it, named after its fence; the newest one counts. Released,
 * it is renamed to `<fence>.free` and stays until the next one is taken, so that fences only grow. It says who holds it
 * until when. A holder that has certainly ended is succeeded at once, one that is merely late only after its time.
 */
import type { PlatformError } from "@effect/platform/Error"
import * as Machine from "@skein/store/Machine"
import { type Holder, LeaseHeld, type StoreUnavailable } from "@skein/store/StoreError"
import { Effect, Random } from "effect"
import * as Disk from "./Disk.js"
import * as Instances from "./Instances.js"
import type { Kind, Leases, Written } from "./LeaseFile.js"
import { fileOf, folderOf, judge, markOf, newestOf, noted, old, parse, read, waiting } from "./LeaseFile.js"

export type { Kind, Leases }
export { markOf }

/** A lease that is held. */
export interface Held {
  readonly key: string
  readonly fence: number
  readonly kind: Kind
  readonly name: string
  expiresAt: number
}

/** What is asked for. */
export interface Request {
  readonly kind: Kind
  readonly name: string
  /** Milliseconds that it lasts. */
  readonly time: number
  /** Milliseconds to wait for a brief one of somebody else. */
  readonly wait: number
  /**
   * Done before the lease of a holder that is late, but may be alive, is taken away: makes sure that what it still writes
   * goes nowhere.
   */
  readonly onLate: (fence: number) => Effect.Effect<void, LeaseHeld | StoreUnavailable>
}

/** How the lease before this one ended; `own`: it was this store's. */
export type Ending = "none" | "free" | "own" | "gone" | "late"

/** A lease that was just taken. */
export interface Taken {
  readonly held: Held
  readonly before: Ending
  /** Of a holder that is gone: the end of its time. */
  readonly beforeUntil: number
  /** What {@link note} left for whoever comes next. */
  readonly note: string | undefined
}

const unavailable = (leases: Leases, key: string) => Disk.unavailable("taking a lease", folderOf(leases, key))

/**
 * Takes a lease. Only the waiting can be interrupted. Cost: five operations on small files, more while somebody else has
 * it.
 */
export const acquire = (
  leases: Leases,
  key: string,
  request: Request
): Effect.Effect<Taken, LeaseHeld | StoreUnavailable> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const { clock, disk } = leases
      const folder = folderOf(leases, key)
      const deadline = clock.unsafeCurrentTimeMillis() + request.wait
      for (;;) {
        const names = yield* Disk.list(disk, folder)
        if (names.length === 0) {
          // Leases need not be durable, but what comes to lie in the home is to be.
          yield* Disk.makeFolder(disk, leases.root)
          yield* disk.fs.makeDirectory(folder, { recursive: true })
        }
        const newest = newestOf(parse(names))
        const current = newest === undefined || newest.isFree ? undefined : yield* read(leases, key, newest.fence)
        if (newest !== undefined && !newest.isFree && current === undefined) continue
        const before: Ending | "live" =
          newest === undefined
            ? "none"
            : current === undefined
              ? "free"
              : yield* behind(leases, key, names, newest.fence, judge(leases, current))
        if (before === "live" && current !== undefined && newest !== undefined) {
          const isOver = current.kind === "kept" || clock.unsafeCurrentTimeMillis() >= deadline
          if (isOver)
            return yield* Effect.fail(new LeaseHeld({ threadId: key, holder: holderOf(current, newest.fence) }))
          yield* waitFor(leases, key, current)
          continue
        }
        const held = yield* make(leases, key, (newest?.fence ?? 0) + 1, request)
        if (held === undefined) continue
        const after = parse(yield* Disk.list(disk, folder))
        const isBeaten = after.some(({ fence, isFree }) => fence > held.fence || (fence === held.fence && isFree))
        if (isBeaten || (before === "late" && !(yield* isStillLate(leases, key, newest?.fence ?? 0)))) {
          yield* Disk.remove(disk, fileOf(leases, key, held.fence))
          continue
        }
        if (before === "late") {
          yield* request
            .onLate(held.fence)
            .pipe(Effect.onError(() => Effect.ignore(Disk.remove(disk, fileOf(leases, key, held.fence)))))
        }
        for (const { fence, isFree } of after) {
          if (fence < held.fence) yield* Disk.remove(disk, `${fileOf(leases, key, fence)}${isFree ? ".free" : ""}`)
        }
        for (const name of names) if (name.endsWith(old)) yield* Disk.remove(disk, disk.paths.join(folder, name))
        if (names.includes(waiting)) yield* Disk.remove(disk, disk.paths.join(folder, waiting))
        return {
          held,
          before: before as Ending,
          beforeUntil: current?.expiresAt ?? 0,
          note: names.includes(noted) ? yield* readNote(leases, key) : undefined
        }
      }
    }).pipe(Effect.catchAll((error) => Effect.fail(isPlatform(error) ? unavailable(leases, key)(error) : error)))
  )

const isPlatform = (error: PlatformError | LeaseHeld | StoreUnavailable): error is PlatformError =>
  error._tag === "SystemError" || error._tag === "BadArgument"

/** Makes the file of a lease, with its content at once; undefined when somebody else was faster. */
const make = (
  leases: Leases,
  key: string,
  fence: number,
  { kind, name, time }: Request
): Effect.Effect<Held | undefined, PlatformError> =>
  Effect.gen(function* () {
    const { clock, disk, instance, machine } = leases
    const expiresAt = clock.unsafeCurrentTimeMillis() + time
    const written: Written = { instance, process: machine.self, name, kind, expiresAt }
    const made = disk.paths.join(folderOf(leases, key), `${instance}.tmp`)
    yield* disk.fs.writeFileString(made, JSON.stringify(written))
    // Not durable: a lease that the loss of power takes away is one whose holder is gone.
    const isOurs = yield* Disk.install({ ...disk, isDurable: false }, made, fileOf(leases, key, fence))
    yield* Disk.remove(disk, made)
    return isOurs ? { key, fence, kind, name, expiresAt } : undefined
  })

/**
 * How the newest lease ended, given that of whoever it was to succeed: a holder that died while it took something over
 * from one that was late leaves that to be done.
 */
const behind = (
  leases: Leases,
  key: string,
  names: ReadonlyArray<string>,
  newest: number,
  ending: "own" | "gone" | "late" | "live"
): Effect.Effect<"own" | "gone" | "late" | "live", PlatformError> =>
  Effect.gen(function* () {
    if (ending !== "gone") return ending
    for (const { fence, isFree } of parse(names)) {
      if (isFree || fence >= newest) continue
      const written = yield* read(leases, key, fence)
      const older = written === undefined ? "gone" : judge(leases, written)
      if (older === "late" || older === "live") return "late"
    }
    return ending
  })

/** Whether a lease was not prolonged since it was found to be late. */
const isStillLate = (leases: Leases, key: string, fence: number): Effect.Effect<boolean, PlatformError> =>
  Effect.map(read(leases, key, fence), (written) => written === undefined || judge(leases, written) !== "live")

/** Says that somebody waits, and does so for a moment. */
const waitFor = (leases: Leases, key: string, { instance, process }: Written): Effect.Effect<void, PlatformError> =>
  Effect.gen(function* () {
    const { disk, machine } = leases
    const isHere = Machine.isSame(machine.self, process) && Instances.isOpen(instance)
    if (isHere) return yield* Effect.zipRight(Instances.askFor(instance, key), Effect.yieldNow())
    yield* disk.fs.writeFileString(disk.paths.join(folderOf(leases, key), waiting), "")
    const time = yield* Random.nextIntBetween(1, 5)
    yield* Effect.interruptible(Effect.sleep(time))
  })

/** Whether somebody waits for a lease. Says so once; who still waits asks again. */
export const isWanted = (leases: Leases, key: string): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const { disk } = leases
    const folder = folderOf(leases, key)
    if (!(yield* Disk.list(disk, folder)).includes(waiting)) return false
    yield* Disk.remove(disk, disk.paths.join(folder, waiting))
    return true
  }).pipe(Effect.orElseSucceed(() => false))

/** Whether a lease is still the newest one: nobody took it over. */
export const isNewest = (leases: Leases, { fence, key }: Held): Effect.Effect<boolean, StoreUnavailable> =>
  Disk.list(leases.disk, folderOf(leases, key)).pipe(
    Effect.map((names) => {
      const newest = newestOf(parse(names))
      return newest !== undefined && newest.fence === fence && !newest.isFree
    }),
    Effect.mapError(unavailable(leases, key))
  )

/** Whether somebody keeps a lease that has not ended: a brief one is over in a moment. */
export const isKept = (leases: Leases, key: string): Effect.Effect<boolean, StoreUnavailable> =>
  Effect.gen(function* () {
    const newest = newestOf(parse(yield* Disk.list(leases.disk, folderOf(leases, key))))
    if (newest === undefined || newest.isFree) return false
    const written = yield* read(leases, key, newest.fence)
    return written?.kind === "kept" && judge(leases, written) === "live"
  }).pipe(Effect.mapError(unavailable(leases, key)))

/** Who has a lease now, for a message. */
export const holder = (leases: Leases, key: string): Effect.Effect<Holder> =>
  Effect.gen(function* () {
    const newest = newestOf(parse(yield* Disk.list(leases.disk, folderOf(leases, key))))
    const written = newest === undefined || newest.isFree ? undefined : yield* read(leases, key, newest.fence)
    return written === undefined
      ? { name: "nobody any more", fence: newest?.fence ?? 0, expiresAt: leases.clock.unsafeCurrentTimeMillis() }
      : holderOf(written, newest?.fence ?? 0)
  }).pipe(Effect.orElseSucceed(() => ({ name: "somebody", fence: 0, expiresAt: 0 })))

const holderOf = ({ expiresAt, name, process }: Written, fence: number): Holder => ({
  name: `${name} (process ${process.pid} on ${process.host})`,
  fence,
  expiresAt
})

/** Prolongs a lease; gives its new end. `LeaseHeld` when it was taken over. */
export const renew = (leases: Leases, held: Held, time: number): Effect.Effect<number, LeaseHeld | StoreUnavailable> =>
  Effect.gen(function* () {
    const { clock, disk, instance, machine } = leases
    const { fence, key, kind, name } = held
    if (!(yield* isNewest(leases, held))) return yield* lost(leases, key)
    const expiresAt = clock.unsafeCurrentTimeMillis() + time
    const written: Written = { instance, process: machine.self, name, kind, expiresAt }
    const made = disk.paths.join(folderOf(leases, key), `${instance}.tmp`)
    yield* disk.fs
      .writeFileString(made, JSON.stringify(written))
      .pipe(
        Effect.zipRight(disk.fs.rename(made, fileOf(leases, key, fence))),
        Effect.mapError(unavailable(leases, key))
      )
    // Whoever took it over before it was prolonged looks again, and so do we: one of the two steps back.
    if (!(yield* isNewest(leases, held))) {
      yield* Effect.ignore(Disk.remove(disk, fileOf(leases, key, fence)))
      return yield* lost(leases, key)
    }
    held.expiresAt = expiresAt
    return expiresAt
  })

const lost = (leases: Leases, key: string): Effect.Effect<never, LeaseHeld> =>
  Effect.flatMap(holder(leases, key), (current) => Effect.fail(new LeaseHeld({ threadId: key, holder: current })))

/** Gives a lease back; nothing happens when somebody took it over. */
export const release = (leases: Leases, { fence, key }: Held): Effect.Effect<void, StoreUnavailable> => {
  const file = fileOf(leases, key, fence)
  return leases.disk.fs.rename(file, `${file}.free`).pipe(
    Effect.catchIf(Disk.isMissing, () => Effect.void),
    Effect.mapError(unavailable(leases, key))
  )
}

/** Leaves words for whoever takes the lease next. */
export const note = (leases: Leases, key: string, text: string): Effect.Effect<void, StoreUnavailable> =>
  Disk.replace(
    { ...leases.disk, isDurable: false },
    leases.disk.paths.join(folderOf(leases, key), noted),
    new TextEncoder().encode(text),
    leases.instance
  ).pipe(Effect.mapError(unavailable(leases, key)))

const readNote = (leases: Leases, key: string): Effect.Effect<string | undefined, PlatformError> =>
  leases.disk.fs
    .readFileString(leases.disk.paths.join(folderOf(leases, key), noted))
    .pipe(Effect.catchIf(Disk.isMissing, () => Effect.succeed(undefined)))

/** Forgets a key with all that is known of it. */
export const forget = (leases: Leases, key: string): Effect.Effect<void, PlatformError> =>
  leases.disk.fs.remove(folderOf(leases, key), { recursive: true, force: true })
