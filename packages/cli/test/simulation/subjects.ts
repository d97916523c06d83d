/** What is simulated: the store of files as it is, with the engine as a host over it, and stores with a promise broken. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Threads from "@skein/engine/Threads"
import type { Driver } from "@skein/store/Driver"
import { Machine } from "@skein/store/Machine"
import * as ThreadIndex from "@skein/store/ThreadIndex"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as Doctor from "@skein/store-fs/Doctor"
import * as FsDriver from "@skein/store-fs/FsDriver"
import type { Host, Subject } from "@skein/testing/Simulation"
import { Effect, Scope } from "effect"

const home = "/home"

/** What an engine does for the simulation: a turn that begins with what is said first, and goes on with the rest. */
const engine = (store: ThreadStore.ThreadStoreService): Effect.Effect<Host, never, Scope.Scope> =>
  Effect.map(Effect.provideService(Threads.make(), ThreadStore.ThreadStore, store), (threads) => ({
    converse: (threadId, use) =>
      Effect.scoped(
        Effect.gen(function* () {
          const thread = yield* threads.resume(threadId, { settings: { model: "m" } })
          const turn = yield* Effect.scope
          let begun: Effect.Effect.Success<ReturnType<typeof thread.startTurn>> | undefined
          yield* use((text) =>
            Effect.gen(function* () {
              if (begun === undefined) {
                begun = yield* Effect.provideService(thread.startTurn(text), Scope.Scope, turn)
              } else {
                yield* begun.record([{ type: "message", role: "assistant", content: [{ type: "output_text", text }] }])
              }
            })
          )
          if (begun !== undefined) yield* begun.complete()
        })
      )
  }))

/**
 * Codes of what a doctor finds that hides nothing. Most of it the next writer puts right; a line of the index of names that
 * was cut off stays, for nobody can tell it from one that a program which takes no lease is about to write.
 */
const harmless = new Set([
  "dead-lease",
  "stray-lease",
  "stray-metadata",
  "stray-name",
  "unreadable-name",
  "left-temporary",
  "empty-file"
])

const inspect = Effect.map(
  Effect.either(
    Effect.flatMap(FileSystem.FileSystem, (fs) =>
      Effect.flatMap(fs.exists(home), (isThere) => (isThere ? Doctor.check(home) : Effect.succeed([])))
    )
  ),
  (found) =>
    found._tag === "Left"
      ? [found.left.message]
      : found.right
          .filter(({ code }) => !harmless.has(code))
          .map(({ code, message, path }) => `${code} ${path}: ${message}`)
)

/** The store of files. Processes of half of the runs share what an index remembers of the files. */
export const files = (seed: number): Subject => {
  const index = seed % 2 === 0 ? Effect.runSync(ThreadIndex.memory) : undefined
  return { driver: FsDriver.make(index === undefined ? { home } : { home, index }), host: engine, inspect }
}

/** Stores that break one promise each. */
export const mutants: Readonly<Record<string, (seed: number) => Subject>> = {
  "acknowledges before it is synced": (seed) => ({
    ...files(seed),
    driver: Effect.flatMap(FileSystem.FileSystem, (fs) =>
      Effect.provideService(FsDriver.make({ home }), FileSystem.FileSystem, {
        ...fs,
        open: (path, options) => Effect.map(fs.open(path, options), (file) => ({ ...file, sync: Effect.void }))
      })
    )
  }),
  "takes no lease": (seed) => ({
    ...files(seed),
    driver: Effect.flatMap(Machine, (machine) =>
      Effect.provideService(FsDriver.make({ home }), Machine, { ...machine, isShared: false })
    )
  }),
  "writes batches line by line and does not mark them": (seed) => ({
    ...files(seed),
    driver: Effect.flatMap(FileSystem.FileSystem, (fs) =>
      Effect.map(
        Effect.provideService(FsDriver.make({ home }), FileSystem.FileSystem, {
          ...fs,
          open: (path, options) =>
            Effect.map(fs.open(path, options), (file) => ({
              ...file,
              writeAll: (bytes) => Effect.forEach(lines(bytes), (line) => file.writeAll(line), { discard: true })
            }))
        }),
        (driver): Driver => ({ ...driver, marksBatches: false })
      )
    )
  })
}

const lines = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const found: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at)
    const to = end < 0 ? bytes.length : end + 1
    found.push(bytes.subarray(at, to))
    at = to
  }
  return found
}
