/** The logs of threads as readers of a store get them. */
import type { Diagnostic } from "@skein/store/Diagnostic"
import type { StoredSegment } from "@skein/store/Driver"
import type * as EffectiveLog from "@skein/store/EffectiveLog"
import * as LineSource from "@skein/store/LineSource"
import { type ReadError, ThreadNotFound, UnsupportedHistoryMode } from "@skein/store/StoreError"
import { Effect, type Scope } from "effect"
import * as CodexHome from "../CodexHome.js"
import * as RolloutFile from "../RolloutFile.js"
import * as RolloutLog from "../RolloutLog.js"
import * as Catalog from "./Catalog.js"
import * as Header from "./Header.js"
import type { Home } from "./Home.js"
import * as Homes from "./Home.js"
import * as Intents from "./Intents.js"
import * as Standing from "./Standing.js"
import type * as Tail from "./Tail.js"

/** How often a file is looked for that went away before it was opened. */
const tries = 8

/** The log of a thread up to its last line that counts; see `Driver.open`. */
export const open = (
  home: Home,
  standings: Standing.Standings,
  threadId: string
): Effect.Effect<EffectiveLog.EffectiveLog<ReadError>, ReadError, Scope.Scope> =>
  attempt(home, standings, threadId, tries)

const attempt = (
  home: Home,
  standings: Standing.Standings,
  threadId: string,
  left: number
): Effect.Effect<EffectiveLog.EffectiveLog<ReadError>, ReadError, Scope.Scope> =>
  Effect.gen(function* () {
    const { facts, files } = yield* Homes.find(home, threadId)
    const before = home.catalog.revision()
    const opened = yield* Effect.either(rolloutLog(home, files.head))
    if (opened._tag === "Left") {
      const { reason } = opened.left
      if (reason === "missing" && left > 0) {
        yield* home.catalog.walk
        return yield* attempt(home, standings, threadId, left - 1)
      }
      if (reason === "unknown-history-mode") {
        const opening = yield* Effect.orElseSucceed(standings.opening(files.head.path, facts), () => Standing.unread)
        return yield* Effect.fail(new UnsupportedHistoryMode({ threadId, historyMode: opening.historyMode }))
      }
      return yield* Effect.fail(Standing.readError(threadId, opened.left))
    }
    const log = opened.right
    // Its newest file is the last that a deletion takes away; what that stands on is gone by then, or an heir's part of it.
    if (!log.whole && (yield* Intents.isDeleting(home, threadId))) {
      return yield* Effect.fail(new ThreadNotFound({ threadId }))
    }
    if (log.diagnostics.some(({ code }) => code === "missing-base") && left > 0) {
      // It may lie in a folder that nobody expected it in, or be moved from one to another in this very moment.
      yield* home.catalog.walk
      const isMoved = home.catalog.revision() !== before
      // Once more in any case: what failed once need not fail again.
      if (isMoved || left === tries) return yield* attempt(home, standings, threadId, left - 1)
    }
    if (log.whole) home.incomplete.delete(threadId)
    else home.incomplete.add(threadId)
    const own = log.pieces.at(-1)
    if (own === undefined) return yield* Effect.fail(new ThreadNotFound({ threadId }))
    const tail = yield* standings
      .tail(files.head, own.source, false)
      .pipe(Effect.mapError((error) => (error._tag === "FileRefused" ? Standing.readError(threadId, error) : error)))
    const diagnostics = [...log.diagnostics, ...noticed(own.source.path, tail), ...files.duplicates.map(duplicate)]
    const pieces = log.pieces.map((piece) => (piece === own ? { ...piece, to: tail.end } : piece))
    return withReadErrors(threadId, { ...log, pieces, diagnostics })
  })

const noticed = (path: string, { end, state }: Tail.Tail): ReadonlyArray<Diagnostic> => {
  const place = { path, line: undefined, offset: end }
  switch (state) {
    case "torn":
      return [
        {
          ...place,
          severity: "error",
          code: "torn",
          message: "the last line was cut off while it was written; it is left out"
        }
      ]
    case "unfinished":
      return [
        {
          ...place,
          severity: "warning",
          code: "unfinished-batch",
          message: "an append was cut off here; nobody was told that it was done, and it is left out"
        }
      ]
    case "unended":
      return [{ ...place, severity: "warning", code: "no-final-newline", message: "no line feed ends the last line" }]
    default:
      return []
  }
}

const duplicate = ({ path, threadId }: Catalog.Rollout): Diagnostic => ({
  severity: "warning",
  code: "duplicate-file",
  path,
  line: undefined,
  offset: undefined,
  message: `there is another file of thread ${threadId} that counts; this one is left out`
})

/** All segments of a thread; see `Driver.segments`. */
export const segments = (
  home: Home,
  standings: Standing.Standings,
  threadId: string
): Effect.Effect<ReadonlyArray<StoredSegment>, ReadError, Scope.Scope> =>
  Effect.gen(function* () {
    const { files } = yield* Homes.find(home, threadId)
    const found: Array<StoredSegment> = []
    for (const file of files.segments) {
      const opened = yield* RolloutFile.open(file.path, { decodedLimit: home.decodedLimit }).pipe(
        Effect.provide(home.context),
        Effect.mapError((error) => Standing.readError(threadId, error))
      )
      const source = withErrors(threadId, RolloutFile.source(opened))
      const header = yield* Header.read(source)
      // A torn line is damage, and a copy keeps it; a batch that was not finished is nothing. One of an older segment was.
      const tail = file === files.head ? yield* standings.tail(file, source, false) : undefined
      const size = tail?.state === "unfinished" ? tail.end : source.size
      found.push({
        segmentId: Catalog.segmentId(file),
        base: Header.base(header),
        source: LineSource.upTo(source, size),
        madeAt: CodexHome.momentOf(file.time)
      })
    }
    return found
  })

/** The log of one file, with what it stands on, as readers of the store get it. */
export const ofFile = (
  home: Home,
  file: Catalog.Rollout
): Effect.Effect<EffectiveLog.EffectiveLog<ReadError>, ReadError, Scope.Scope> =>
  Effect.map(rolloutLog(home, file), (log) => withReadErrors(file.threadId, log)).pipe(
    Effect.mapError((error) => Standing.readError(file.threadId, error))
  )

/** The same with the errors of files. */
const rolloutLog = (home: Home, file: Catalog.Rollout) =>
  RolloutLog.open(file.path, {
    decodedLimit: home.decodedLimit,
    baseFile: (id) => home.catalog.base(id, file.threadId)
  }).pipe(Effect.provide(home.context))

/** A log of files as one of the store. */
const withReadErrors = (threadId: string, log: RolloutLog.RolloutLog): EffectiveLog.EffectiveLog<ReadError> => ({
  ...log,
  pieces: log.pieces.map((piece) => ({ ...piece, source: withErrors(threadId, piece.source) }))
})

/** A source of a file as one of the store. */
const withErrors = (
  threadId: string,
  source: RolloutLog.RolloutLog["pieces"][number]["source"]
): LineSource.LineSource<ReadError> => ({
  ...source,
  forward: (take, range) =>
    Effect.mapError(source.forward(take, range), (error) => Standing.readError(threadId, error)),
  backward: (take, range) =>
    Effect.mapError(source.backward(take, range), (error) => Standing.readError(threadId, error))
})
