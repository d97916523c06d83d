/** What the tests of this package share: databases that go with their test, threads of plain lines, and a bare look. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Derived from "@skein/store/Derived"
import type { Batch, Driver, NewThread } from "@skein/store/Driver"
import * as LineSource from "@skein/store/LineSource"
import type { ReadError } from "@skein/store/StoreError"
import Sqlite from "better-sqlite3"
import { Effect, Either, type Scope } from "effect"
import * as SqliteDriver from "../src/SqliteDriver.js"

/** A folder of its own, removed when the scope closes. */
export const folder: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "skein-sqlite-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A path for a database in a folder of its own. */
export const filename: Effect.Effect<string, never, Scope.Scope> = Effect.map(folder, (path) =>
  join(path, "threads.db")
)

/** A driver over a new database. */
export const driver: Effect.Effect<Driver, never, Scope.Scope> = Effect.flatMap(filename, (path) =>
  Effect.orDie(SqliteDriver.make({ filename: path, durability: "os" }))
)

/** Runs a test in a scope. */
export const run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(effect))

/** The n-th id. */
export const id = (n: number): string => `019c2b10-7a00-7c00-8000-${n.toString(16).padStart(12, "0")}`

const encoder = new TextEncoder()

/** A line of text. */
export const line = (text: string): Uint8Array => encoder.encode(text)

/** A header as a line. */
export const header = (threadId: string, more: Readonly<Record<string, unknown>> = {}): Uint8Array =>
  line(
    JSON.stringify({
      timestamp: "2026-11-20T12:00:00.000Z",
      type: "session_meta",
      payload: {
        id: threadId,
        timestamp: "2026-11-20T12:00:00.000Z",
        cwd: "/repo",
        originator: "test",
        cli_version: "0.1.0",
        source: "cli",
        model_provider: "openai",
        ...more
      }
    })
  )

/** A user's message as a line. */
export const said = (text: string): Uint8Array =>
  line(
    JSON.stringify({
      timestamp: "2026-11-20T12:00:01.000Z",
      type: "event_msg",
      payload: { type: "user_message", message: text }
    })
  )

/** A thread of lines, not derived. */
export const thread = (
  threadId: string,
  lines: ReadonlyArray<Uint8Array>,
  more: Partial<NewThread> = {}
): NewThread => ({
  threadId,
  historyMode: "legacy",
  segment: {
    segmentId: threadId,
    base: undefined,
    content: LineSource.ofLines(lines),
    nextOrdinal: undefined,
    madeAt: 1_700_000_000_000
  },
  derived: undefined,
  explicit: {},
  archivedAt: undefined,
  ...more
})

/** A batch of lines that changes nothing derived. */
export const batch =
  (...lines: ReadonlyArray<Uint8Array>): Batch =>
  () =>
    Either.right({ lines, derive: (before) => before })

/** Appends lines wherever the log ends. */
export const append = (to: Driver, threadId: string, ...lines: ReadonlyArray<Uint8Array>) =>
  to.append({ threadId, expected: "any", fence: undefined, batches: [batch(...lines)] })

/** The lines of a source. */
export const linesOf = (
  source: LineSource.LineSource<ReadError>,
  direction: "forward" | "backward" = "forward",
  range?: LineSource.Range
) =>
  Effect.gen(function* () {
    const lines: Array<{ readonly offset: number; readonly bytes: Uint8Array; readonly number: number | undefined }> =
      []
    yield* source[direction](({ bytes, number, offset }) => lines.push({ offset, bytes, number }) > 0, range)
    return lines
  })

/** All lines of a thread's log as texts, piece by piece. */
export const texts = (of: Driver, threadId: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* of.open(threadId)
      const all: Array<ReadonlyArray<string>> = []
      for (const { source, to } of log.pieces) {
        const lines = yield* linesOf(source, "forward", { to })
        all.push(lines.map(({ bytes }) => new TextDecoder().decode(bytes)))
      }
      return all
    })
  )

/** A row with the summary of a thread that was spoken to. */
export const derived = (more: Partial<Derived.Derived["summary"]> = {}): Derived.Derived => ({
  ...Derived.empty,
  createdAt: 1_700_000_000_000,
  summary: { ...Derived.empty.summary, preview: "Hello", title: "Hello", firstUserMessage: "Hello", ...more }
})

/** Does something to a database behind the back of the driver. */
export const bare = <A>(path: string, does: (db: Sqlite.Database) => A): A => {
  const db = new Sqlite(path)
  try {
    return does(db)
  } finally {
    db.close()
  }
}

/** A value that a test relies on. */
export const there = <A>(value: A | undefined): A => {
  if (value === undefined) throw new Error("it is not there")
  return value
}
