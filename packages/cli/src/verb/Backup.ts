/** `skein backup`: a copy of a database, made while it is used. */
import { FileSystem } from "@effect/platform"
import { InvalidRequest } from "@skein/store/StoreError"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect } from "effect"
import * as Text from "../Text.js"

/** What `skein backup --json` prints. */
export interface BackupDocument {
  readonly store: string
  readonly to: string
  readonly bytes: number
}

/** Copies a store to a path where nothing lies yet. */
export const backup = (store: ThreadStoreService, name: string, to: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if (!store.supports.backup) {
      return yield* Effect.fail(
        new InvalidRequest({
          field: "--store",
          reason: `${name} cannot be copied as a whole while it is used`,
          advice: `Copy its threads: skein copy --from ${name} --to sqlite:<file>`
        })
      )
    }
    if (yield* fs.exists(to).pipe(Effect.orElseSucceed(() => true))) {
      return yield* Effect.fail(
        new InvalidRequest({
          field: "--to",
          reason: `there is something at ${to} already, or it may not be looked at`,
          advice: "Nothing is overwritten; name another path."
        })
      )
    }
    yield* store.backup(to)
    const { size } = yield* fs.stat(to).pipe(Effect.orElseSucceed(() => ({ size: 0 })))
    const document: BackupDocument = { store: name, to, bytes: Number(size) }
    return document
  })

/** The document for a person. */
export const render = ({ bytes, store, to }: BackupDocument): string =>
  Text.lines([`${store} is backed up in ${to}, ${Text.bytes(bytes)}`])
