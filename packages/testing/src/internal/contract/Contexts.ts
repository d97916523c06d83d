/** What a log means to a model, from either end (thread-store §9.4, §11.91 and §11.92). */
import * as Fold from "@skein/core/fold/Fold"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as ReplayLog from "@skein/core/fold/ReplayLog"
import type { StoredRecord } from "@skein/core/record/Record"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect } from "effect"
import * as Drafts from "../../Drafts.js"
import * as Script from "../../Script.js"
import * as Thread from "../../Thread.js"
import * as Case from "./Case.js"
import { equal, fails, some } from "./Check.js"
import * as Look from "./Look.js"
import { property } from "./Property.js"
import * as Raw from "./Raw.js"

const id = Drafts.id(1)

/** An answer without what only says how it was come by. */
const partsOf = ({ complete: _, tokenInfo: __, ...parts }: ModelContext.ModelContext) => parts

/** The context at the end of a thread, from a fold over it and from a scan from its end. */
const contexts = (store: ThreadStoreService, threadId: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* store.open(threadId)
      const records: Array<StoredRecord> = []
      yield* EffectiveLog.forward(log, (decoded) => {
        if (EffectiveLog.isRecord(decoded)) records.push(decoded)
        return true
      })
      const forward = ModelContext.read(Fold.run(ModelContext.fold(), records))
      const scan = ModelContext.backward()
      const rest = yield* EffectiveLog.backward(log, (decoded) => {
        if (EffectiveLog.isRecord(decoded)) scan.add(decoded)
        return !scan.settled()
      })
      const head = Fold.run({ initial: ReplayLog.emptyHead, step: ReplayLog.noteHead }, records)
      return { forward: partsOf(forward), backward: partsOf(scan.finish(rest === undefined, head)) }
    })
  )

export const cases = Case.group("Contexts", [
  Case.test("91", "a scan from the end of a log answers as a fold over all of it", ({ effort, fresh }) =>
    property(effort, Thread.thread({ maxEntries: 6, maxSteps: 3 }), (thread) =>
      Effect.gen(function* () {
        const { store } = yield* fresh
        const threads = Raw.threads(thread)
        for (const one of threads) yield* store.imported(one)
        const { threadId } = some(threads.at(-1), "a thread").row
        const { backward, forward } = yield* contexts(store, threadId)
        equal(backward, forward, "the same context")
        const written = ModelContext.read(Fold.run(ModelContext.fold(), thread.log))
        equal(Script.texts(forward.history), Script.texts(written.history), "the history that was written")
      })
    )
  ),
  Case.test("92", "an attached fork inherits what the model sees and shows its own turns alone", ({ store }) =>
    Effect.gen(function* () {
      const mode = "paginated"
      const fork = Drafts.id(2)
      yield* store.create(Drafts.header({ mode }), Drafts.turn({ id: "t1", user: "inherited", agent: "a", mode }))
      yield* store.fork(id, {
        header: Drafts.header({ n: 2, more: { forked_from_id: id, attached_thread: true } }),
        records: Drafts.turn({ id: "t2", user: "own", agent: "b", mode })
      })
      const { backward, forward } = yield* contexts(store, fork)
      equal(Script.texts(forward.history), ["inherited", "a", "own", "b"], "what the model sees")
      equal(backward, forward, "the same from the end")
      equal(
        (yield* store.turns(fork)).items.map((turn) => turn.id),
        ["t2"],
        "what is shown"
      )
    })
  ),
  Case.test(
    "92.fault",
    "a fork that cannot be made whole is not made",
    ({ faults, store }) =>
      Effect.gen(function* () {
        const failing = yield* faults
        yield* store.create(Drafts.header(), [Look.say("1"), Look.say("2")])
        const fork = store.fork(id, { header: Drafts.header({ n: 2 }), records: [Look.say("3")] })
        yield* failing.fail({ operations: ["create"] })
        yield* fails(fork, "StoreUnavailable", "the fork")
        yield* fails(store.head(Drafts.id(2)), "ThreadNotFound", "it not to be there")
        yield* fork
        equal(yield* Look.said(store, Drafts.id(2)), ["1", "2", "3"], "it to be whole")
      }),
    ["faults"]
  )
])
