/**
 * What somebody left who died while a file changed its form: told by the folder of the lease that it was done under.
 */

import type { PlatformError } from "@effect/platform/Error"
import type { StoreUnavailable } from "@skein/store/StoreError"
import { Effect } from "effect"
import * as CodexHome from "../CodexHome.js"
import * as Cold from "./Cold.js"
import * as Fence from "./Fence.js"
import type { Home } from "./Home.js"
import * as Lane from "./Lane.js"
import type { Lanes } from "./Lanes.js"
import type { Held } from "./Lease.js"

/**
 * Clears up in every thread where something is left and nobody is at work: afterwards one form of each file is there.
 * What cannot be cleared is told in the log and left for the next time. Cost: the listing of a folder.
 */
export const run = (lanes: Lanes): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { home } = lanes.tools
    for (const threadId of yield* Fence.left(home)) if (id.test(threadId)) yield* of(lanes, threadId)
  }).pipe(Effect.catchAll((error) => Effect.logWarning(`what is left of changes is not known: ${error.message}`)))

/** Clears up in one thread, if nobody is at work there. Cost: of a file in two forms, its content is compared. */
export const of = (lanes: Lanes, threadId: string): Effect.Effect<void> =>
  lanes
    .alone(threadId, (lane) => clear(lanes, lane))
    .pipe(
      Effect.catchAll((error) => Effect.logWarning(`what is left of a change of ${threadId} stays: ${error.message}`))
    )

const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const clear = ({ tools }: Lanes, lane: Lane.Lane): Effect.Effect<void, PlatformError | StoreUnavailable> =>
  Effect.gen(function* () {
    const { home } = tools
    const held = yield* Lane.acquireFree(tools, lane, "clearing up")
    if (held === undefined) return
    yield* Fence.revoke(home, lane.threadId)
    yield* dropOthers(home, lane.threadId, held)
  }).pipe(Effect.ensuring(Lane.giveBack(tools, lane)))

/** Removes the compressed forms of a thread's files whose plain forms are there and have all of it. */
const dropOthers = (home: Home, threadId: string, held: Held): Effect.Effect<void, PlatformError> =>
  Effect.gen(function* () {
    const all = home.catalog.thread(threadId)?.all ?? []
    for (const { compressed, path } of all) {
      const plain = CodexHome.logical(path)
      if (!compressed || !all.some((file) => file.path === plain)) continue
      yield* Effect.scoped(
        Effect.flatMap(home.disk.fs.open(plain, { flag: "r" }), (file) => Cold.dropRemnant(home, path, file, held))
      )
    }
  })
