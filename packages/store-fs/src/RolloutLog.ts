/**
 * A rollout file and everything it stands on in its home, as one log.
 */
import { type FileSystem, Path } from "@effect/platform"
import type { RawLine } from "@skein/core/record/Jsonl"
import * as Record from "@skein/core/record/Record"
import type { HistoryBase, SessionMeta } from "@skein/core/record/SessionMeta"
import type { Diagnostic } from "@skein/store/Diagnostic"
import type * as EffectiveLog from "@skein/store/EffectiveLog"
import { Effect, type Scope } from "effect"
import * as CodexHome from "./CodexHome.js"
import { FileRefused } from "./FileError.js"
import * as Header from "./internal/Header.js"
import * as RolloutFile from "./RolloutFile.js"

/** The effective log of a rollout file. */
export type RolloutLog = EffectiveLog.EffectiveLog<FileRefused>

type Piece = EffectiveLog.Piece<FileRefused>

/** How logs are opened. */
export interface Options extends RolloutFile.Options {
  /** The rollouts of the home, when they are known: bases are then looked for among these, without a listing. */
  readonly among?: ReadonlyArray<CodexHome.Found> | undefined
  /** The file that an id names as a base, for whoever knows the home better than a list does. */
  readonly baseFile?: ((id: string) => CodexHome.Found | undefined) | undefined
}

/**
 * Opens the effective log of a rollout file for as long as the scope lasts.
 *
 * Fails for a file that is none, is empty, or is kept in an unknown history mode (fail closed, rollout-format §2.1).
 * Cost: the first line of each file of the chain; one listing of the home when there is a base.
 */
export const open = (
  path: string,
  options: Options = {}
): Effect.Effect<RolloutLog, FileRefused, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const file = yield* RolloutFile.open(path, options)
    const meta = yield* header(file)
    const diagnostics: Array<Diagnostic> = []
    diagnostics.push(...compressionDamage(file))
    if (meta === undefined) {
      diagnostics.push({
        ...noticed(path, "no-session-meta", "error"),
        message: "no line says which thread this is (session_meta); its records are read all the same"
      })
    }
    const own: Piece = {
      segmentId: segmentOf(path, meta),
      source: RolloutFile.source(file),
      meta,
      to: file.size,
      below: undefined
    }
    const { pieces, whole } = yield* inherited(own, options, diagnostics)
    return { pieces: [...pieces, own], meta, whole, diagnostics }
  })

/** The first readable `session_meta` of a file; refuses a file that is not to be read as a log, or that holds none. */
const header = (file: RolloutFile.RolloutFile): Effect.Effect<Record.Of<"session_meta"> | undefined, FileRefused> =>
  Effect.gen(function* () {
    const { isEmpty, meta, unknownMode } = yield* Header.read(RolloutFile.source(file))
    if (unknownMode !== undefined) {
      return yield* Effect.fail(
        new FileRefused({
          path: file.path,
          reason: "unknown-history-mode",
          detail: `history_mode ${JSON.stringify(unknownMode)} is not known`,
          advice: "A newer version wrote this thread; read it with that version or a newer Skein."
        })
      )
    }
    if (isEmpty && file.damagedAt !== undefined) {
      return yield* Effect.fail(
        new FileRefused({
          path: file.path,
          reason: "zstd-damaged",
          detail: `nothing of it can be read: it makes no sense from its byte ${file.damagedAt} on`,
          advice: "Check that the file is complete."
        })
      )
    }
    if (isEmpty) {
      return yield* Effect.fail(
        new FileRefused({
          path: file.path,
          reason: "empty",
          detail: "the file is empty",
          advice: "A thread that was never written to has nothing to answer."
        })
      )
    }
    return meta
  })

interface Inherited {
  readonly pieces: ReadonlyArray<Piece>
  readonly whole: boolean
}

const inherited = (
  own: Piece,
  options: Options,
  diagnostics: Array<Diagnostic>
): Effect.Effect<Inherited, FileRefused, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    let base = baseOf(own.meta?.payload)
    if (base === undefined) return { pieces: [], whole: true }
    const home = yield* CodexHome.containing(own.source.path)
    if (home === undefined && options.baseFile === undefined) {
      diagnostics.push({
        ...noticed(own.source.path, "base-outside-home", "error"),
        message: `the thread continues ${base.thread_id}, but the file lies in no home (a folder with sessions/)`
      })
      return { pieces: [], whole: false }
    }
    const unlisted: Array<string> = []
    const among =
      options.baseFile === undefined
        ? (options.among ?? (yield* CodexHome.rollouts(home ?? "", ({ path }) => unlisted.push(path))))
        : []
    const baseFile = options.baseFile ?? ((id) => CodexHome.baseFile(among, id))
    const pieces: Array<Piece> = []
    let whole = true
    const paths = yield* Path.Path
    // A file is the same whether it is named by a relative path or not, and compressed or not.
    const nameOf = (path: string): string => paths.resolve(path).replace(/\.zst$/, "")
    const visited = new Set([nameOf(own.source.path)])
    let from = own.source.path
    while (base !== undefined) {
      const found = baseFile(base.thread_id)
      if (found === undefined || visited.has(nameOf(found.path))) {
        diagnostics.push(
          found === undefined
            ? {
                ...noticed(from, "missing-base", "error"),
                message:
                  `it continues ${base.thread_id}, of which there is no file in ${home ?? "the home"}` +
                  (unlisted.length === 0 ? "" : `, as far as it can be listed: ${unlisted.join(", ")} cannot be`)
              }
            : { ...noticed(from, "cyclic-base", "error"), message: `it continues ${found.path}, which continues it` }
        )
        return { pieces, whole: false }
      }
      visited.add(nameOf(found.path))
      const opened = yield* Effect.either(
        Effect.flatMap(RolloutFile.open(found.path, options), (file) =>
          Effect.map(header(file), (meta) => ({ file, meta }))
        )
      )
      if (opened._tag === "Left") {
        // What is not to be read fails closed; of what cannot be read, the rest is there all the same.
        if (opened.left.reason === "unknown-history-mode") return yield* Effect.fail(opened.left)
        diagnostics.push({
          ...noticed(from, "missing-base", "error"),
          message: `it continues ${found.path}, which cannot be read: ${opened.left.detail}`
        })
        return { pieces, whole: false }
      }
      const { file, meta } = opened.right
      diagnostics.push(...compressionDamage(file))
      if (base.end_byte_offset > file.size) whole = false
      pieces.unshift({
        segmentId: segmentOf(found.path, meta),
        source: RolloutFile.source(file),
        meta,
        ...(yield* endOf(file, base, diagnostics))
      })
      from = found.path
      base = baseOf(meta?.payload)
    }
    return { pieces, whole }
  })

/** The id of the segment in a file: what its name says; of a file with another name, its thread's. */
const segmentOf = (path: string, meta: Record.Of<"session_meta"> | undefined): string => {
  const name = CodexHome.parseName(path.slice(path.lastIndexOf("/") + 1))
  return name?.segmentId ?? name?.threadId ?? meta?.payload.id ?? path
}

const baseOf = (meta: SessionMeta | undefined): HistoryBase | undefined => meta?.history_base ?? undefined

/**
 * Where a base ends. The byte offset counts if it is the end of a line; else the ordinal does (design: where the two
 * disagree, the offset wins if it is a line end).
 */
const endOf = (
  file: RolloutFile.RolloutFile,
  base: HistoryBase,
  diagnostics: Array<Diagnostic>
): Effect.Effect<Pick<Piece, "to" | "below">, FileRefused> =>
  Effect.gen(function* () {
    const { end_byte_offset: offset, end_ordinal_exclusive: ordinal } = base
    if (offset > file.size) {
      diagnostics.push({
        ...noticed(file.path, "base-too-short", "error"),
        offset: file.size,
        message: `a thread continues it at byte ${offset}, but it has only ${file.size}`
      })
      return { to: file.size, below: ordinal }
    }
    const before = offset === 0 ? undefined : yield* file.read(offset - 1, 1)
    if (before !== undefined && before[0] !== 0x0a && offset !== file.size) {
      diagnostics.push({
        ...noticed(file.path, "base-offset-inside-line", "warning"),
        offset,
        message: `a thread continues it at byte ${offset}, inside a line; its ordinal ${ordinal} counts instead`
      })
      return { to: file.size, below: ordinal }
    }
    const last = yield* lastOrdinal(file, offset)
    if (last !== undefined && last + 1 !== ordinal) {
      diagnostics.push({
        ...noticed(file.path, "base-offset-mismatch", "warning"),
        offset,
        message: `a thread continues it at byte ${offset} and ordinal ${ordinal}, but the record there has ${last}; the offset counts`
      })
    }
    return { to: offset, below: undefined }
  })

/** The ordinal of the newest readable record before an offset. */
const lastOrdinal = (file: RolloutFile.RolloutFile, to: number): Effect.Effect<number | undefined, FileRefused> =>
  Effect.gen(function* () {
    let ordinal: number | undefined
    const look = (line: RawLine): boolean => {
      const decoded = Record.decode(line)
      if (decoded.kind === "damage" || decoded.kind === "blank") return true
      ordinal = decoded.ordinal
      return false
    }
    yield* RolloutFile.backward(file, look, { to })
    return ordinal
  })

/** What is known to be wrong with a compressed file before its lines are read. */
const compressionDamage = (file: RolloutFile.RolloutFile): ReadonlyArray<Diagnostic> => [
  ...(file.damagedAt === undefined
    ? []
    : [
        {
          ...noticed(file.path, "zstd-damaged", "error"),
          offset: file.size,
          message: `the compressed file makes no sense from its byte ${file.damagedAt} on; ${file.size} bytes of content were read`
        }
      ]),
  ...(file.tableDamage === undefined
    ? []
    : [
        {
          ...noticed(file.path, "seek-table-damaged", "warning"),
          message: `the table of the compressed file's frames is damaged: ${file.tableDamage}; the frames are read without it`
        }
      ])
]

const noticed = (path: string, code: Diagnostic["code"], severity: Diagnostic["severity"]) => ({
  severity,
  code,
  path,
  line: undefined,
  offset: undefined
})
