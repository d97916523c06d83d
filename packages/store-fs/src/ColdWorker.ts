/**
 * Compresses the threads of a home that nobody has touched for a while, and makes them plain again (thread-store §8,
 * docs/cold-threads.md). Nothing of it happens by itself: it is off unless its layer is provided or somebody calls it.
 */
import type { FileSystem, Path } from "@effect/platform"
import { InvalidRequest, type StoreUnavailable } from "@skein/store/StoreError"
import { Duration, Effect, Either, Layer, Schedule } from "effect"
import * as CodexHome from "./CodexHome.js"
import type { Rollout } from "./internal/Catalog.js"
import * as Cold from "./internal/Cold.js"
import * as Compress from "./internal/Compress.js"
import * as Disk from "./internal/Disk.js"
import * as Lane from "./internal/Lane.js"
import * as Lease from "./internal/Lease.js"
import * as Marker from "./internal/Marker.js"
import * as Meter from "./internal/Meter.js"
import * as Opened from "./internal/Opened.js"
import * as Recovery from "./internal/Recovery.js"
import * as Temporaries from "./internal/Temporaries.js"

/** What became of a file (thread-store §8); `skipped_in_use`, which the reference lacks: somebody has the thread open. */
export type Result = Compress.Result

/** A home, and which of its files are cold. */
export interface Options {
  /** The folder of `sessions` and `archived_sessions`. */
  readonly home: string
  /** How long a file has not changed. Default: seven days. Zero takes every thread that nobody has open. */
  readonly olderThan?: Duration.DurationInput | undefined
  /** No file is begun after so much time. Default: five hours. */
  readonly budget?: Duration.DurationInput | undefined
  /** Files at a time. Default, and most: 2. */
  readonly jobs?: 1 | 2 | undefined
  /** Told of each file that was done, and of how many there are. */
  readonly onFile?: ((file: FileReport, done: number, total: number) => void) | undefined
}

/** A file that was looked at. */
export interface FileReport {
  readonly path: string
  readonly threadId: string
  readonly result: Result
  /** Bytes of the plain file. */
  readonly sourceBytes: number
  /** Bytes of the compressed one; 0 unless it was compressed. */
  readonly compressedBytes: number
  /** Why it failed. */
  readonly error: StoreUnavailable | undefined
}

/** What a run came to. */
export interface Report {
  readonly files: ReadonlyArray<FileReport>
  /** Whether time ran out before all files were looked at. */
  readonly isCut: boolean
  /** Temporary files of others, long dead, that were removed. */
  readonly temporaries: number
}

type Environment = FileSystem.FileSystem | Path.Path

const sixHours = Duration.hours(6)

/**
 * Compresses what is cold, archived threads first. A file that cannot be compressed is told and holds up no other.
 * Memory: three frames for each file at a time.
 */
export const compress = (options: Options): Effect.Effect<Report, InvalidRequest | StoreUnavailable, Environment> =>
  Effect.scoped(Effect.flatMap(opened(options), (all) => compressIn(all, options)))

const opened = (options: { readonly home: string }) =>
  Effect.tap(Opened.open(options), ({ home }) =>
    home.machine.isShared
      ? Effect.void
      : Effect.fail(
          new InvalidRequest({
            field: "home",
            reason: "processes cannot share a home on this system, so nobody knows which threads are in use",
            advice: "Compress it on another system."
          })
        )
  )

const compressIn = ({ home, lanes }: Opened.Opened, options: Options): Effect.Effect<Report, StoreUnavailable> =>
  Effect.gen(function* () {
    const begun = home.clock.unsafeCurrentTimeMillis()
    const ends = begun + Duration.toMillis(options.budget ?? Duration.hours(5))
    const olderThan = Duration.toMillis(options.olderThan ?? Duration.days(7))
    const changedBefore = olderThan === 0 ? Number.POSITIVE_INFINITY : begun - olderThan
    const temporaries = yield* Temporaries.clean(home, begun - Duration.toMillis(sixHours))
    yield* Recovery.run(lanes)
    const files = yield* plainFiles(home)
    const reports: Array<FileReport> = []
    let isCut = false
    yield* Effect.forEach(
      files,
      (file) =>
        Effect.gen(function* () {
          const now = home.clock.unsafeCurrentTimeMillis()
          if (now >= ends) {
            isCut = true
            return
          }
          yield* Meter.scanned
          const tried = yield* Effect.either(
            Compress.compress(lanes.tools, file, { changedBefore, alone: lanes.alone })
          )
          const outcome: Compress.Outcome = Either.getOrElse(tried, () => ({
            result: "failed",
            sourceBytes: undefined,
            compressedBytes: undefined
          }))
          // Somebody died between the two steps of making it plain, or of compressing it.
          if (outcome.result === "skipped_already_compressed") yield* Recovery.of(lanes, file.threadId)
          if (Either.isLeft(tried)) yield* Effect.logWarning(`${file.path} stays plain: ${tried.left.message}`)
          yield* Meter.file(outcome, home.clock.unsafeCurrentTimeMillis() - now)
          const report = reportOf(file, outcome, Either.isLeft(tried) ? tried.left : undefined)
          reports.push(report)
          options.onFile?.(report, reports.length, files.length)
        }),
      { concurrency: options.jobs ?? 2, discard: true }
    )
    return { files: reports, isCut, temporaries }
  })

const reportOf = (
  { path, threadId }: Rollout,
  { compressedBytes = 0, result, sourceBytes = 0 }: Compress.Outcome,
  error: StoreUnavailable | undefined
): FileReport => ({ path, threadId, result, sourceBytes, compressedBytes, error })

/** The plain rollouts of a home, archived ones first. Folders that cannot be listed are told. */
const plainFiles = (home: Opened.Opened["home"]): Effect.Effect<ReadonlyArray<Rollout>, StoreUnavailable> =>
  Effect.gen(function* () {
    yield* home.catalog.walk
    for (const problem of home.catalog.problems()) yield* Effect.logWarning(problem.message)
    return [...home.catalog.threads()]
      .flatMap(({ all }) => all)
      .filter(({ compressed }) => !compressed)
      .sort((left, right) =>
        left.isArchived === right.isArchived ? (left.path < right.path ? -1 : 1) : left.isArchived ? -1 : 1
      )
  })

/** What {@link compress} would take, with `compressed` for its result; nothing is changed. Cost: a look at each file. */
export const candidates = (
  options: Options
): Effect.Effect<ReadonlyArray<FileReport>, InvalidRequest | StoreUnavailable, Environment> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { home } = yield* opened(options)
      const olderThan = Duration.toMillis(options.olderThan ?? Duration.days(7))
      const now = home.clock.unsafeCurrentTimeMillis()
      const changedBefore = olderThan === 0 ? Number.POSITIVE_INFINITY : now - olderThan
      return yield* Effect.forEach(yield* plainFiles(home), (file) =>
        Effect.map(Compress.examine(home, file, changedBefore), ({ facts, result }) =>
          reportOf(
            file,
            { result: result ?? "compressed", sourceBytes: facts?.size, compressedBytes: undefined },
            undefined
          )
        )
      )
    })
  )

/** How the worker runs. */
export interface WorkerOptions extends Options {
  /** Runs of all processes are at least so far apart, unless one failed. Default: six hours. */
  readonly throttle?: Duration.DurationInput | undefined
}

/** What became of a run of the worker. */
export type RunReport =
  | { readonly status: "completed"; readonly report: Report }
  /** Another process runs, or did lately; or processes cannot share a home here. */
  | { readonly status: "skipped_already_running" | "skipped_no_runtime" }

/** {@link compress}, unless there was a run lately: marked by a file in the home, counted and timed. */
export const run = (options: WorkerOptions): Effect.Effect<RunReport, InvalidRequest | StoreUnavailable, Environment> =>
  Effect.scoped(
    Effect.gen(function* () {
      const all = yield* Opened.open(options)
      const { clock, machine, root } = all.home
      if (!machine.isShared) {
        yield* Meter.run("skipped_no_runtime")
        return { status: "skipped_no_runtime" as const }
      }
      const claim = yield* Marker.claim(all.home, Duration.toMillis(options.throttle ?? sixHours)).pipe(
        Effect.mapError((error) =>
          error._tag === "StoreUnavailable" ? error : Disk.unavailable("claiming a run of the compressor", root)(error)
        )
      )
      if (claim === undefined) {
        yield* Meter.run("skipped_already_running")
        return { status: "skipped_already_running" as const }
      }
      const begun = clock.unsafeCurrentTimeMillis()
      const ended = (status: "completed" | "failed") =>
        Effect.suspend(() =>
          Effect.zipRight(Meter.run(status), Meter.runDuration(status, clock.unsafeCurrentTimeMillis() - begun))
        )
      yield* Meter.run("started")
      const report = yield* compressIn(all, options).pipe(
        Effect.onExit((exit) =>
          exit._tag === "Success" ? ended("completed") : Effect.zipRight(claim.release, ended("failed"))
        )
      )
      return { status: "completed" as const, report }
    })
  )

/**
 * A worker in the background for as long as the layer lives: a run at once, and one each time that another is due. A run
 * that fails is told in the log.
 */
export const layer = (options: WorkerOptions): Layer.Layer<never, never, Environment> =>
  Layer.scopedDiscard(
    Effect.forkScoped(
      run(options).pipe(
        Effect.catchAll((error) => Effect.logWarning(`compressing cold threads failed: ${error.message}`)),
        Effect.repeat(Schedule.spaced(options.throttle ?? sixHours))
      )
    )
  )

/** A compressed file that was to be made plain. */
export interface DecompressedFile {
  readonly path: string
  readonly threadId: string
  readonly result: "decompressed" | "skipped_in_use" | "failed"
  /** Bytes of the plain file; 0 unless it was made. */
  readonly bytes: number
  /** Why it failed. */
  readonly error: string | undefined
}

/** Which files are made plain. */
export interface DecompressOptions {
  readonly home: string
  /** Only files of these threads. Default: all. */
  readonly threadIds?: ReadonlyArray<string> | undefined
  readonly onFile?: ((file: DecompressedFile, done: number, total: number) => void) | undefined
}

/**
 * Makes cold threads plain, with their times and modes. A damaged file stays as it is and is told. Memory: two frames; of
 * a file of one frame, its content.
 */
export const decompress = (
  options: DecompressOptions
): Effect.Effect<ReadonlyArray<DecompressedFile>, InvalidRequest | StoreUnavailable, Environment> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { home, lanes } = yield* opened(options)
      yield* Recovery.run(lanes)
      yield* home.catalog.walk
      const wanted = options.threadIds === undefined ? undefined : new Set(options.threadIds)
      const files = [...home.catalog.threads()]
        .filter(({ threadId }) => wanted === undefined || wanted.has(threadId))
        .flatMap(({ all }) =>
          all.filter((file) => file.compressed && !all.some(({ path }) => path === CodexHome.logical(file.path)))
        )
        .sort((left, right) => (left.path < right.path ? -1 : 1))
      const done: Array<DecompressedFile> = []
      for (const file of files) {
        const one = yield* lanes.alone(file.threadId, (lane) => makePlain(lanes.tools, lane, file))
        done.push(one)
        options.onFile?.(one, done.length, files.length)
      }
      return done
    })
  )

/** Those of some threads that a home does not have. Cost: a listing of its folders. */
export const missing = (
  home: string,
  threadIds: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>, InvalidRequest | StoreUnavailable, Environment> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { catalog } = (yield* Opened.open({ home })).home
      yield* catalog.walk
      return threadIds.filter((id) => catalog.thread(id) === undefined)
    })
  )

const makePlain = (tools: Lane.Tools, lane: Lane.Lane, file: Rollout): Effect.Effect<DecompressedFile> =>
  Effect.gen(function* () {
    const { home } = tools
    const { path, threadId } = file
    const base = { path, threadId, bytes: 0, error: undefined }
    const isKept = yield* Lease.isKept(home.leases, threadId)
    const held = isKept ? undefined : yield* Lane.acquireFree(tools, lane, "making the thread plain")
    if (held === undefined) return { ...base, result: "skipped_in_use" as const }
    const plain = yield* Cold.materialise(home, file, held, { keepTime: true })
    const facts = yield* Effect.orElseSucceed(Disk.look(home.disk, plain), () => undefined)
    return { ...base, path: plain, result: "decompressed" as const, bytes: facts?.size ?? 0 }
  }).pipe(
    Effect.catchAll((error) =>
      Effect.succeed<DecompressedFile>({
        path: file.path,
        threadId: file.threadId,
        result: "failed",
        bytes: 0,
        error: error.message
      })
    ),
    Effect.ensuring(Lane.giveBack(tools, lane))
  )
