/** A Codex home as a store. */

import { StoreUnavailable } from "@skein/store/StoreError"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect } from "effect"
export const open = (home: string): Effect.Effect<ThreadStoreService, StoreUnavailable> =>
  Effect.fail(
    new StoreUnavailable({ operation: "open", reason: "not yet", advice: "", retryable: false, paths: [home] })
  )
