/**
 * The effective log of a rollout: what its file inherits from its bases, and then its own lines.
 *
 * A file may stand on another one of the same home (`history_base`, rollout-format §3.1 and since-july), and that one
 * on a third. A base that is missing or part of a circle is reported, and the log then begins where it can.
 */
import { type FileSystem, Path } from "@effect/platform"
import type { RawLine, TakeLine, TextOf } from "@skein/core/record/Jsonl"
import * as LineMemory from "@skein/core/record/LineMemory"
import * as Ordinal from "@skein/core/record/Ordinal"
import type { Decoded, StoredRecord } from "@skein/core/record/Record"
import * as Record from "@skein/core/record/Record"
import type { HistoryBase, SessionMeta } from "@skein/core/record/SessionMeta"
import * as Sniff from "@skein/core/record/Sniff"
import { Effect, type Scope } from "effect"
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
  /** Whether every base was found and reaches as far as the file that stands on it says. */
  readonly whole: boolean
  /** What was noticed about the files as such. */
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

/** How logs are opened. */
export interface Options extends RolloutFile.Options {
  /** The rollouts of the home, when they are known: bases are then looked for among these, without a listing. */
  readonly among?: ReadonlyArray<CodexHome.Found> | undefined
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

/**
 * Hands on the raw lines of a log in order, with the index of their piece, until `take` wants no more. Gives whether it
 * took them all. Lines of a base that lie behind its end are not among them. The bytes of a line last only until `take`
 * returns: their memory is used again.
 */
export const lines = (
  log: EffectiveLog,
  take: (line: RawLine, piece: number, text: TextOf) => boolean
): Effect.Effect<boolean, FileRefused> =>
  Effect.gen(function* () {
    for (const [piece, { file, to, below }] of log.pieces.entries()) {
      const hand: TakeLine = (line, text) =>
        (below !== undefined && isFrom(Record.decode(line), below)) || take(line, piece, text)
      if (!(yield* RolloutFile.forward(file, hand, { to, passing: true }))) return false
    }
    return true
  })

/** Takes a decoded line and the index of the piece that it stands in; false ends the reading. */
export type Take = (decoded: Decoded, piece: number) => boolean

/** Whether a line with this head, and these bytes, is to be decoded. Lines without a head always are. */
export type Wants = (head: Sniff.Head, bytes: Uint8Array) => boolean

/** How a log is read forward. */
export interface Reading {
  /** When given, lines with a head that it does not want are passed over and not decoded. */
  readonly wants?: Wants | undefined
  /**
   * Whether records are let go of at once, as when they are folded: the bytes of a line then last only until `take`
   * returns. Otherwise they are copied, which costs about a tenth of parsing them.
   */
  readonly passing?: boolean | undefined
}

/**
 * Hands on the decoded lines of a log in order: the thread's own header first, as in a fork that was copied whole, then
 * what it inherits, then its own lines. Gives whether `take` took them all. The header of a log that was cut in front
 * of it stands in no piece: its index is -1.
 */
export const forward = (log: EffectiveLog, take: Take, reading: Reading = {}): Effect.Effect<boolean, FileRefused> =>
  Effect.suspend(() => {
    const { passing = false, wants } = reading
    const own = log.pieces.findIndex(({ meta }) => meta !== undefined && meta === log.meta)
    const first = own === 0 ? undefined : log.meta
    if (first !== undefined && !take(first, own)) return Effect.succeed(false)
    const forms = log.pieces.map(({ meta }) => Record.formOf(meta))
    // Ordinals repeat within a file; where files meet, offsets say what counts.
    const passes = log.pieces.map(() => passingOver())
    const memory = LineMemory.make()
    const each = (line: RawLine, piece: number, text: TextOf): boolean => {
      const form = forms[piece]
      const pass = passes[piece] as ReturnType<typeof passingOver>
      if (piece === own && first !== undefined && line.offset === first.line.offset) {
        pass.decoded(first, form)
        return true
      }
      const head = wants === undefined || !line.terminated ? undefined : Sniff.head(line.bytes)
      if (head !== undefined && wants?.(head, line.bytes) === false) {
        pass.over(line, head.ordinal, form)
        return true
      }
      // Its bytes would not outlast this call, but whoever takes a record may keep it.
      const kept = passing ? line : outlasting(line, memory)
      return take(pass.decoded(Record.decode(kept, form, text()), form), piece)
    }
    return lines(log, each)
  })

/** A copy of a line. */
const outlasting = (line: RawLine, memory: LineMemory.LineMemory): RawLine => {
  const from = memory.add(line.bytes)
  return { ...line, bytes: LineMemory.bytesAt(memory.block(), from, line.bytes.length) }
}

const unnumbered: Ordinal.Skipped = { kind: "skipped", ordinal: undefined }

/**
 * Holds a line that was passed over until the next one shows whether it has to be decoded after all: where two lines
 * have one ordinal, the first *readable* one counts.
 */
const passingOver = () => {
  const pass = Ordinal.forward()
  let held: { readonly line: RawLine; readonly ordinal: number } | undefined
  let memory = new Uint8Array(4096)
  /** A copy of a line, in memory that the next one takes again. */
  const copy = (line: RawLine): RawLine => {
    const { length } = line.bytes
    if (memory.length < length) memory = new Uint8Array(length * 2)
    memory.set(line.bytes)
    return { ...line, bytes: memory.subarray(0, length) }
  }
  /** Lets go of the line that is held, in front of one with this ordinal. */
  const settle = (next: number | undefined, form: Record.Form | undefined): void => {
    if (held === undefined) return
    const { line, ordinal } = held
    held = undefined
    const before = next === ordinal ? pass(Record.decode(line, form)) : pass({ kind: "skipped", ordinal })
    // Of a record that is kept only the ordinal will be asked for, not its bytes.
    if (before.kind !== "skipped" && isRecord(before)) pass({ kind: "skipped", ordinal })
  }
  return {
    over: (line: RawLine, ordinal: number | undefined, form: Record.Form | undefined): void => {
      settle(ordinal, form)
      if (ordinal === undefined) pass(unnumbered)
      else held = { line: copy(line), ordinal }
    },
    decoded: (decoded: Decoded, form: Record.Form | undefined): Decoded => {
      if (isRecord(decoded)) settle(decoded.ordinal, form)
      return pass(decoded)
    }
  }
}

/**
 * Hands on the decoded lines of a log from the last to the first until `take` has enough. Gives the part of the log
 * that was not handed on, or undefined when all was.
 *
 * @param wants When given, lines with a head that it does not want are passed over and not decoded.
 */
export const backward = (
  log: EffectiveLog,
  take: Take,
  wants?: Wants
): Effect.Effect<EffectiveLog | undefined, FileRefused> =>
  Effect.gen(function* () {
    for (let piece = log.pieces.length - 1; piece >= 0; piece--) {
      const { below, file, meta, to } = log.pieces[piece] as Piece
      const form = Record.formOf(meta)
      const pass = Ordinal.backward()
      const hand = (all: ReadonlyArray<Decoded>): boolean => all.every((decoded) => take(decoded, piece))
      // The newest record that was read waits for the one in front of it, so it is not handed on yet.
      let held: StoredRecord | undefined
      let unread = to
      const step: TakeLine = (line, text) => {
        const head = wants === undefined || !line.terminated ? undefined : Sniff.head(line.bytes)
        const unwanted = head !== undefined && wants?.(head, line.bytes) === false
        // With the ordinal of the record behind it, it is decoded all the same: only a readable line comes first.
        const repeated = head?.ordinal !== undefined && head.ordinal === held?.ordinal
        const older = unwanted && !repeated ? undefined : Record.decode(line, form, text())
        if (older === undefined || (unwanted && isRecord(older))) {
          held = undefined
          unread = line.offset
          return hand(pass({ kind: "skipped", ordinal: head?.ordinal }))
        }
        if (below !== undefined && isFrom(older, below)) return true
        if (isRecord(older)) {
          held = older
          unread = line.offset + line.bytes.length + 1
        } else if (held === undefined) unread = line.offset
        return hand(pass(older))
      }
      if (!(yield* RolloutFile.backward(file, step, { to }))) return cut(log, piece, unread)
      if (!hand(pass(undefined)) && piece > 0) return cut(log, piece - 1, log.pieces[piece - 1]?.to ?? 0)
    }
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
    yield* RolloutFile.forward(file, look, { brief: true })
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
    if (blank && file.damagedAt !== undefined) {
      return yield* Effect.fail(
        new FileRefused({
          path: file.path,
          reason: "zstd-damaged",
          detail: `nothing of it can be read: it makes no sense from its byte ${file.damagedAt} on`,
          advice: "Check that the file is complete."
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
  options: Options,
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
    const among = options.among ?? (yield* CodexHome.rollouts(home))
    const pieces: Array<Piece> = []
    let whole = true
    const paths = yield* Path.Path
    // A file is the same whether it is named by a relative path or not, and compressed or not.
    const nameOf = (path: string): string => paths.resolve(path).replace(/\.zst$/, "")
    const visited = new Set([nameOf(own.file.path)])
    let from = own.file.path
    while (base !== undefined) {
      const found = CodexHome.baseFile(among, base.thread_id)
      if (found === undefined || visited.has(nameOf(found.path))) {
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
      visited.add(nameOf(found.path))
      const file = yield* RolloutFile.open(found.path, options)
      const meta = yield* header(file)
      if (file.damagedAt !== undefined) diagnostics.push(compressionDamage(file))
      if (base.end_byte_offset > file.size) whole = false
      pieces.unshift({ file, meta, ...(yield* endOf(file, base, diagnostics)) })
      from = found.path
      base = baseOf(meta?.payload)
    }
    return { pieces, whole }
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
    yield* RolloutFile.backward(file, look, { to })
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
