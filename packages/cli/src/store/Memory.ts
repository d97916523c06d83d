/** A store that is empty and goes away with the command. */
import * as ThreadStore from "@skein/store/ThreadStore"
import * as MemoryDriver from "@skein/store-memory/MemoryDriver"
import { Effect } from "effect"

export const open = Effect.flatMap(MemoryDriver.make, ThreadStore.make)
