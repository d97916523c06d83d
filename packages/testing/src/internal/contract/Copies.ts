/** Copies between stores, and of stores: nothing is lost and nothing changed (thread-store §11.94; design §8.5). */
import type { Position } from "@skein/store/Position"
import { StoreUnavailable } from "@skein/store/StoreError"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect } from "effect"
import * as fc from "fast-check"
import * as Drafts from "../../Drafts.js"
import * as Script from "../../Script.js"
import * as Thread from "../../Thread.js"
import * as Case from "./Case.js"
import { equal, fails, holds, some } from "./Check.js"
import * as Look from "./Look.js"
import { property } from "./Property.js"
import * as Raw from "./Raw.js"

const { say } = Look
const id = Drafts.id(1)

/** Copies a thread from one store to another. */
const copy = (from: ThreadStoreService, to: ThreadStoreService, threadId: string) =>
  Effect.scoped(Effect.flatMap(from.exported(threadId), to.imported))

/** All that is kept of a thread, apart from where. */
const whole = (store: ThreadStoreService, threadId: string) =>
  Effect.gen(function* () {
    const { path: _, ...row } = yield* store.summary(threadId, { includeArchived: true })
    return { row, segments: yield* Look.stored(store, threadId) }
  })

const small = { maxEntries: 5, maxSteps: 2 }

/** A line of any bytes but the line feed; now and then a record. */
const anyLine: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 3, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.filter((byte) => byte !== 0x0a)) },
  { weight: 2, arbitrary: fc.constantFrom("a", "é\u2028", "\0").map((text) => Raw.line(Script.assistant(text))) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      Raw.text(""),
      Raw.text(" \t"),
      Raw.text("\r"),
      Raw.text("x\r"),
      Uint8Array.from([0]),
      Uint8Array.from([0xff, 0xfe]),
      Uint8Array.from([0xef, 0xbb, 0xbf, 0x7b]),
      Raw.text(`{"a":${"[".repeat(200)}${"]".repeat(200)}}`),
      Raw.text('{"n":123456789012345678901234567890,"e":1e400,"d":1.10}'),
      Raw.text(`{"timestamp":"x","type":"compacted","payload":{"message":"${"y".repeat(70_000)}"}}`),
      Raw.text('{"a":1,"a":2}')
    )
  }
)

const paginated = { historyMode: "paginated" }

export const cases = Case.group("Copies", [
  Case.test(
    "94",
    "a thread of any form comes back from another store as it went: every byte, every segment, and what was said of it",
    (bench) =>
      property(
        bench.effort,
        fc.tuple(fc.oneof(Thread.thread(small), Thread.thread({ ...small, form: "paginated" })), fc.boolean()),
        ([thread, archived]) =>
          Effect.gen(function* () {
            const [{ store }, { store: back }] = [yield* bench.fresh, yield* bench.fresh]
            const other = yield* bench.model
            const threads = Raw.threads(thread)
            for (const one of threads) yield* store.imported(one)
            const { threadId } = some(threads.at(-1), "a thread").row
            yield* store.updateSummary(threadId, { name: "n", gitInfo: { sha: "s" }, metadata: { tenant: "t" } })
            if (archived) yield* store.archive(threadId)
            for (const one of threads) {
              const bytes = yield* Look.stored(store, one.row.threadId)
              const given = yield* Effect.forEach(one.segments, (segment) =>
                Effect.gen(function* () {
                  const lines: Array<string> = []
                  yield* segment.source.forward((line) => lines.push(Look.latin1(line.bytes)) > 0)
                  return { segmentId: segment.segmentId, base: segment.base, lines }
                })
              )
              equal(bytes, given, "every byte and every base as it was written")
            }
            for (const { row } of threads) yield* copy(store, other, row.threadId)
            for (const { row } of threads) yield* copy(other, back, row.threadId)
            for (const { row } of threads) {
              const expected = yield* whole(store, row.threadId)
              equal(yield* whole(other, row.threadId), expected, "the same in the other store")
              equal(yield* whole(back, row.threadId), expected, "the same when it is back")
            }
            const lines = (at: ThreadStoreService) => Look.log(at, threadId, { includeArchived: true })
            equal(yield* lines(back), yield* lines(store), "the same log")
          })
      ),
    ["model"]
  ),
  Case.test("copy.1", "lines of any bytes are kept as they are, and read as well as they can be", ({ effort, fresh }) =>
    property(effort, fc.array(anyLine, { maxLength: 12 }), (lines) =>
      Effect.gen(function* () {
        const { store } = yield* fresh
        const all = [Raw.line(Script.header({ id })), ...lines]
        yield* store.imported(Raw.thread(1, all))
        equal((yield* Look.stored(store, id))[0]?.lines, all.map(Look.latin1), "every byte")
        const rows = yield* Look.rows(store, id)
        equal(
          rows.map(({ decoded }) => Look.latin1(decoded.line.bytes)),
          all.map(Look.latin1),
          "every line to be read"
        )
        const back = yield* Look.rows(store, id, { direction: "backward" })
        equal(
          back.map(({ position }) => position),
          rows.map(({ position }) => position).toReversed(),
          "and from the end"
        )
        yield* store.append(id, [say("on")])
        equal((yield* Look.said(store, id)).at(-1), "on", "it to go on")
        equal((yield* Look.stored(store, id))[0]?.lines.slice(0, all.length), all.map(Look.latin1), "every byte still")
      })
    )
  ),
  Case.test(
    "copy.2",
    "a copied thread goes on where it was: its head, its ordinals, its segments, its name and its place",
    ({ fresh, store }) =>
      Effect.gen(function* () {
        for (const [n, mode] of [
          [1, "legacy"],
          [2, "paginated"]
        ] as const) {
          const threadId = Drafts.id(n)
          const { store: other } = yield* fresh
          yield* store.create(Drafts.header({ n, mode }), Drafts.turn({ id: "t1", user: "u", agent: "1", mode }))
          const { position } = yield* store.append(threadId, [say("2")])
          yield* store.append(threadId, [say("3")])
          yield* store.revert(threadId, {
            to: position,
            timestamp: Drafts.stamp(1),
            segmentId: Drafts.id(50 + n),
            records: [say("4")]
          })
          yield* store.updateSummary(threadId, { name: "n" })
          yield* store.archive(threadId)
          yield* copy(store, other, threadId)
          equal(yield* whole(other, threadId), yield* whole(store, threadId), "the thread")
          yield* other.unarchive(threadId)
          equal(
            (yield* other.head(threadId)).head,
            (yield* store.head(threadId, { includeArchived: true })).head,
            "its head"
          )
          const { records } = yield* other.append(threadId, [say("5")])
          equal(yield* Look.said(other, threadId), ["1", "2", "4", "5"], "it to go on")
          const before = (yield* Look.records(store, threadId, { includeArchived: true })).at(-1)?.ordinal
          equal(records[0]?.ordinal, before === undefined ? undefined : before + 1, "its next ordinal")
        }
      })
  ),
  Case.test(
    "copy.3",
    "a fork without what it stands on is read as far as it goes, says so, and is whole once that is there",
    ({ store }) =>
      Effect.gen(function* () {
        const source = Raw.thread(
          1,
          [0, 1, 2].map((i) =>
            Raw.line(i === 0 ? Script.header({ id, history_mode: "paginated" }) : Script.assistant(`${i}`), i, i)
          ),
          paginated
        )
        const size = some(source.segments[0], "a segment").source.size
        yield* store.imported(
          Raw.exported(Drafts.id(2), [Raw.standing(2, { segmentId: id, offset: size }, 3)], paginated)
        )
        const isWhole = Effect.scoped(
          Effect.map(store.open(Drafts.id(2)), ({ diagnostics, whole }) => ({
            whole,
            codes: diagnostics.map(({ code }) => code)
          }))
        )
        equal(yield* isWhole, { whole: false, codes: ["missing-base"] }, "what is missing to be told")
        equal(yield* Look.said(store, Drafts.id(2)), ["own 2"], "what is there")
        const { records } = yield* store.append(Drafts.id(2), [say("on")])
        equal(records[0]?.ordinal, 5, "it to go on")
        yield* store.imported(source)
        equal(yield* isWhole, { whole: true, codes: [] }, "nothing to be missing")
        equal(yield* Look.said(store, Drafts.id(2)), ["1", "2", "own 2", "on"], "all of it")
      })
  ),
  Case.test(
    "copy.4",
    "bases that go in a circle, or that are shorter than they should be, end the reading and not the store",
    ({ store }) =>
      Effect.gen(function* () {
        const at = (n: number, offset: number): Position => ({ segmentId: Drafts.id(n), offset })
        yield* store.imported(Raw.exported(Drafts.id(1), [Raw.standing(1, at(2, 0), 1)], paginated))
        yield* store.imported(Raw.exported(Drafts.id(2), [Raw.standing(2, at(1, 0), 1)], paginated))
        yield* store.imported(Raw.exported(Drafts.id(3), [Raw.standing(3, at(3, 0), 1)], paginated))
        yield* store.imported(Raw.exported(Drafts.id(4), [Raw.standing(4, at(1, 1_000_000), 9)], paginated))
        const codes = (n: number) =>
          Effect.scoped(
            Effect.map(store.open(Drafts.id(n)), ({ diagnostics, whole }) => [
              whole,
              ...diagnostics.map(({ code }) => code)
            ])
          )
        equal(yield* codes(1), [false, "cyclic-base"], "a circle of two")
        equal(yield* codes(3), [false, "cyclic-base"], "a circle of one")
        holds((yield* codes(4)).includes("base-too-short"), "a base that is too short")
        for (const n of [1, 2, 3, 4]) {
          holds((yield* Look.said(store, Drafts.id(n))).includes(`own ${n}`), `what is its own (${n})`)
          yield* store.append(Drafts.id(n), [say("on")])
          yield* store.turns(Drafts.id(n))
        }
        equal((yield* Look.listed(store, Look.everything)).length, 4, "the list to have them")
        for (const n of [1, 2, 3, 4]) yield* store.delete(Drafts.id(n))
        equal(yield* Look.listed(store, Look.everything), [], "they to go like any other")
      })
  ),
  Case.test("copy.5", "a copy that breaks off leaves nothing, and can be made again", ({ store }) =>
    Effect.gen(function* () {
      const good = Raw.exported(
        id,
        [
          {
            segmentId: id,
            lines: [0, 1].map((i) =>
              Raw.line(i === 0 ? Script.header({ id, history_mode: "paginated" }) : Script.assistant("1"), i, i)
            )
          },
          { ...Raw.standing(1, { segmentId: id, offset: 0 }, 0), segmentId: Drafts.id(50) }
        ],
        paginated
      )
      const [first, second] = good.segments
      const gone = new StoreUnavailable({ operation: "read", reason: "gone", advice: "", retryable: true, paths: [] })
      const torn = some(second, "a segment")
      const breaking = { ...torn, source: { ...torn.source, forward: () => Effect.fail(gone) } }
      for (const segments of [[breaking], [some(first, "a segment"), breaking]]) {
        yield* fails(store.imported({ row: good.row, segments }), "StoreUnavailable", "the copy")
        yield* fails(store.head(id), "ThreadNotFound", "nothing to be there")
      }
      yield* fails(store.imported({ row: good.row, segments: [] }), "InvalidRequest", "a copy of nothing")
      yield* store.imported(good)
      equal(yield* Look.said(store, id), ["own 1"], "it, made again")
    })
  ),
  Case.test("backup.1", "a store that makes no backups says so", ({ store }) =>
    Effect.gen(function* () {
      if (store.supports.backup) return yield* new Case.NotSupported({ what: "refuse a backup" })
      yield* fails(store.backup("/nowhere"), "InvalidRequest", "a backup")
    })
  ),
  Case.test(
    "backup.2",
    "a backup that is made while the store is used holds what was acknowledged when it was asked for",
    ({ backups, store }) =>
      Effect.gen(function* () {
        if (!store.supports.backup) return yield* new Case.NotSupported({ what: "make backups" })
        const { open, path } = yield* backups
        yield* store.create(Drafts.header(), [say("0")])
        yield* store.fork(id, { header: Drafts.header({ n: 2 }), records: [say("fork")] })
        yield* store.updateSummary(id, { name: "n" })
        const writing = yield* Effect.fork(
          Effect.forEach([1, 2, 3, 4, 5], (i) => store.append(id, [say(`${i}a`), say(`${i}b`)]))
        )
        const at = yield* path
        yield* store.backup(at)
        yield* writing.await
        const copied = yield* open(at)
        const texts = yield* Look.said(copied, id)
        equal(texts, (yield* Look.said(store, id)).slice(0, texts.length), "a part of the log from its start")
        equal(texts.length % 2, 1, "whole batches")
        equal(yield* Look.said(copied, Drafts.id(2)), ["0", "fork"], "the fork")
        equal((yield* copied.summary(id)).name, "n", "the name")
        yield* fails(store.backup(at), "InvalidRequest", "a backup onto one")
      }),
    ["backup"]
  )
])
