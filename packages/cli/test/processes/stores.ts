/** The stores that several processes can use at once. */
import type { ThreadStore } from "@skein/store/ThreadStore"
import * as NodeStore from "@skein/store-fs/NodeStore"
import * as SqliteStore from "@skein/store-sqlite/SqliteStore"
import { Layer } from "effect"

/** The store of an address: `fs:<folder>` or `sqlite:<file>`. Killing a process needs no syncs to disk. */
export const layerOf = (address: string): Layer.Layer<ThreadStore> => {
  const at = address.slice(address.indexOf(":") + 1)
  const layer = address.startsWith("sqlite:")
    ? SqliteStore.layer({ filename: at, durability: "os" })
    : NodeStore.layer({ home: at, durability: "os" })
  return Layer.orDie(layer)
}
