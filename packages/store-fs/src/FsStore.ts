/** The store of threads that is kept in files, in the layout of Codex. */
import type { FileSystem, Path } from "@effect/platform"
import type { InvalidRequest, StoreUnavailable } from "@skein/store/StoreError"
import * as ThreadStore from "@skein/store/ThreadStore"
import type { Layer } from "effect"
import * as FsDriver from "./FsDriver.js"

/** How a home is used as a store. */
export type Options = FsDriver.Options

/**
 * The threads of a home. A real Codex home is one; reading changes nothing in it.
 *
 * What Codex writes beside it is noticed, not prevented: before each append, and at each list.
 */
export const layer = (
  options: Options
): Layer.Layer<ThreadStore.ThreadStore, InvalidRequest | StoreUnavailable, FileSystem.FileSystem | Path.Path> =>
  ThreadStore.layer(FsDriver.make(options))
