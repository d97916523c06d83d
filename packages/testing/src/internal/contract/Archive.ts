/** Archiving, deleting, and what a crash at any step leaves (thread-store §7, §11 Archive, delete). */
import type { StoreError } from "@skein/store/StoreError"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Either } from "effect"
import * as Drafts from "../../Drafts.js"
import * as Case from "./Case.js"
import { equal, fails, holds } from "./Check.js"
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

/** Something that is done to a store, for being cut short at each of its steps. */
interface Deed {
  readonly name: string
  readonly before?: (store: ThreadStoreService) => Effect.Effect<unknown, StoreError>
  readonly attempt: (store: ThreadStoreService) => Effect.Effect<unknown, StoreError>
  /** What the next attempt may say when the one before did it and could not say so. */
  readonly again?: StoreError["_tag"]
  /** What has to be true in the end, and what may never be. */
  readonly done: (store: ThreadStoreService) => Effect.Effect<void, unknown>
  readonly never?: (store: ThreadStoreService) => Effect.Effect<void, unknown>
}

const isWhole = (store: ThreadStoreService, n: number, expected: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const log = yield* Effect.either(Look.said(store, Drafts.id(n)))
    if (Either.isLeft(log)) equal(log.left._tag, "ThreadNotFound", `thread ${n} to be there whole or not at all`)
    else equal(log.right, expected, `thread ${n} to be there whole or not at all`)
  })

const deeds: ReadonlyArray<Deed> = [
  {
    name: "create",
    attempt: (store) => store.create(Drafts.header({ n: 9 }), [say("a"), say("b")], { explicit: { name: "n" } }),
    again: "ThreadAlreadyExists",
    never: (store) => isWhole(store, 9, ["a", "b"]),
    done: (store) => Effect.map(store.summary(Drafts.id(9)), ({ name }) => equal(name, "n", "the name"))
  },
  {
    name: "fork",
    attempt: (store) => store.fork(id, { header: Drafts.header({ n: 9 }), records: [say("a")] }),
    again: "ThreadAlreadyExists",
    never: (store) => isWhole(store, 9, ["hi 1", "a"]),
    done: (store) => Effect.map(store.summary(Drafts.id(9)), ({ preview }) => equal(preview, "hello 1", "the preview"))
  },
  {
    name: "archive",
    attempt: (store) => store.archive(id),
    again: "InvalidRequest",
    done: (store) =>
      Effect.gen(function* () {
        const listed = yield* Look.listed(store, { archived: true })
        equal(Look.numbers(listed), [1], "it to be in the archive")
        equal(yield* Look.said(store, id, { includeArchived: true }), ["hi 1"], "and to be read there")
      })
  },
  {
    name: "unarchive",
    before: (store) => store.archive(id),
    attempt: (store) => store.unarchive(id),
    again: "InvalidRequest",
    done: (store) => Effect.map(Look.said(store, id), (said) => equal(said, ["hi 1"], "it to be read"))
  },
  {
    name: "delete",
    attempt: (store) => store.delete(id),
    again: "ThreadNotFound",
    never: (store) =>
      Effect.gen(function* () {
        const left = yield* present(store)
        holds(left.includes(1) || !left.some((n) => n === 2 || n === 3), "no child without its parent", left)
      }),
    done: (store) => Effect.map(present(store), (left) => equal(left, [4], "the others alone"))
  },
  {
    name: "updateSummary",
    attempt: (store) => store.updateSummary(id, { name: "n", metadata: { a: "b" } }),
    done: (store) =>
      Effect.map(store.summary(id), ({ metadata, name }) =>
        equal({ metadata, name }, { metadata: { a: "b" }, name: "n" }, "both")
      )
  },
  {
    name: "revert",
    attempt: (store) =>
      Effect.flatMap(Look.rows(store, id), (rows) =>
        store.revert(id, {
          to: rows[1]?.position ?? { segmentId: id, offset: 0 },
          timestamp: Drafts.stamp(9),
          records: [say("back")]
        })
      ),
    never: (store) =>
      Effect.map(Look.said(store, id), (said) =>
        holds(["hi 1", "back"].includes(said.join()), "the log as it was or as it is to be", said)
      ),
    done: (store) => Effect.map(Look.said(store, id), (said) => equal(said, ["back"], "the log"))
  }
]

/** Cuts a deed short at one of its steps, and does it again. Gives whether there was such a step. */
const cutShort = (bench: Case.Bench, deed: Deed, skip: number, after: boolean) =>
  Effect.gen(function* () {
    const { faults, store } = yield* bench.fresh
    const failing = yield* faults
    yield* make(store, 1)
    yield* make(store, 2, 1)
    yield* make(store, 3, 2)
    yield* make(store, 4)
    if (deed.before !== undefined) yield* deed.before(store)
    yield* failing.fail({ skip, after })
    const first = yield* Effect.either(deed.attempt(store))
    if ((yield* failing.stop) === 0) return false
    if (Either.isLeft(first)) equal(first.left._tag, "StoreUnavailable", `${deed.name} to say why it failed`)
    if (deed.never !== undefined) yield* deed.never(store)
    const second = yield* Effect.either(deed.attempt(store))
    if (Either.isLeft(second)) equal(second.left._tag, deed.again, `${deed.name}, tried again`)
    yield* deed.done(store)
    if (deed.never !== undefined) yield* deed.never(store)
    return true
  })

export const cases = Case.group("Archive and deletion", [
  Case.test(
    "64",
    "archiving keeps everything of a thread and leaves its children where they are; once is enough",
    ({ store }) =>
      Effect.gen(function* () {
        yield* make(store, 1)
        yield* make(store, 2, 1)
        yield* store.updateSummary(id, { name: "n" })
        const before = yield* store.summary(id)
        const bytes = yield* Look.stored(store, id)
        yield* store.archive(id)
        const { archivedAt, path: _, ...after } = yield* store.summary(id, { includeArchived: true })
        const { archivedAt: __, path: ___, ...expected } = before
        equal(after, expected, "its row")
        holds(archivedAt !== undefined && Math.abs(archivedAt - Date.now()) < 60_000, "the time of it", archivedAt)
        equal(yield* Look.stored(store, id), bytes, "its bytes")
        yield* fails(store.archive(id), "InvalidRequest", "archiving it again")
        equal((yield* store.summary(Drafts.id(2))).archivedAt, undefined, "its child not to be archived")
        yield* fails(store.archive(Drafts.id(99)), "ThreadNotFound", "archiving nothing")
      })
  ),
  Case.test(
    "65",
    "a thread comes out of the archive as it went in, also one that has nothing to show; once is enough",
    ({ store }) =>
      Effect.gen(function* () {
        yield* store.create(Drafts.header())
        const before = yield* store.summary(id)
        yield* fails(store.unarchive(id), "InvalidRequest", "taking out what is not in")
        yield* store.archive(id)
        yield* store.unarchive(id)
        equal(yield* store.summary(id), before, "its row")
        yield* store.append(id, [say("1")])
        equal(yield* Look.said(store, id), ["1"], "it to go on")
        yield* fails(store.unarchive(Drafts.id(99)), "ThreadNotFound", "taking out nothing")
        for (let i = 0; i < 3; i++) {
          yield* store.archive(id)
          yield* store.unarchive(id)
        }
        equal(yield* Look.said(store, id), ["1"], "it to be there however often")
      })
  ),
  Case.test("66", "nothing that is there is overwritten, archived or not", ({ store }) =>
    Effect.gen(function* () {
      yield* make(store, 1)
      yield* make(store, 2)
      yield* store.archive(Drafts.id(2))
      for (const n of [1, 2]) {
        const bytes = yield* Look.stored(store, Drafts.id(n))
        yield* fails(store.create(Drafts.header({ n })), "ThreadAlreadyExists", "a create")
        yield* fails(store.fork(id, { header: Drafts.header({ n }) }), "ThreadAlreadyExists", "a fork")
        const copy = Effect.scoped(Effect.flatMap(store.exported(Drafts.id(n)), store.imported))
        yield* fails(copy, "ThreadAlreadyExists", "an import")
        equal(yield* Look.stored(store, Drafts.id(n)), bytes, "its bytes")
      }
      equal(Look.numbers(yield* Look.listed(store, { archived: true })), [2], "the archived one to be archived still")
    })
  ),
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
  Case.test(
    "70",
    "whatever is cut short at any step is there whole or not at all, and doing it again does it",
    (bench) =>
      Effect.gen(function* () {
        for (const deed of deeds) {
          for (const after of [false, true]) {
            let steps = 0
            while (yield* Effect.scoped(cutShort(bench, deed, steps, after))) steps++
            holds(steps > 0 && steps < 200, `${deed.name} to have steps`, steps)
          }
        }
      }),
    ["faults"]
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
            for (const { for: users, segmentId } of outcome.right.kept) {
              equal(segmentId, id, "the segment that is kept")
              equal(users, [Drafts.id(2)], "for whom it is kept")
            }
            for (const one of others) yield* store.append(one, [say("on")])
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
