/**
 * A Codex home as a store. What is remembered of its files between runs lies in the user's cache folder, never in the
 * home; where that cannot be written, it is found out anew each time.
 */
import { createHash } from "node:crypto"
import { mkdir, realpath, rm } from "node:fs/promises"
import { homedir } from "node:os"
import { join } from "node:path"
import type { Index } from "@skein/store/ThreadIndex"
import { ThreadStore } from "@skein/store/ThreadStore"
import * as FsStore from "@skein/store-fs/FsStore"
import { Context, Effect, Layer, type Scope } from "effect"
import * as Output from "../Output.js"
import type { Options } from "../Store.js"

/** Opens the home until the scope closes. */
export const open = (home: string, { create, lists, writes }: Options) =>
  Effect.gen(function* () {
    const index = lists === true ? yield* remembered(home) : undefined
    // Who only reads finishes nothing that somebody else had begun.
    const layer = FsStore.layer({ home, index, finish: create === true || writes === true })
    return Context.get(yield* Layer.build(layer), ThreadStore)
  })

/** The index of a home in the cache; undefined where there can be none. */
const remembered = (home: string): Effect.Effect<Index | undefined, never, Scope.Scope> =>
  Effect.gen(function* () {
    const filename = yield* Effect.promise(() => fileFor(home))
    if (filename === undefined) return undefined
    const { make } = yield* Effect.promise(() => import("@skein/store-sqlite/SqliteIndex"))
    return yield* make({
      filename,
      patience: "1 second",
      onReplaced: ({ backup, path }) =>
        Output.error(`The index ${path} was damaged; it was moved to ${backup} and is made again.`)
    }).pipe(Effect.orElseSucceed(() => undefined))
  })

/** The folder of caches, as XDG says. */
const cacheFolder = (): string => {
  const set = process.env["XDG_CACHE_HOME"] ?? ""
  return set.startsWith("/") ? set : join(homedir(), ".cache")
}

/** The file of a home's index, in a folder that is there; homes are told apart by where they really lie. */
const fileFor = async (home: string): Promise<string | undefined> => {
  try {
    const folder = join(cacheFolder(), "skein")
    const name = createHash("sha256")
      .update(await realpath(home))
      .digest("hex")
      .slice(0, 24)
    await mkdir(folder, { recursive: true })
    return join(folder, `home-${name}.db`)
  } catch {
    return undefined
  }
}

/** Forgets what the cache has of a home. */
export const forget = (home: string): Effect.Effect<void> =>
  Effect.promise(async () => {
    const file = await fileFor(home)
    if (file !== undefined) for (const end of ["", "-wal", "-shm"]) await rm(`${file}${end}`, { force: true })
  })
