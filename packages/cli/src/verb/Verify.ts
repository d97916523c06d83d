/** `skein verify`: every problem of a file, or of every rollout in a folder. */
import { FileSystem, type Path } from "@effect/platform"
import type * as Jsonl from "@skein/core/record/Jsonl"
import type { RawLine } from "@skein/core/record/Jsonl"
import * as Ordinal from "@skein/core/record/Ordinal"
import * as Record from "@skein/core/record/Record"
import type { Diagnostic } from "@skein/store/Diagnostic"
import { ofDamage } from "@skein/store/Diagnostic"
import * as CodexHome from "@skein/store-fs/CodexHome"
import type { FileRefused } from "@skein/store-fs/FileError"
import { Effect } from "effect"
import type { Progress } from "../Output.js"
import * as Source from "../Source.js"
import * as Text from "../Text.js"

/** What `skein verify --json` prints for a file. */
export interface VerifyDocument {
  readonly file: string
  readonly threadId: string | null
  /** Bytes of content, decoded. */
  readonly bytes: number
  /** Lines that are not blank. */
  readonly lines: number
  /** Lines that came to a record. */
  readonly records: number
  readonly problems: ReadonlyArray<Diagnostic>
}

/** What a path stands for. */
export interface Files {
  readonly files: ReadonlyArray<string>
  /** Folders that cannot be listed. */
  readonly unlisted: ReadonlyArray<FileRefused>
}

/** The rollout files that a path stands for: itself, or those below a folder. */
export const files = (path: string): Effect.Effect<Files, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.stat(path).pipe(
      Effect.map((info) => info.type === "Directory"),
      Effect.orElseSucceed(() => false)
    )
    if (!folder) return { files: [path], unlisted: [] }
    const unlisted: Array<FileRefused> = []
    const found = yield* CodexHome.below(path, 12, (refused) => unlisted.push(refused))
    return { files: found.map((one) => one.path), unlisted }
  })

/**
 * Reads every line of a file, or of all segments of a stored thread, and tells what is wrong with it. Cost: one pass;
 * memory: the longest line.
 */
export const verify = (
  file: string,
  progress: Progress = () => undefined
): Effect.Effect<VerifyDocument, Source.Refused, FileSystem.FileSystem | Path.Path> =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* Source.open(file)
      const parts = yield* Source.parts(file, log)
      const problems: Array<Diagnostic> = []
      const bytes = parts.reduce((sum, { source }) => sum + source.size, 0)
      let lines = 0
      let records = 0
      let before = 0
      let calls = 0
      for (const { meta, source } of parts) {
        const look = examiner(source.path, meta, problems)
        const each: Jsonl.TakeLine = (line, text) => {
          if ((++calls & 1023) === 0) progress(before + line.offset, bytes)
          return look.line(line, text())
        }
        yield* source.forward(each, { passing: true })
        lines += look.lines()
        records += look.records()
        before += source.size
      }
      progress(bytes, bytes)
      // What a store noticed at the end of a file was found here with the number of its line.
      const others = log.diagnostics.filter(
        (one) => !problems.some(({ code, path }) => code === one.code && path === one.path)
      )
      return {
        file,
        threadId: log.meta?.payload.id ?? null,
        bytes,
        lines,
        records,
        problems: [...others, ...problems]
      }
    })
  )

/** Takes the lines of a file one by one and pushes what is wrong with them. */
export const examiner = (path: string, header: Record.Of<"session_meta"> | undefined, problems: Array<Diagnostic>) => {
  // Without a header nobody knows whether there should be ordinals.
  const paginated = header === undefined ? undefined : header.payload.history_mode === "paginated"
  const form = Record.formOf(header)
  const pass = Ordinal.forward()
  let lines = 0
  let records = 0
  let last: number | undefined
  const note = (line: RawLine, code: Diagnostic["code"], message: string) =>
    problems.push({ severity: "warning", code, path, line: line.number, offset: line.offset, message })
  return {
    lines: () => lines,
    records: () => records,
    line: (line: RawLine, text?: string | undefined): boolean => {
      const decoded = pass(Record.decode(line, form, text))
      if (decoded.kind === "blank") return true
      lines++
      if (!line.terminated) {
        note(line, "no-final-newline", "the last line has no line feed; a writer must add one before it appends")
      }
      if (decoded.kind === "damage") {
        problems.push(ofDamage(path, decoded))
        return true
      }
      records++
      if (decoded.kind === "unknown" && decoded.payload.level !== "marker") {
        const { level, name } = decoded.payload
        note(line, "unknown-kind", `${level} of unknown kind ${JSON.stringify(name)}; kept, but not understood`)
      }
      if (decoded.inexact)
        note(line, "inexact-number", "a whole number beyond 2^53 - 1; views round it, the line keeps it")
      const { ordinal } = decoded
      if (ordinal === undefined) {
        if (paginated === true) note(line, "ordinal-missing", "no ordinal in a paginated thread")
      } else if (paginated === false) note(line, "ordinal-unexpected", "an ordinal in a thread that is not paginated")
      else {
        if (last !== undefined && ordinal !== last + 1) {
          note(line, "ordinal-gap", `ordinal ${ordinal} follows ${last}; records count in the order of their lines`)
        }
        last = ordinal
      }
      return true
    }
  }
}

/** The document for a person. */
export const render = (document: VerifyDocument, style: Text.Style): string => {
  const { problems } = document
  const verdict = problems.length === 0 ? style.good("good") : style.bad(Text.plural(problems.length, "problem"))
  return Text.lines([
    `${style.strong(document.file)}: ${Text.plural(document.records, "record")}, ${Text.bytes(document.bytes)}, ${verdict}`,
    ...Text.diagnostics(problems, style)
  ])
}
