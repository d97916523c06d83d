/** `skein tree`: the threads of a home or a store as a forest of agents. */
import { FileSystem, Path } from "@effect/platform"
import * as Timestamp from "@skein/core/record/Timestamp"
import * as Every from "@skein/store/Every"
import type { Summary } from "@skein/store/Summary"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import * as CodexHome from "@skein/store-fs/CodexHome"
import type { Reason } from "@skein/store-fs/FileError"
import * as FileError from "@skein/store-fs/FileError"
import { FileRefused } from "@skein/store-fs/FileError"
import * as RolloutLog from "@skein/store-fs/RolloutLog"
import * as SessionIndex from "@skein/store-fs/SessionIndex"
import { Effect } from "effect"
import * as Output from "../Output.js"
import * as Agents from "./Agents.js"
import * as Verify from "./Verify.js"

/**
 * The forest of a home's agents.
 *
 * Cost: one pass over the newest file of each thread and what it continues, in which few lines are decoded. Memory: a
 * summary for each thread.
 */
export const tree = (home: string) =>
  Effect.gen(function* () {
    const { among, unlisted } = yield* rolloutsOf(home)
    const names = yield* SessionIndex.read(home)
    const threads = yield* Effect.forEach(newestOf(among), (found) => inFile(found, among, names))
    return Agents.documentOf(
      home,
      threads,
      unlisted.map((refused) => Output.refusal(refused.path, refused))
    )
  })

/** The forest of a store's agents. Cost: as for a home. */
export const ofStore = (name: string, store: ThreadStoreService) =>
  Effect.gen(function* () {
    const threads = yield* Effect.forEach(yield* Every.summaries(store), (summary) => inStore(store, summary))
    return Agents.documentOf(name, threads, [])
  })

const inStore = (store: ThreadStoreService, row: Summary): Effect.Effect<Agents.Thread> => {
  const { archivedAt, createdAt, id, name, path } = row
  const known = { id, file: path ?? null, name, archived: archivedAt !== undefined }
  return Effect.scoped(
    Effect.gen(function* () {
      const log = yield* store.open(id, { includeArchived: true })
      const { agent, summary } = yield* Agents.read(log)
      const named = { ...agent, id, createdAt: agent.createdAt ?? createdAt }
      return { ...known, agent: named, summary, refused: undefined, diagnostics: log.diagnostics }
    })
  ).pipe(Effect.catchAll((refused) => Effect.succeed({ ...known, ...Agents.unread(id, createdAt), refused })))
}

interface Listing {
  readonly among: ReadonlyArray<CodexHome.Found>
  readonly unlisted: ReadonlyArray<FileRefused>
}

/** The rollouts of a home, or those below any other folder. */
const rolloutsOf = (home: string): Effect.Effect<Listing, FileRefused, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const { type } = yield* fs.stat(home).pipe(
      Effect.mapError(FileError.ofSystem(home)),
      Effect.mapError((refused) =>
        refused.reason === "missing" ? notAHome(home, "missing", "there is no such folder") : refused
      )
    )
    if (type !== "Directory") return yield* Effect.fail(notAHome(home, "not-a-folder", "it is no folder"))
    const unlisted: Array<FileRefused> = []
    const inHome = yield* CodexHome.rollouts(home, (refused) => unlisted.push(refused))
    if (inHome.length > 0) return { among: inHome, unlisted }
    const { files, unlisted: others } = yield* Verify.files(home)
    const among = files.flatMap((path) => {
      const name = CodexHome.parseName(paths.basename(path))
      return name === undefined ? [] : [{ ...name, path }]
    })
    return { among, unlisted: others.length > 0 ? others : unlisted }
  })

const notAHome = (path: string, reason: Reason, detail: string): FileRefused =>
  new FileRefused({
    path,
    reason,
    detail,
    advice: "Name a Codex home: a folder with sessions/ in it, such as ~/.codex."
  })

/** The file that stands for each thread: of several the newest one, by time and then by segment (since-july). */
export const newestOf = (among: ReadonlyArray<CodexHome.Found>): ReadonlyArray<CodexHome.Found> => {
  const newest = new Map<string, CodexHome.Found>()
  for (const found of among) {
    const known = newest.get(found.threadId)
    if (known === undefined || keyOf(found) > keyOf(known)) newest.set(found.threadId, found)
  }
  return [...newest.values()]
}

const keyOf = ({ compressed, segmentId, time }: CodexHome.Found): string =>
  `${time} ${segmentId ?? ""} ${compressed ? 0 : 1}`

const inFile = (
  found: CodexHome.Found,
  among: ReadonlyArray<CodexHome.Found>,
  names: SessionIndex.Names
): Effect.Effect<Agents.Thread, never, FileSystem.FileSystem | Path.Path> => {
  const known = { file: found.path, archived: /[\\/]archived_sessions[\\/]/.test(found.path) }
  const named = (id: string) => ({ ...known, id, name: SessionIndex.nameOf(names, id) })
  return Effect.scoped(
    Effect.gen(function* () {
      const log = yield* RolloutLog.open(found.path, { among })
      const { agent, summary } = yield* Agents.read(log)
      const id = agent.id ?? found.threadId
      return {
        ...named(id),
        agent: { ...agent, id, createdAt: agent.createdAt ?? Timestamp.parse(found.time) },
        summary,
        refused: undefined,
        diagnostics: log.diagnostics
      }
    })
  ).pipe(
    Effect.catchAll((refused) =>
      Effect.succeed({
        ...named(found.threadId),
        ...Agents.unread(found.threadId, Timestamp.parse(found.time)),
        refused
      })
    )
  )
}
