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
  )
])
