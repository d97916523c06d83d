/**
 * What a storage can let the contract suite see of itself, beyond the store: services that the `storage` layer of a suite
 * may provide.
 */
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Context, type Effect, type Scope } from "effect"

/** A look at the files of a storage. */
export interface FilesService {
  /** A stamp of each path that holds something of a thread, which changes when its content or time of change does. */
  readonly list: Effect.Effect<Readonly<Record<string, string>>>
  /** Takes a thread's files away, as if somebody had moved them; gives what puts them back. */
  readonly hide: (threadId: string) => Effect.Effect<Effect.Effect<void>>
}

/** For stores of files. */
export class Files extends Context.Tag("@skein/testing/Hooks/Files")<Files, FilesService>() {}

/** Backups of a storage, of stores that make them. */
export interface BackupsService {
  /** A path where a backup can be written. */
  readonly path: Effect.Effect<string>
  /** Opens a backup. */
  readonly open: (path: string) => Effect.Effect<ThreadStoreService, unknown, Scope.Scope>
}

/** For stores whose capabilities say that they make backups. */
export class Backups extends Context.Tag("@skein/testing/Hooks/Backups")<Backups, BackupsService>() {}
