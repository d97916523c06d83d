/** The store of threads that is kept in memory. */
import * as ThreadStore from "@skein/store/ThreadStore"
import type { Layer } from "effect"
import * as MemoryDriver from "./MemoryDriver.js"

/** A store in memory: complete, and gone when its scope is. Appends are safe for as long as the process lives. */
export const layer: Layer.Layer<ThreadStore.ThreadStore> = ThreadStore.layer(MemoryDriver.make)
