/** Brings rollout files into a store. */
import { NodeContext } from "@effect/platform-node"
import * as Derived from "@skein/store/Derived"
import type { LineSource } from "@skein/store/LineSource"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import * as CodexHome from "@skein/store-fs/CodexHome"
import * as RolloutLog from "@skein/store-fs/RolloutLog"
import * as SessionIndex from "@skein/store-fs/SessionIndex"
import { Effect } from "effect"

/** Imports a file that stands on no other one, as the thread that its name tells; gives the id. */
export const imported = (store: ThreadStoreService, file: string): Effect.Effect<string> =>
  Effect.gen(function* () {
    const { pieces } = yield* RolloutLog.open(file)
    const name = CodexHome.parseName(file.slice(file.lastIndexOf("/") + 1))
    const threadId = name?.threadId ?? ""
    const [piece] = pieces
    if (pieces.length !== 1 || piece === undefined) return yield* Effect.dieMessage(`${file} stands on others`)
    const historyMode = piece.meta === undefined ? "legacy" : Derived.historyModeOf(piece.meta.payload)
    const home = yield* CodexHome.containing(file)
    const named = home === undefined ? undefined : SessionIndex.nameOf(yield* SessionIndex.read(home), threadId)
    const explicit = named === undefined ? {} : { name: named }
    yield* store.imported({
      row: { threadId, historyMode, archivedAt: undefined, explicit, derived: Derived.empty, madeAt: 0 },
      segments: [
        {
          segmentId: threadId,
          base: undefined,
          // A file that was opened fails no more, but for the disk.
          source: piece.source as unknown as LineSource<never>,
          madeAt: 0
        }
      ]
    })
    return threadId
  }).pipe(Effect.scoped, Effect.provide(NodeContext.layer), Effect.orDie)
