/** Which store a command is about: `fs:<folder>`, `sqlite:<file>`, or `memory:` for one that is empty and goes away. */
import { FileSystem, type Path } from "@effect/platform"
import { type Address, format, forms } from "@skein/store/Address"
import { type InvalidRequest, StoreUnavailable } from "@skein/store/StoreError"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Either, type Scope } from "effect"

export { type Address, format, parse } from "@skein/store/Address"

/** How a store is opened. */
export interface Options {
  /** Whether it is made when it is not there; else that is an error. */
  readonly create?: boolean | undefined
  /** Whether it is going to be changed. */
  readonly writes?: boolean | undefined
  /** Whether it is going to be asked for lists, so that what is remembered of it pays. */
  readonly lists?: boolean | undefined
}

/** What opening a store needs, and for how long it stays open. */
export type Environment = FileSystem.FileSystem | Path.Path | Scope.Scope

/**
 * Opens a store until the scope closes. A folder or file that is not there, or is the other of the two, fails with
 * `StoreUnavailable`. The code of a store is loaded when one of its kind is opened.
 */
export const open = (
  address: Address,
  options: Options = {}
): Effect.Effect<ThreadStoreService, InvalidRequest | StoreUnavailable, Environment> =>
  Effect.gen(function* () {
    yield* present(address, options)
    switch (address.kind) {
      case "fs":
        return yield* (yield* Effect.promise(() => import("./store/Files.js"))).open(address.path, options)
      case "sqlite":
        return yield* (yield* Effect.promise(() => import("./store/Database.js"))).open(address.path)
      case "memory":
        return yield* (yield* Effect.promise(() => import("./store/Memory.js"))).open
    }
  })

/** Whether anything lies at an address; a store in memory is always there. */
export const exists = ({ kind, path }: Address): Effect.Effect<boolean, never, FileSystem.FileSystem> =>
  kind === "memory"
    ? Effect.succeed(true)
    : Effect.flatMap(FileSystem.FileSystem, (fs) =>
        fs.stat(path).pipe(
          Effect.as(true),
          // What cannot be looked at is told when it is opened.
          Effect.catchAll((error) => Effect.succeed(!(error._tag === "SystemError" && error.reason === "NotFound")))
        )
      )

/** Fails unless something that can be a store of its kind lies at an address, or nothing and it may be made. */
export const present = (
  address: Address,
  { create = false }: Options = {}
): Effect.Effect<void, StoreUnavailable, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { kind, path } = address
    if (kind === "memory") return
    const wanted = kind === "fs" ? "Directory" : "File"
    const refuse = (reason: string, advice: string, cause?: unknown) =>
      Effect.fail(
        new StoreUnavailable({
          operation: `open ${format(address)}`,
          reason,
          advice,
          retryable: false,
          paths: [path],
          cause
        })
      )
    const found = yield* Effect.either(fs.stat(path))
    if (Either.isRight(found)) {
      if (found.right.type === wanted) return
      return yield* found.right.type === "Directory"
        ? refuse("it is a folder, not a database", `A folder of rollouts is fs:${path}.`)
        : refuse(`it is no ${kind === "fs" ? "folder" : "regular file"}`, `Name one, as in ${forms}.`)
    }
    const reason = found.left._tag === "SystemError" ? found.left.reason : undefined
    if (reason === "NotFound") {
      if (create) return
      return yield* refuse(`there is no such ${kind === "fs" ? "folder" : "file"}`, "Check the path.")
    }
    return yield* reason === "PermissionDenied"
      ? refuse("it may not be looked at", "Check the permissions of its folders.", found.left)
      : refuse(found.left.message, "Check the path and the disk.", found.left)
  })
