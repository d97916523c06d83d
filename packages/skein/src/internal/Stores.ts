/** The store that a host names. The code of a store is loaded when one of its kind is opened. */
import * as Address from "@skein/store/Address"
import { InvalidRequest } from "@skein/store/StoreError"
import type { ThreadStore } from "@skein/store/ThreadStore"
import { Effect, Either, Layer } from "effect"

type StoreLayer = Layer.Layer<ThreadStore, unknown>

/** The layer of a store. Errors: `InvalidRequest` for a word that names none. */
export const layer = (named: string | StoreLayer): Effect.Effect<StoreLayer, InvalidRequest> => {
  if (Layer.isLayer(named)) return Effect.succeed(named as StoreLayer)
  const address = Address.parse(String(named))
  if (Either.isLeft(address)) {
    return Effect.fail(
      new InvalidRequest({ field: "store", reason: address.left, advice: "For example sqlite:threads.db." })
    )
  }
  return Effect.promise(() => load(address.right))
}

const load = async ({ kind, path }: Address.Address): Promise<StoreLayer> => {
  switch (kind) {
    case "memory":
      return (await import("@skein/store-memory/MemoryStore")).layer
    case "sqlite":
      return (await import("@skein/store-sqlite/SqliteStore")).layer({ filename: path })
    case "fs":
      return (await import("@skein/store-fs/NodeStore")).layer({ home: path })
  }
}
