/** `skein world`: the world as the model knows it, or how it came to be that way. */
import * as Fold from "@skein/core/fold/Fold"
import * as ModelContext from "@skein/core/fold/ModelContext"
import type { StoredRecord } from "@skein/core/record/Record"
import type { Diagnostic } from "@skein/store/Diagnostic"
import { ofDamage } from "@skein/store/Diagnostic"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import { Effect } from "effect"
import { compare, type Operation } from "fast-json-patch"
import * as Position from "../Position.js"
import * as Reading from "../Reading.js"
import * as Source from "../Source.js"
import * as Text from "../Text.js"

/** What `skein world --json` prints for a file. */
export interface WorldDocument {
  readonly file: string
  readonly threadId: string | null
  /** The baseline; null when there is none, as behind a compaction. */
  readonly state: unknown
  readonly complete: boolean
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

/** The world state of a file, at its end or at a position. */
export const world = (file: string, at: string | undefined) =>
  Effect.scoped(
    Effect.gen(function* () {
      const opened = yield* Source.open(file)
      const log = at === undefined ? opened : yield* Position.before(opened, at)
      const { context, diagnostics } = yield* Reading.modelContext(log)
      const document: WorldDocument = {
        file,
        threadId: log.meta?.payload.id ?? null,
        state: context.worldState ?? null,
        complete: context.complete.worldState,
        diagnostics
      }
      return document
    })
  )

/** One change of the world state. Applying the operations of all changes in order to `null` gives each state in turn. */
export interface Change {
  readonly file: string
  readonly line: number | null
  readonly offset: number
  readonly timestamp: string
  /** The record that made it. */
  readonly cause: "full" | "patch" | "compacted" | "rollback"
  /** RFC 6902. */
  readonly operations: ReadonlyArray<Operation>
}

/** What `skein world --changes --json` prints for a file. */
export interface ChangesDocument extends WorldDocument {
  readonly changes: ReadonlyArray<Change>
}

/**
 * The history of the world state. Cost: one pass over the whole log, and a scan of the window for each change. Memory:
 * two windows; the whole thread when a rollback reaches further back.
 */
export const changes = (file: string, at: string | undefined) =>
  Effect.scoped(
    Effect.gen(function* () {
      const opened = yield* Source.open(file)
      const log = at === undefined ? opened : yield* Position.before(opened, at)
      const bounded = yield* replay(log, file, "windows")
      const { changes, complete, damaged, state } = bounded.complete ? bounded : yield* replay(log, file, "all")
      const document: ChangesDocument = {
        file,
        threadId: log.meta?.payload.id ?? null,
        state,
        complete: complete && log.whole,
        diagnostics: [...log.diagnostics, ...damaged],
        changes
      }
      return document
    })
  )

/** Follows the state through a log. It is complete if every state on the way was. */
const replay = (log: Source.Log, file: string, keep: "windows" | "all") =>
  Effect.gen(function* () {
    const damaged: Array<Diagnostic> = []
    const found: Array<Change> = []
    const cursor = Fold.cursor(ModelContext.fold({ keep }))
    let state: unknown = null
    let complete = true
    const take: EffectiveLog.Take = (decoded, piece) => {
      const path = log.pieces[piece]?.source.path ?? file
      if (decoded.kind === "damage") damaged.push(ofDamage(path, decoded))
      if (!EffectiveLog.isRecord(decoded)) return true
      cursor.add(decoded)
      const cause = causeOf(decoded)
      if (cause === undefined) return true
      const read = ModelContext.readState(cursor.state())
      complete &&= read.complete.worldState
      const next = read.worldState ?? null
      const operations = between(state, next)
      state = next
      if (operations.length > 0) {
        const { number, offset } = decoded.line
        found.push({ file: path, line: number ?? null, offset, timestamp: decoded.timestamp, cause, operations })
      }
      return true
    }
    yield* EffectiveLog.forward(log, take, { passing: true })
    return { changes: found, complete, damaged, state }
  })

const causeOf = (record: StoredRecord): Change["cause"] | undefined => {
  if (record.kind === "world_state") return record.payload.full ? "full" : "patch"
  if (record.kind === "compacted") return "compacted"
  return record.kind === "event_msg" && record.payload.type === "thread_rolled_back" ? "rollback" : undefined
}

/** The operations that make one state of another. */
export const between = (before: unknown, after: unknown): ReadonlyArray<Operation> => {
  if (before === after) return []
  const replaced = typeof before !== "object" || typeof after !== "object" || before === null || after === null
  if (replaced || Array.isArray(before) !== Array.isArray(after)) {
    return [{ op: "replace", path: "", value: after }]
  }
  return compare(before, after)
}

/** The state for a person. */
export const render = (document: WorldDocument, style: Text.Style): string =>
  Text.lines([
    style.strong(document.file),
    ...(document.state === null
      ? ["  the model has been told nothing of the world since the last compaction or rollback"]
      : JSON.stringify(document.state, null, 2)
          .split("\n")
          .map((line) => `  ${line}`)),
    ...(document.complete ? [] : [style.warn("  not certain: the log was not read whole")]),
    ...Text.diagnostics(document.diagnostics, style)
  ])

/** One line about an operation. */
export const describe = (operation: Operation, style: Text.Style): string =>
  `${style.dim(operation.op.padEnd(8))}${operation.path === "" ? "(everything)" : Text.brief(operation.path)}${
    "value" in operation ? ` ${Text.brief(JSON.stringify(operation.value))}` : ""
  }`

/** The history for a person. */
export const renderChanges = (document: ChangesDocument, style: Text.Style): string =>
  Text.lines([
    style.strong(document.file),
    ...document.changes.flatMap((change) => [
      `  ${change.timestamp}  line ${change.line ?? "?"}, ${change.cause}`,
      ...change.operations.map((operation) => `    ${describe(operation, style)}`)
    ]),
    ...(document.changes.length === 0 ? ["  the log records no world state"] : []),
    ...Text.diagnostics(document.diagnostics, style)
  ])
