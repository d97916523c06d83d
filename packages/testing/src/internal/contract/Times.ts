/** When a thread was made, changed and worked with (thread-store §2.2, §11 Time). */
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect } from "effect"
import * as fc from "fast-check"
import * as Drafts from "../../Drafts.js"
import * as Script from "../../Script.js"
import * as Case from "./Case.js"
import { equal, holds } from "./Check.js"
import * as Look from "./Look.js"
import { property } from "./Property.js"

const { say } = Look
const id = Drafts.id(1)

/** The three times of a thread, in milliseconds behind the epoch of tests. */
const times = (store: ThreadStoreService, threadId = id) =>
  Effect.map(store.summary(threadId, { includeArchived: true }), ({ createdAt, recencyAt, updatedAt }) => ({
    created: createdAt - Drafts.epoch,
    updated: updatedAt - Drafts.epoch,
    recency: recencyAt - Drafts.epoch
  }))

const started = (ms: number, turn = "t") => Drafts.of(Script.started(turn), ms)

export const cases = Case.group("Time", [
  Case.test(
    "41",
    "creation sets all three; appends move the change, turn starts both; nothing else moves any",
    ({ store }) =>
      Effect.gen(function* () {
        yield* store.create(Drafts.header({ at: 10 }))
        equal(yield* times(store), { created: 10, updated: 10, recency: 10 }, "all three at creation")
        yield* store.append(id, [say("1", 100)])
        equal(yield* times(store), { created: 10, updated: 100, recency: 10 }, "an append")
        yield* store.append(id, [started(200)])
        equal(yield* times(store), { created: 10, updated: 200, recency: 200 }, "a turn start")
        yield* store.append(id, [Drafts.of(Script.tokens(1), 300), Drafts.of(Script.completed("t"), 301)])
        const expected = { created: 10, updated: 301, recency: 200 }
        equal(yield* times(store), expected, "the end of a turn")
        yield* Look.rows(store, id)
        yield* store.turns(id)
        yield* Look.listed(store)
        yield* Effect.scoped(store.lease(id))
        equal(yield* times(store), expected, "reading, listing and holding")
        yield* store.updateSummary(id, { name: "n", metadata: { a: "b" } })
        equal(yield* times(store), expected, "what is said explicitly")
        yield* store.archive(id)
        equal(yield* times(store), expected, "archiving")
        yield* store.unarchive(id)
        equal(yield* times(store), expected, "taking it out of the archive")
        yield* store.append(id, [Look.dropped])
        equal(yield* times(store), expected, "an append of nothing")
      })
  ),
  Case.test(
    "42",
    "a turn that starts by an older clock moves the thread up all the same; the change never goes back",
    ({ store }) =>
      Effect.gen(function* () {
        yield* store.create(Drafts.header({ at: 1000 }))
        yield* store.append(id, [started(5000)])
        yield* store.append(id, [started(200, "u")])
        equal(yield* times(store), { created: 1000, updated: 5001, recency: 5001 }, "a millisecond more than it was")
        yield* store.append(id, [say("old", 10)])
        equal(yield* times(store), { created: 1000, updated: 5001, recency: 5001 }, "nothing to go back")
      })
  ),
  Case.test(
    "42.random",
    "whatever the clocks say: the change never goes back, and each turn start moves recency on",
    ({ effort, fresh }) =>
      property(
        effort,
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: -50, max: 50 })), { maxLength: 10 }),
        (steps) =>
          Effect.gen(function* () {
            const { store } = yield* fresh
            yield* store.create(Drafts.header())
            let before = yield* times(store)
            for (const [isStart, ms] of steps) {
              yield* store.append(id, [isStart ? started(ms) : say("x", ms)])
              const after = yield* times(store)
              holds(after.updated >= before.updated && after.updated >= ms, "the change not to go back", [
                before,
                after
              ])
              equal(after.recency, isStart ? Math.max(ms, before.recency + 1) : before.recency, "recency")
              holds(after.updated >= after.recency, "the change to be no earlier than the last start", after)
              before = after
            }
          })
      )
  ),
  Case.test("43", "starts in one millisecond have times of their own; old times stay what they were", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(Drafts.header())
      yield* store.append(id, [started(7, "a"), started(7, "b"), started(7, "c")])
      equal((yield* times(store)).recency, 9, "three starts")
      const old = Drafts.header({ n: 2, at: -86_400_000_000 })
      yield* store.create(old, [say("x", -86_400_000_000)])
      equal(
        yield* times(store, Drafts.id(2)),
        { created: -86_400_000_000, updated: -86_400_000_000, recency: -86_400_000_000 },
        "a thread of long ago"
      )
    })
  ),
  Case.test("44", "a row that is made anew says the same times", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(Drafts.header({ at: 3 }), Drafts.turn({ id: "t", user: "a", at: 50 }))
      yield* store.append(id, Drafts.turn({ id: "u", user: "b", at: 40 }))
      yield* store.append(id, [say("x", 45)])
      const before = yield* store.summary(id)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const copy = yield* store.exported(id)
          const lines = yield* Effect.forEach(copy.segments, (segment) => Look.copied(segment))
          yield* store.delete(id)
          yield* store.imported({ row: copy.row, segments: lines })
        })
      )
      const { path: _, ...row } = yield* store.summary(id)
      const { path: __, ...expected } = before
      equal(row, expected, "the same row")
    })
  )
])
