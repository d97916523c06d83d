/** The store in memory is held to the contract; over one driver it can be opened again, and twice at once. */
import type { Driver } from "@skein/store/Driver"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as Faults from "@skein/testing/Faults"
import * as ThreadStoreContract from "@skein/testing/ThreadStoreContract"
import { Context, Layer } from "effect"
import * as MemoryDriver from "../src/MemoryDriver.js"
import * as MemoryStore from "../src/MemoryStore.js"

/** The memory that a store keeps its threads in. */
class Memory extends Context.Tag("Memory")<Memory, Driver>() {}

ThreadStoreContract.suite({
  name: "memory",
  storage: Layer.effect(Memory, MemoryDriver.make),
  layer: ThreadStore.layer(Faults.inject(Memory)),
  model: MemoryStore.layer,
  skip: { files: "nothing lies anywhere", backup: "there is nothing to copy" }
})
