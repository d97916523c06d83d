/** A host over a store in memory, and what tests ask of it. */
import * as Fold from "@skein/core/fold/Fold"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as ThreadState from "@skein/core/fold/ThreadState"
import * as ThreadView from "@skein/core/fold/view/ThreadView"
import type { StoredRecord } from "@skein/core/record/Record"
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import { Effect, Layer } from "effect"
import type { LiveThread } from "../src/LiveThread.js"
import type { Options } from "../src/Options.js"
import * as Threads from "../src/Threads.js"

/** Threads over a fresh store in memory, and the store. */
export const layer = (options: Options = {}) => Layer.provideMerge(Threads.layer(options), MemoryStore.layer)

/** A message of the model. */
export const says = (text: string, phase?: "commentary" | "final_answer"): ResponseItem => ({
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text }],
  ...(phase === undefined ? {} : { phase })
})

/** A call of a tool, and its output. */
export const calls = (call_id: string, output = "done"): ReadonlyArray<ResponseItem> => [
  { type: "function_call", name: "look", arguments: "{}", call_id },
  { type: "function_call_output", call_id, output }
]

/** The records of a thread as they are stored. */
export const stored = (threadId: string): Effect.Effect<ReadonlyArray<StoredRecord>, never, ThreadStore.ThreadStore> =>
  Effect.scoped(
    Effect.gen(function* () {
      const store = yield* ThreadStore.ThreadStore
      const log = yield* store.open(threadId, { includeArchived: true })
      const records: Array<StoredRecord> = []
      yield* EffectiveLog.forward(log, (decoded) => {
        if (EffectiveLog.isRecord(decoded)) records.push(decoded)
        return true
      })
      return records
    })
  ).pipe(Effect.orDie)

/** What a thread's state comes to, in a form that can be compared. */
export const seen = (state: ThreadState.ThreadState) => {
  const { mailbox, selection, turn, usage, window } = state
  const { list: _, length: __, ...sums } = usage
  const { complete, ...context } = ModelContext.read(state.context)
  // Of a thread that was read from its end nobody knows that no token was ever counted.
  const { multiAgent: ___, tokenInfo: ____, ...certain } = complete
  return { context, certain, mailbox, selection, turn, window, usage: sums }
}

/** The same, with what clients are shown. */
export const seenWhole = (state: ThreadState.ThreadState) => ({
  ...seen(state),
  turns: ThreadView.turns(state.view),
  records: state.index.length
})

/** The fold of a cold replay. */
export const fold = ThreadState.fold({ keep: "all" })

/** A cold replay of a thread. */
export const replay = (threadId: string) => Effect.map(stored(threadId), (records) => Fold.run(fold, records))

/** The live state, and that of a cold replay. */
export const both = (thread: LiveThread) =>
  Effect.gen(function* () {
    const live = yield* thread.state
    const cold = yield* replay(thread.id)
    return { live: seen(live), cold: seen(cold) }
  })

/** Runs a test. */
export const run = <A, E>(
  effect: Effect.Effect<A, E, Threads.Threads | ThreadStore.ThreadStore | import("effect").Scope.Scope>,
  options: Options = {}
): Promise<A> => Effect.runPromise(Effect.scoped(effect).pipe(Effect.provide(layer(options))))
