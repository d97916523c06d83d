/**
 * The effective log of a rollout: what its file inherits from its bases, and then its own lines.
 *
 * A file may stand on another one of the same home (`history_base`, rollout-format §3.1 and since-july), and that one
 * on a third. A base that is missing or part of a circle is reported, and the log then begins where it can.
 */
import type { FileSystem, Path } from "@effect/platform"
import type { RawLine } from "@skein/core/record/Jsonl"
import * as Ordinal from "@skein/core/record/Ordinal"
import type { Decoded, StoredRecord } from "@skein/core/record/Record"
import * as Record from "@skein/core/record/Record"
import type { HistoryBase, SessionMeta } from "@skein/core/record/SessionMeta"
import * as Sniff from "@skein/core/record/Sniff"
import { Effect, type Scope, Stream } from "effect"
import * as CodexHome from "./CodexHome.js"
import type { Diagnostic } from "./Diagnostic.js"
import { FileRefused } from "./FileError.js"
import * as RolloutFile from "./RolloutFile.js"

/** One file's part of an effective log. */
export interface Piece {
  readonly file: RolloutFile.RolloutFile
  readonly meta: Record.Of<"session_meta"> | undefined
  /** Offset behind the last line that counts. */
  readonly to: number
  /** Set when the end is an ordinal and not an offset: records from this ordinal on do not count. */
  readonly below: number | undefined
}

/** A log as its readers see it. */
export interface EffectiveLog {
  /** Oldest first; the last one is the file that was asked for. */
  readonly pieces: ReadonlyArray<Piece>
  /** The thread's own header: the first readable `session_meta` of the file that was asked for. */
  readonly meta: Record.Of<"session_meta"> | undefined
  /** Whether every base was found. */
  readonly whole: boolean
  /** What was noticed about the files as such. */
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

/**
 * Opens the effective log of a rollout file for as long as the scope lasts.
 *
 * Fails for a file that is none, is empty, or is kept in an unknown history mode (fail closed, rollout-format §2.1).
 * Cost: the first line of each file of the chain; one listing of the home when there is a base.
 */
export const open = (
  path: string,
  options: RolloutFile.Options = {}
): Effect.Effect<EffectiveLog, FileRefused, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const file = yield* RolloutFile.open(path, options)
    const meta = yield* header(file)
    const diagnostics: Array<Diagnostic> = []
    if (file.damagedAt !== undefined) diagnostics.push(compressionDamage(file))
    if (meta === undefined) {
      diagnostics.push({
        ...noticed(path, "no-session-meta", "error"),
        message: "no line says which thread this is (session_meta); its records are read all the same"
      })
    }
    const own: Piece = { file, meta, to: file.size, below: undefined }
    const { pieces, whole } = yield* inherited(own, options, diagnostics)
    return { pieces: [...pieces, own], meta, whole, diagnostics }
  })

/** The log up to an offset of one of its pieces. */
export const cut = (log: EffectiveLog, piece: number, to: number): EffectiveLog => ({
  ...log,
  pieces: log.pieces.slice(0, piece + 1).map((one, i) => (i === piece ? { ...one, to: Math.min(to, one.to) } : one))
})

/** Takes a decoded line and the index of the piece that it stands in; false ends the reading. */
export type Take = (decoded: Decoded, piece: number) => boolean

/**
 * The raw lines of a log in order, a chunk's worth at a time, with the index of their piece. Lines of a base that lie
 * behind its end are not among them.
 */
export const lines = (
  log: EffectiveLog
): Stream.Stream<{ readonly piece: number; readonly lines: ReadonlyArray<RawLine> }, FileRefused> =>
  Stream.flatMap(Stream.fromIterable(log.pieces.entries()), ([piece, one]) =>
    Stream.map(RolloutFile.forward(one.file, { to: one.to }), (batch) => ({ piece, lines: batch }))
  )

/**
 * Feeds the decoded lines of a log in order: the thread's own header first, as in a fork that was copied whole, then
 * what it inherits, then its own lines. Each line is decoded when its turn comes, so nothing is held for it.
 */
export const forward = (log: EffectiveLog, take: Take): Effect.Effect<void, FileRefused> =>
  Effect.suspend(() => {
    const pass = Ordinal.forward()
    const own = log.pieces.length - 1
    const first = own > 0 ? log.meta : undefined
    if (first !== undefined && !take(first, own)) return Effect.void
    return Stream.runForEachWhile(lines(log), ({ piece, lines: batch }) =>
      Effect.sync(() => {
        const { below, meta } = log.pieces[piece] as Piece
        const form = Record.formOf(meta)
        for (const line of batch) {
          if (piece === own && first !== undefined && line.offset === first.line.offset) continue
          const decoded = Record.decode(line, form)
          if (below !== undefined && isFrom(decoded, below)) continue
          if (!take(pass(decoded), piece)) return false
        }
        return true
      })
    )
  })

/**
 * Feeds the decoded lines of a log from the last to the first until `take` has enough. Gives where it stopped: the
 * part of the log that was not read, or undefined when all was.
 */
export const backward = (log: EffectiveLog, take: Take): Effect.Effect<EffectiveLog | undefined, FileRefused> =>
  Effect.gen(function* () {
    const pass = Ordinal.backward()
    for (let piece = log.pieces.length - 1; piece >= 0; piece--) {
      const one = log.pieces[piece] as Piece
      const form = Record.formOf(one.meta)
      let offset = one.to
      let going = true
      const step = (line: RawLine): boolean => {
        const older = Record.decode(line, form)
        offset = line.offset
        if (one.below !== undefined && isFrom(older, one.below)) return true
        for (const decoded of pass(older)) if (!take(decoded, piece)) return false
        return true
      }
      yield* Stream.runForEachWhile(RolloutFile.backward(one.file, { to: one.to }), (batch) =>
        Effect.sync(() => {
          for (const line of batch) {
            going = step(line)
            if (!going) return false
          }
          return true
        })
      )
      if (!going) return cut(log, piece, offset)
    }
    for (const decoded of pass(undefined)) take(decoded, 0)
    return undefined
  })

/** Whether a record lies at or behind an ordinal. */
const isFrom = (decoded: Decoded, ordinal: number): boolean =>
  decoded.kind !== "damage" && decoded.kind !== "blank" && decoded.ordinal !== undefined && decoded.ordinal >= ordinal

/** The first readable `session_meta` of a file. Other lines are passed over by their first bytes. */
const header = (file: RolloutFile.RolloutFile): Effect.Effect<Record.Of<"session_meta"> | undefined, FileRefused> =>
  Effect.gen(function* () {
    let found: Record.Of<"session_meta"> | undefined
    let refused: string | undefined
    let blank = true
    const look = (line: RawLine): boolean => {
      const head = Sniff.head(line.bytes)
      if (head !== undefined && head.type !== "session_meta") {
        blank = false
        return true
      }
      const decoded = Record.decode(line, blank ? "bare" : "enveloped")
      if (decoded.kind !== "blank") blank = false
      if (decoded.kind === "damage" && decoded.reason === "unknown-history-mode") refused = decoded.detail
      if (decoded.kind === "session_meta") found = decoded
      return found === undefined && refused === undefined
    }
    yield* Stream.runForEachWhile(RolloutFile.forward(file), (batch) => Effect.sync(() => batch.every(look)))
    if (refused !== undefined) {
      return yield* Effect.fail(
        new FileRefused({
          path: file.path,
          reason: "unknown-history-mode",
          detail: refused,
          advice: "A newer version wrote this thread; read it with that version or a newer Skein."
        })
      )
    }
    if (blank) {
      return yield* Effect.fail(
        new FileRefused({
          path: file.path,
          reason: "empty",
          detail: "the file is empty",
          advice: "A thread that was never written to has nothing to answer."
        })
      )
    }
    return found
  })

interface Inherited {
  readonly pieces: ReadonlyArray<Piece>
  readonly whole: boolean
}

const inherited = (
  own: Piece,
  options: RolloutFile.Options,
  diagnostics: Array<Diagnostic>
): Effect.Effect<Inherited, FileRefused, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    let base = baseOf(own.meta?.payload)
    if (base === undefined) return { pieces: [], whole: true }
    const home = yield* CodexHome.containing(own.file.path)
    if (home === undefined) {
      diagnostics.push({
        ...noticed(own.file.path, "base-outside-home", "error"),
        message: `the thread continues ${base.thread_id}, but the file lies in no home (a folder with sessions/)`
      })
      return { pieces: [], whole: false }
    }
    const among = yield* CodexHome.rollouts(home)
    const pieces: Array<Piece> = []
    const visited = new Set([own.file.path])
    let from = own.file.path
    while (base !== undefined) {
      const found = CodexHome.baseFile(among, base.thread_id)
      if (found === undefined || visited.has(found.path)) {
        diagnostics.push(
          found === undefined
            ? {
                ...noticed(from, "missing-base", "error"),
                message: `it continues ${base.thread_id}, of which there is no file in ${home}`
              }
            : { ...noticed(from, "cyclic-base", "error"), message: `it continues ${found.path}, which continues it` }
        )
        return { pieces, whole: false }
      }
      visited.add(found.path)
      const file = yield* RolloutFile.open(found.path, options)
      const meta = yield* header(file)
      if (file.damagedAt !== undefined) diagnostics.push(compressionDamage(file))
      pieces.unshift({ file, meta, ...(yield* endOf(file, base, diagnostics)) })
      from = found.path
      base = baseOf(meta?.payload)
    }
    return { pieces, whole: true }
  })

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
    yield* Stream.runForEachWhile(RolloutFile.backward(file, { to }), (batch) => Effect.sync(() => batch.every(look)))
    return ordinal
  })

const compressionDamage = (file: RolloutFile.RolloutFile): Diagnostic => ({
  ...noticed(file.path, "zstd-damaged", "error"),
  offset: file.size,
  message: `the compressed file makes no sense from its byte ${file.damagedAt} on; ${file.size} bytes of content were read`
})

const noticed = (path: string, code: Diagnostic["code"], severity: Diagnostic["severity"]) => ({
  severity,
  code,
  path,
  line: undefined,
  offset: undefined
})

/** Whether a line came to a record. */
export const isRecord = (decoded: Decoded): decoded is StoredRecord =>
  decoded.kind !== "damage" && decoded.kind !== "blank"
