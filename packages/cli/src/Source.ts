/** What the reading verbs ask: rollout files by their paths, or the threads of a store by their ids. */
import type { FileSystem, Path } from "@effect/platform"
import * as Record from "@skein/core/record/Record"
import type * as EffectiveLog from "@skein/store/EffectiveLog"
import type * as LineSource from "@skein/store/LineSource"
import type { ReadError } from "@skein/store/StoreError"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import * as CodexHome from "@skein/store-fs/CodexHome"
import type { FileRefused } from "@skein/store-fs/FileError"
import * as RolloutLog from "@skein/store-fs/RolloutLog"
import * as SessionIndex from "@skein/store-fs/SessionIndex"
import { Context, Effect, type Scope } from "effect"

/** Why there is no answer about a file or a thread. */
export type Refused = FileRefused | ReadError

/** A log as verbs read it. */
export type Log = EffectiveLog.EffectiveLog<Refused>

/** Part of what is stored of a thread. */
export interface Part {
  readonly source: LineSource.LineSource<Refused>
  /** Its first readable header. */
  readonly meta: Record.Of<"session_meta"> | undefined
}

/** Where the threads lie that verbs are asked about. `word` is what a user calls one: a path or an id. */
export interface Threads {
  readonly open: (word: string) => Effect.Effect<Log, Refused, FileSystem.FileSystem | Path.Path | Scope.Scope>
  /** The name that the thread of this word and id was given explicitly. */
  readonly nameOf: (
    word: string,
    id: string | undefined
  ) => Effect.Effect<string | undefined, Refused, FileSystem.FileSystem | Path.Path>
  /** All that is stored under a word, also what its log no longer counts. */
  readonly parts: (word: string, log: Log) => Effect.Effect<ReadonlyArray<Part>, Refused, Scope.Scope>
}

const files: Threads = {
  open: (file) => RolloutLog.open(file),
  nameOf: (file, id) =>
    Effect.gen(function* () {
      const home = yield* CodexHome.containing(file)
      if (home === undefined || id === undefined) return undefined
      return SessionIndex.nameOf(yield* SessionIndex.read(home), id)
    }),
  // Older files of the thread are files of their own here.
  parts: (_, { meta, pieces }) => Effect.succeed(pieces.slice(-1).map(({ source }) => ({ source, meta })))
}

/** The threads of a store, archived ones too: who names one means it. */
export const ofStore = (store: ThreadStoreService): Threads => ({
  open: (id) => store.open(id, { includeArchived: true }),
  nameOf: (id) => Effect.scoped(Effect.map(store.exported(id), ({ row }) => row.explicit.name)),
  parts: (id) =>
    Effect.flatMap(store.exported(id), ({ segments }) =>
      Effect.forEach(segments, ({ source }) => Effect.map(headerOf(source), (meta): Part => ({ source, meta })))
    )
})

/** The first readable header of a segment. */
const headerOf = <E>(source: LineSource.LineSource<E>): Effect.Effect<Record.Of<"session_meta"> | undefined, E> =>
  Effect.gen(function* () {
    let meta: Record.Of<"session_meta"> | undefined
    yield* source.forward(
      (line) => {
        const decoded = Record.decode(line, "bare")
        if (decoded.kind === "session_meta") meta = decoded
        return meta === undefined
      },
      { brief: true }
    )
    return meta
  })

/** Where the verbs find threads: in files, unless a store is provided. */
export class Source extends Context.Reference<Source>()("@skein/cli/Source", { defaultValue: () => files }) {}

/** See {@link Threads.open}. */
export const open = (word: string) => Effect.flatMap(Source, (source) => source.open(word))

/** See {@link Threads.nameOf}. */
export const nameOf = (word: string, id: string | undefined) =>
  Effect.flatMap(Source, (source) => source.nameOf(word, id))

/** See {@link Threads.parts}. */
export const parts = (word: string, log: Log) => Effect.flatMap(Source, (source) => source.parts(word, log))
