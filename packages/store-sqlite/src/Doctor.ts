/**
 * What is wrong with the database of a store, and how as much of it as possible is saved.
 *
 * A store is the only place where its threads are. So a damaged file is never written to: what can be read of it goes
 * into a new one that takes its place, and the old one is kept.
 */
import { copyFile, link, open, rename, rm, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import * as Derived from "@skein/store/Derived"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import { StoreUnavailable } from "@skein/store/StoreError"
import type { RowQuery } from "@skein/store/SummaryQuery"
import { Clock, Duration, Effect, Either, Option } from "effect"
import * as Checks from "./internal/Checks.js"
import * as Database from "./internal/Database.js"
import * as Fault from "./internal/Fault.js"
import * as Files from "./internal/Files.js"
import * as Logs from "./internal/Logs.js"
import * as Mending from "./internal/Mending.js"
import * as Migrator from "./internal/Migrator.js"
import * as Rows from "./internal/Rows.js"
import * as Salvage from "./internal/Salvage.js"
import * as Schemas from "./internal/Schemas.js"
import * as Threads from "./internal/Threads.js"

/** One thing that was found. `error`: something is lost or wrong; `warning`: it can be made right; `info`: no fault. */
export type Finding = Checks.Finding

/** What a repair could not save, or not as it was. */
export type Loss = Mending.Loss

/** Which database, and how thoroughly. */
export interface Options {
  readonly filename: string
  /** Whether every log is folded and compared with what lists show of it. Cost: reading all of it. Default false. */
  readonly thorough?: boolean | undefined
  /** How long other processes are waited for. Default 5 seconds. */
  readonly patience?: Duration.DurationInput | undefined
}

/** What a repair did. */
export interface Repaired {
  /** What was wrong before. */
  readonly findings: ReadonlyArray<Finding>
  /** Where the database as it was is kept; undefined when nothing was done. */
  readonly backup: string | undefined
  readonly losses: ReadonlyArray<Loss>
}

const opened = ({ filename, patience }: Options, more: Partial<Database.Options> = {}) =>
  Database.open({
    filename,
    durability: "fsync",
    patience: Duration.toMillis(patience ?? "5 seconds"),
    create: false,
    applicationId: Schemas.store.applicationId,
    ...more
  })

const isDamage = ({ cause }: StoreUnavailable): boolean => Fault.kindOf(cause) === "corrupt"

/**
 * Looks for what is wrong. Changes nothing, and may be done while the store is used. Fails only when the file cannot be
 * opened for another reason than damage, or is no store. Cost: one pass over the file.
 */
export const check = (options: Options): Effect.Effect<ReadonlyArray<Finding>, StoreUnavailable> =>
  Effect.scoped(
    Effect.gen(function* () {
      const database = yield* Effect.either(opened(options))
      if (Either.isLeft(database)) {
        if (!isDamage(database.left)) return yield* Effect.fail(database.left)
        return [unreadable(`${options.filename} is no database any more`)]
      }
      const known = yield* Effect.either(Migrator.identify(database.right))
      if (Either.isLeft(known)) {
        if (!isDamage(known.left)) return yield* Effect.fail(known.left)
        return [unreadable("the list of its tables cannot be read")]
      }
      const found = yield* Checks.all(database.right)
      const isReadable = !found.some(({ code }) => code === "unreadable")
      return options.thorough === true && isReadable ? [...found, ...(yield* folded(database.right))] : found
    })
  )

const unreadable = (message: string): Finding => ({ severity: "error", code: "unreadable", message })

/** Threads of which lists show something else than their logs say. */
const folded = (database: Database.Database): Effect.Effect<ReadonlyArray<Finding>, StoreUnavailable> =>
  Effect.gen(function* () {
    const rows = Rows.rows(database, Threads.states())
    const behind = new Set((yield* rows.lagging()).map(({ threadId }) => threadId))
    const found: Array<Finding> = []
    for (const { derived, historyMode, threadId } of yield* rows.rows(everything)) {
      if (behind.has(threadId) || Derived.knownMode(historyMode) === undefined) continue
      const log = yield* Effect.option(fold(database, threadId))
      if (Option.isSome(log) && !isDeepStrictEqual(plain(log.value), plain(derived))) {
        const message = `what lists show of thread ${threadId} is not what its log says`
        found.push({ severity: "warning", code: "stale", threadId, message })
      }
    }
    return found
  })

/** Without keys that are undefined. */
const plain = (derived: Derived.Derived): unknown => JSON.parse(JSON.stringify(derived))

const everything: RowQuery = {
  limit: Number.MAX_SAFE_INTEGER,
  sortKey: "createdAt",
  direction: "asc",
  after: undefined,
  sources: undefined,
  modelProviders: undefined,
  unnamedProvider: true,
  cwds: undefined,
  archived: "any",
  searchTerm: undefined,
  relation: undefined,
  metadata: {},
  hidden: true
}

const fold = (database: Database.Database, threadId: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* Logs.reading(database).open(threadId)
      let state = Derived.empty
      yield* EffectiveLog.forward(log, (decoded) => {
        if (EffectiveLog.isRecord(decoded)) state = Derived.fold.step(state, decoded)
        return true
      })
      return state
    })
  )

/** What needs a new file to be made right. */
const structural: ReadonlySet<Checks.Code> = new Set([
  "unreadable",
  "broken-reference",
  "gap",
  "stray-lines",
  "unreadable-metadata"
])

/**
 * Makes right what can be. Rows of lists that are stale are folded anew; a file with damage is replaced by a new one
 * with everything that could be read, and nobody else gets in meanwhile. What was there is kept in a folder beside it
 * first. Bases that are missing stay so: there is nothing to make them of.
 */
export const repair = (options: Options): Effect.Effect<Repaired, StoreUnavailable> =>
  Effect.gen(function* () {
    const findings = yield* check(options)
    const stale = findings.filter(({ code }) => code === "stale")
    if (findings.some(({ code }) => structural.has(code))) return { findings, ...(yield* rebuild(options)) }
    if (stale.length === 0) return { findings, backup: undefined, losses: [] }
    return { findings, ...(yield* refresh(options, stale)) }
  })

type Done = Omit<Repaired, "findings">

/** Has rows folded again before the next list. */
const refresh = (options: Options, stale: ReadonlyArray<Finding>): Effect.Effect<Done, StoreUnavailable> =>
  Effect.scoped(
    Effect.gen(function* () {
      const backup = yield* folderFor(options.filename)
      const database = yield* opened(options)
      yield* database.copy(join(backup, basename(options.filename)))
      yield* database.write("doctor", (sql) =>
        Effect.forEach(
          stale,
          ({ threadId = "" }) => sql.run("UPDATE threads SET lags = 1, reached = NULL WHERE id = ?", [threadId]),
          { discard: true }
        )
      )
      return { backup, losses: [] }
    })
  )

/** Puts everything that can be read into a new file, and that in the place of the old one. */
const rebuild = (options: Options): Effect.Effect<Done, StoreUnavailable> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { filename } = options
      const backup = yield* folderFor(filename)
      yield* disk(filename, () => keep(filename, backup))
      const fresh = `${filename}.repairing`
      yield* disk(filename, () => removeAll(fresh))
      yield* Effect.addFinalizer(() => Effect.ignore(disk(filename, () => removeAll(fresh))))
      yield* Effect.scoped(
        Effect.flatMap(opened({ ...options, filename: fresh }, { create: true }), (database) =>
          Migrator.migrate(database, Schemas.store)
        )
      )
      const old = yield* opened(options, { exclusive: true }).pipe(
        Effect.catchIf(isDamage, () => beheaded(options, backup, fresh))
      )
      const losses = yield* Effect.scoped(
        Effect.gen(function* () {
          const database = yield* opened({ ...options, filename: fresh })
          yield* Salvage.salvage(old, database)
          const losses = yield* Mending.mend(database)
          const saved = yield* database.read("doctor", (sql) => sql.first("SELECT 1 FROM segments LIMIT 1"))
          return saved === undefined ? yield* Effect.fail(hopeless(filename, backup)) : losses
        })
      )
      const rest = (yield* check({ ...options, filename: fresh, thorough: false })).find(({ code }) =>
        structural.has(code)
      )
      if (rest !== undefined) return yield* Effect.fail(hopeless(filename, backup, rest))
      yield* disk(filename, () => replace(filename, fresh))
      return { backup, losses }
    })
  )

const hopeless = (filename: string, backup: string, finding?: Finding): StoreUnavailable =>
  new StoreUnavailable({
    operation: "doctor",
    reason:
      finding === undefined ? "nothing of it can be read any more" : `what was saved does not fit: ${finding.message}`,
    advice: `Nothing was changed. The file is also kept in ${backup}; look for an older copy of it.`,
    retryable: false,
    paths: [filename]
  })

const disk = <A>(filename: string, does: () => Promise<A>): Effect.Effect<A, StoreUnavailable> =>
  Effect.tryPromise({
    try: does,
    catch: (cause) =>
      new StoreUnavailable({
        operation: "doctor",
        reason: `the disk did not do it: ${String(cause)}`,
        advice: "Check permissions and room in the folder of the database; nothing was replaced.",
        retryable: false,
        paths: [filename],
        cause
      })
  })

/** A new folder beside the database for what it was like before. */
const folderFor = (filename: string): Effect.Effect<string, StoreUnavailable> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    disk(filename, () => Files.freshFolder(dirname(filename), `${basename(filename)}.backup-${Math.floor(now / 1000)}`))
  )

/**
 * Keeps the files as they are. By other names for them where that can be: a process that opens and closes a database's
 * file as such gives up the locks that it has on it.
 */
const keep = async (filename: string, folder: string): Promise<void> => {
  for (const file of Fault.filesOf(filename).slice(0, 2)) {
    const to = join(folder, basename(file))
    if (await isThere(file)) await link(file, to).catch(() => copyFile(file, to))
  }
}

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false
  )

const removeAll = async (filename: string): Promise<void> => {
  for (const file of Fault.filesOf(filename)) await rm(file, { force: true })
}

/** The old journal goes before the new file comes: read together they would make nonsense. */
const replace = async (filename: string, fresh: string): Promise<void> => {
  for (const file of Fault.filesOf(filename).slice(1)) await rm(file, { force: true })
  await rename(fresh, filename)
  const folder = await open(dirname(filename), "r")
  await folder.sync().finally(() => folder.close())
}

/**
 * A file that does not begin as a database: a copy of it that does, with the first bytes of a new one. Its list of free
 * pages is left out, and its size is what it has.
 */
const beheaded = (options: Options, folder: string, fresh: string) =>
  Effect.gen(function* () {
    const { filename } = options
    const copy = join(folder, "headed.db")
    yield* Effect.addFinalizer(() => Effect.ignore(disk(filename, () => removeAll(copy))))
    yield* disk(filename, async () => {
      const header = Buffer.alloc(100)
      const made = await open(fresh, "r")
      await made.read(header, 0, 100, 0).finally(() => made.close())
      const pageSize = header.readUInt16BE(16)
      await copyFile(filename, copy)
      if (await isThere(`${filename}-wal`)) await copyFile(`${filename}-wal`, `${copy}-wal`)
      header.writeUInt32BE(Math.floor((await stat(copy)).size / pageSize), 28)
      header.fill(0, 32, 40)
      const file = await open(copy, "r+")
      await file.write(header, 0, 100, 0).finally(() => file.close())
    })
    return yield* opened({ ...options, filename: copy }, { exclusive: true }).pipe(
      Effect.catchIf(isDamage, () => Effect.fail(hopeless(filename, folder)))
    )
  })
