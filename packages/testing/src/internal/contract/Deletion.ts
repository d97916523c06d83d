import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Either } from "effect"
import * as Drafts from "../../Drafts.js"
import * as Case from "./Case.js"
import { equal, fails, holds } from "./Check.js"
import { followed, listening } from "./Following.js"
import * as Look from "./Look.js"

const { say } = Look
const id = Drafts.id(1)

/** A thread of one turn. */
const make = (store: ThreadStoreService, n: number, parent?: number) =>
  store.create(
    Drafts.header({ n, at: n, more: parent === undefined ? {} : { parent_thread_id: Drafts.id(parent) } }),
    Drafts.turn({ id: `t${n}`, user: `hello ${n}`, agent: `hi ${n}`, at: n })
  )

const present = (store: ThreadStoreService) =>
  Effect.map(Look.listed(store, { ...Look.everything, sortDirection: "asc" }), Look.numbers)

const numbersOf = (ids: ReadonlyArray<string>) => Look.numbers(ids.map((one) => ({ id: one })))

export const cases = Case.group("Archive and deletion", [
  Case.test(
    "67",
    "a deleted thread is gone with all that was kept of it, and its id is free for another",
    ({ store }) =>
      Effect.gen(function* () {
        yield* make(store, 1)
        yield* store.updateSummary(id, { name: "n", memoryMode: "disabled", metadata: { a: "b" } })
        equal((yield* store.turns(id)).items.length, 1, "a turn to begin with")
        yield* store.archive(id)
        equal(yield* store.delete(id), { deleted: [id], kept: [] }, "what was deleted")
        equal(yield* present(store), [], "nothing to be listed")
        equal((yield* store.search("hello", Look.everything)).items, [], "nothing to be found")
        yield* fails(store.summary(id, { includeArchived: true }), "ThreadNotFound", "its row")
        yield* fails(Look.rows(store, id, { includeArchived: true }), "ThreadNotFound", "its log")
        yield* fails(store.turns(id, { includeArchived: true }), "ThreadNotFound", "its turns")
        yield* fails(store.delete(id), "ThreadNotFound", "deleting it again")
        yield* store.create(Drafts.header(), Drafts.turn({ id: "new", user: "a new one" }))
        const { archivedAt, memoryMode, metadata, name, preview } = yield* store.summary(id)
        equal(
          { archivedAt, memoryMode, metadata, name, preview },
          { archivedAt: undefined, memoryMode: "enabled", metadata: {}, name: undefined, preview: "a new one" },
          "nothing of the old one"
        )
        equal(
          (yield* store.turns(id)).items.map((turn) => turn.id),
          ["new"],
          "nor of its turns"
        )
        yield* Effect.scoped(store.lease(id))
      })
  ),
  Case.test(
    "67.second",
    "an instance that knew the deleted thread shows nothing of it in the new one",
    ({ second, store }) =>
      Effect.gen(function* () {
        const other = yield* second
        yield* make(store, 1)
        equal(
          (yield* other.turns(id)).items.map((turn) => turn.id),
          ["t1"],
          "a turn to begin with"
        )
        yield* store.delete(id)
        yield* store.create(Drafts.header({ at: 7 }), Drafts.turn({ id: "new", user: "a new one, longer than that" }))
        equal(
          (yield* other.turns(id)).items.map((turn) => turn.id),
          ["new"],
          "the new turn"
        )
        equal((yield* other.summary(id)).preview, "a new one, longer than that", "the new row")
      }),
    ["second"]
  ),
  Case.test("68", "who writes to a thread while it is deleted is told, and does not bring it back", ({ store }) =>
    Effect.gen(function* () {
      yield* make(store, 1)
      const { fence } = yield* store.lease(id)
      yield* store.append(id, [say("1")], { fence })
      yield* store.delete(id)
      yield* fails(store.append(id, [say("2")], { fence }), "ThreadNotFound", "an append with the lease")
      yield* fails(store.append(id, [say("2")]), "ThreadNotFound", "an append without")
      equal(yield* present(store), [], "it not to have come back")
    })
  ),
  Case.test("69", "a tree is deleted children first; a circle comes to an end; others are left alone", ({ store }) =>
    Effect.gen(function* () {
      const parents = [[1], [2, 1], [3, 2], [4, 3], [5, 1], [6], [10, 12], [11, 10], [12, 11], [13, 13]] as const
      for (const [n, parent] of parents) yield* make(store, n, parent)
      yield* store.archive(Drafts.id(3))
      const { deleted } = yield* store.delete(id)
      equal(numbersOf(deleted), [4, 3, 2, 5, 1], "deepest first, those of one depth by id, the root last")
      equal(yield* present(store), [6, 10, 11, 12, 13], "the others")
      const circle = numbersOf((yield* store.delete(Drafts.id(10))).deleted)
      equal([circle.toSorted(), circle.at(-1)], [[10, 11, 12], 10], "a circle")
      equal(numbersOf((yield* store.delete(Drafts.id(13))).deleted), [13], "one that is its own parent")
      yield* make(store, 7, 6)
      equal(numbersOf((yield* store.delete(Drafts.id(6), { subtree: false })).deleted), [6], "one alone")
      equal(yield* present(store), [7], "its child left alone")
    })
  ),
  ...(["keep", "materialise", "refuse", undefined] as const).map((shared) =>
    Case.test(
      `delete.${shared ?? "default"}`,
      `what others stand on when its thread is deleted (${shared ?? "as the store says"})`,
      ({ fresh }) =>
        Effect.gen(function* () {
          for (const mode of ["legacy", "paginated"] as const) {
            const { store } = yield* fresh
            const { position: at } = yield* store.create(
              Drafts.header({ mode }),
              Drafts.turn({ id: "t", user: "hello", agent: "hi", mode })
            )
            yield* store.append(id, [say("later")])
            yield* store.fork(id, { at, header: Drafts.header({ n: 2 }), records: [say("fork")] })
            const { head } = yield* store.head(Drafts.id(2))
            yield* store.revert(Drafts.id(2), { to: head, timestamp: Drafts.stamp(1), records: [say("reverted")] })
            yield* store.fork(Drafts.id(2), { header: Drafts.header({ n: 3 }), records: [say("fork of fork")] })
            const others = [2, 3].map(Drafts.id)
            const look = Effect.forEach(others, (one) =>
              Effect.all({ log: Look.log(store, one), row: store.summary(one), turns: store.turns(one) })
            )
            const before = yield* look
            const follower = yield* listening(store, undefined, Drafts.id(2))
            yield* follower.hears("caught up")
            const outcome = yield* Effect.either(store.delete(id, { shared }))
            if (Either.isLeft(outcome)) {
              const { left } = outcome
              equal(left._tag, "InvalidRequest", "a store that does not do it to say so")
              holds(
                shared === "refuse" || (shared !== undefined && shared !== store.supports.sharedOnDelete),
                "the store to do what it says that it does"
              )
              equal(left._tag === "InvalidRequest" ? left.field : "", "shared", "the error to say so")
              equal(yield* Look.said(store, id), ["hi", "later"], "nothing to have happened")
              yield* store.delete(Drafts.id(3), { subtree: false })
              yield* store.delete(Drafts.id(2))
              equal((yield* store.delete(id, { shared })).deleted, [id], "it to go when nobody stands on it")
              continue
            }
            holds(shared !== "refuse" || !store.supports.sharedPrefixes[mode], "what others stand on not to be deleted")
            yield* fails(store.head(id), "ThreadNotFound", "the deleted thread")
            equal(
              (yield* look).map(({ log }) => log.filter((text) => !text.startsWith("header"))),
              before.map(({ log }) => log.filter((text) => !text.startsWith("header"))),
              "the logs of the others"
            )
            equal(
              (yield* look).map(({ row }) => row),
              before.map(({ row }) => row),
              "their rows"
            )
            equal(
              (yield* look).map(({ turns }) => turns.items),
              before.map(({ turns }) => turns.items),
              "their turns"
            )
            const isKept = (shared ?? store.supports.sharedOnDelete) === "keep" && store.supports.sharedPrefixes[mode]
            equal(outcome.right.kept.length, isKept ? 1 : 0, "how much is kept")
            for (const { for: users, segmentId } of outcome.right.kept) {
              equal(segmentId, id, "the segment that is kept")
              equal(users, [Drafts.id(2)], "for whom it is kept")
            }
            for (const one of others) yield* store.append(one, [say("on")])
            yield* follower.hears(": on")
            const heard = followed(yield* follower.told).map(({ decoded }) => Look.words(decoded))
            equal(
              heard.filter((text) => !text.startsWith("header")),
              (yield* Look.log(store, Drafts.id(2))).filter((text) => !text.startsWith("header")),
              "what a follower of the fork holds"
            )
            equal(
              yield* Look.said(store, Drafts.id(3)),
              ["hi", "fork", "reverted", "fork of fork", "on"],
              "a fork of a fork to go on"
            )
            yield* store.delete(Drafts.id(2), { shared }).pipe(Effect.catchTag("InvalidRequest", () => Effect.void))
            equal(
              yield* Look.said(store, Drafts.id(3)),
              ["hi", "fork", "reverted", "fork of fork", "on"],
              "and on, alone"
            )
            yield* store.delete(Drafts.id(3))
            yield* Effect.ignore(store.delete(Drafts.id(2)))
            equal(yield* present(store), [], "nothing to be left")
            yield* store.create(Drafts.header({ mode }))
          }
        })
    )
  ),
  Case.test("delete.kept", "what is said to be kept is kept for somebody who is still there", ({ store }) =>
    Effect.gen(function* () {
      yield* make(store, 1)
      yield* make(store, 2, 1)
      const fork = Drafts.header({ n: 3, more: { parent_thread_id: id } })
      yield* store.fork(Drafts.id(2), { header: fork })
      const { deleted, kept } = yield* store.delete(id)
      equal(numbersOf(deleted).toSorted(), [1, 2, 3], "all three")
      equal(kept, [], "nothing for anybody")
      yield* make(store, 2)
    })
  )
])
