/** The store of threads in one SQLite file. */
import type { StoreUnavailable } from "@skein/store/StoreError"
import * as ThreadStore from "@skein/store/ThreadStore"
import type { Layer } from "effect"
import * as SqliteDriver from "./SqliteDriver.js"

/** The store in a file, for as long as the layer lives. See {@link SqliteDriver.Options}. */
export const layer = (options: SqliteDriver.Options): Layer.Layer<ThreadStore.ThreadStore, StoreUnavailable> =>
  ThreadStore.layer(SqliteDriver.make(options))
