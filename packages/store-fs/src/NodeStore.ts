/** The store of threads in files over Node's own file system: `FsStore` for hosts that need no other. */
import type { InvalidRequest, StoreUnavailable } from "@skein/store/StoreError"
import type * as ThreadStore from "@skein/store/ThreadStore"
import { Layer } from "effect"
import * as FsStore from "./FsStore.js"
import * as NodeFiles from "./NodeFiles.js"

/** How a home is used as a store. */
export type Options = FsStore.Options

/** The threads of a home; see `FsStore.layer`. */
export const layer = (options: Options): Layer.Layer<ThreadStore.ThreadStore, InvalidRequest | StoreUnavailable> =>
  Layer.provide(FsStore.layer(options), NodeFiles.layer)
