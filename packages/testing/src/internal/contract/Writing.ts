/** Appends: expected positions, retries, groups; and the positions that they end at (the port's own promises). */
import type { Draft } from "@skein/core/record/Record"
import type { Position } from "@skein/store/Position"
import { Effect, Exit, Stream } from "effect"
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
const header = Drafts.header()

export const cases = Case.group("Appending", [
  Case.test(
    "append.1",
    "an append that expects another place meets a conflict that names both, and writes nothing",
    ({ store }) =>
      Effect.gen(function* () {
        const made = yield* store.create(header)
        const first = yield* store.append(id, [say("1")], { expected: made.position })
        const elsewhere: ReadonlyArray<Position> = [
          made.position,
          { segmentId: id, offset: first.position.offset - 1 },
          { segmentId: id, offset: first.position.offset + 1 },
          { segmentId: Drafts.id(9), offset: first.position.offset },
          { segmentId: id, offset: 0 }
        ]
        for (const expected of elsewhere) {
          const error = yield* fails(store.append(id, [say("x")], { expected }), "AppendConflict", "the append")
          equal({ expected: error.expected, actual: error.actual }, { expected, actual: first.position }, "both places")
        }
        yield* store.append(id, [say("2")], { expected: first.position })
        yield* store.append(id, [say("3")], { expected: "any" })
        equal(yield* Look.said(store, id), ["1", "2", "3"], "what was at its place")
      })
  ),
  Case.test("append.2", "of callers that expect the same place one writes, and the others are told", ({ store }) =>
    Effect.gen(function* () {
      const { position: expected } = yield* store.create(header)
      const names = Array.from({ length: 8 }, (_, i) => String(i))
      const exits = yield* Effect.forEach(names, (name) => Effect.exit(store.append(id, [say(name)], { expected })), {
        concurrency: "unbounded"
      })
      const winners = names.filter((_, i) => exits[i] !== undefined && Exit.isSuccess(exits[i]))
      equal(winners.length, 1, "one to have won")
      equal(yield* Look.said(store, id), winners, "what the winner said")
    })
  ),
  Case.test("append.3", "a batch with a bad record is refused whole, and costs nobody else anything", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header)
      const patch = Drafts.of(Script.patch({}))
      const circle: Record<string, unknown> = {}
      circle.self = circle
      const bad: ReadonlyArray<unknown> = [
        undefined,
        { ...say("x"), type: "of_tomorrow" },
        { ...say("x"), payload: { type: "message" } },
        { ...say("x"), timestamp: 1 },
        { ...say("x"), extras: { payload: {} } },
        { ...patch, payload: { full: false, state: circle } },
        { ...patch, payload: { full: false, state: { n: 1n } } },
        { ...header, payload: { ...header.payload, history_mode: "quantum" } }
      ]
      const batches = bad.flatMap((one, i) => [
        [say(`a${i}`), say(`b${i}`)],
        [say(`x${i}`), one as Draft, say(`y${i}`)]
      ])
      const exits = yield* Effect.forEach(batches, (batch) => Effect.either(store.append(id, batch)), {
        concurrency: "unbounded"
      })
      for (const [i, exit] of exits.entries()) {
        const tag = exit._tag === "Left" ? exit.left._tag : "fine"
        equal(tag, i % 2 === 0 ? "fine" : "InvalidRequest", `batch ${i}`)
      }
      equal(
        yield* Look.said(store, id),
        bad.flatMap((_, i) => [`a${i}`, `b${i}`]),
        "the good ones, in order"
      )
    })
  ),
  Case.test("append.4", "a retry finds what the first try wrote, also when others wrote behind it", ({ store }) =>
    Effect.gen(function* () {
      for (const [n, mode] of [
        [1, "legacy"],
        [2, "paginated"]
      ] as const) {
        const threadId = Drafts.id(n)
        const { position: expected } = yield* store.create(Drafts.header({ n, mode }))
        const batch = [say("1"), Look.dropped, say("2")]
        const options = { expected, operationId: "op" }
        const first = yield* store.append(threadId, batch, options)
        const again = yield* store.append(threadId, batch, options)
        equal(again.position, first.position, "the same place")
        equal(again.records.map(Look.words), first.records.map(Look.words), "the same records")
        const behind = yield* store.append(threadId, [say("3")])
        equal((yield* store.append(threadId, batch, options)).position, first.position, "the same place still")
        const other = { expected, operationId: "another" }
        yield* fails(store.append(threadId, batch, other), "AppendConflict", "another operation at that place")
        const next = { expected: behind.position, operationId: "op" }
        yield* store.append(threadId, [say("4")], next)
        yield* store.append(threadId, [say("4")], next)
        equal(yield* Look.said(store, threadId), ["1", "2", "3", "4"], "each operation once")
        const single = yield* store.append(threadId, [say("5")], {
          expected: (yield* store.head(threadId)).head,
          operationId: "x".repeat(64)
        })
        equal((yield* store.head(threadId)).head, single.position, "a long name of an operation to be fine")
      }
    })
  ),
  Case.test("append.5", "a retry of what was reverted since is a conflict", ({ store }) =>
    Effect.gen(function* () {
      const { position: start } = yield* store.create(header, [say("0")])
      const options = { expected: start, operationId: "op" }
      yield* store.append(id, [say("1")], options)
      yield* store.revert(id, { to: start, timestamp: Drafts.stamp(1), segmentId: Drafts.id(50) })
      yield* fails(store.append(id, [say("1")], options), "AppendConflict", "the retry")
      equal(yield* Look.said(store, id), ["0"], "nothing of it to have come back")
    })
  ),
  Case.test("append.6", "a retry that could not be found is refused beforehand", ({ store }) =>
    Effect.gen(function* () {
      const { position: expected } = yield* store.create(header)
      yield* fails(store.append(id, [say("x")], { operationId: "op" }), "InvalidRequest", "one without a place")
      for (const operationId of ["", "x".repeat(65)]) {
        yield* fails(store.append(id, [say("x")], { expected, operationId }), "InvalidRequest", "one with such a name")
      }
      equal((yield* store.head(id)).head, expected, "nothing to have been written")
    })
  ),
  Case.test(
    "append.7",
    "an append whose answer was lost is there once after its retry; one that failed is not there at all",
    ({ fresh }) =>
      Effect.gen(function* () {
        for (const after of [false, true]) {
          const { faults, store } = yield* fresh
          const failing = yield* faults
          const { position: expected } = yield* store.create(header)
          const names = ["1", "2", "3", "4", "5"]
          yield* failing.fail({ operations: ["append"], after, times: Number.POSITIVE_INFINITY })
          const exits = yield* Effect.forEach(names, (name) => Effect.exit(store.append(id, [say(name)])), {
            concurrency: "unbounded"
          })
          yield* failing.stop
          holds(exits.every(Exit.isFailure), "nobody to be told that it worked")
          const texts = yield* Look.said(store, id)
          equal(texts, after ? names : [], "each batch once, or not at all")
          yield* failing.fail({ operations: ["append"], after })
          const { head } = yield* store.head(id)
          const options = { expected: after ? head : expected, operationId: "op" }
          yield* fails(store.append(id, [say("last")], options), "StoreUnavailable", "the append")
          yield* store.append(id, [say("last")], options)
          equal(yield* Look.said(store, id), [...texts, "last"], "the last one once")
        }
      }),
    ["faults"]
  ),
  Case.test("append.8", "texts of any length and letters are stored as they were given", ({ store }) =>
    Effect.gen(function* () {
      const texts = ["x".repeat(3 * 1024 * 1024), 'é\u2028\u0085\0\ufeff😀\r\n\t"\\', "", "0".repeat(70_000)]
      yield* store.create(header)
      for (const text of texts) yield* store.append(id, [say(text)])
      equal(yield* Look.said(store, id), texts, "every text")
      const back = yield* Look.said(store, id, { direction: "backward" })
      equal(back, texts.toReversed(), "and from the end")
    })
  ),
  Case.test("append.9", "thousands of records are read in pages without gap or repeat, from both ends", ({ store }) =>
    Effect.gen(function* () {
      const texts = Array.from({ length: 2_600 }, (_, i) => String(i))
      yield* store.create(
        header,
        texts.slice(0, 1_300).map((text) => say(text))
      )
      yield* store.append(
        id,
        texts.slice(1_300).map((text) => say(text))
      )
      equal(yield* Look.said(store, id), texts, "all of them")
      equal(yield* Look.said(store, id, { direction: "backward" }), texts.toReversed(), "all of them from the end")
      const some = Stream.take(store.read(id), 5)
      equal((yield* Stream.runCollect(some)).length, 5, "a reader to stop when it has enough")
    })
  ),
  Case.test("position.1", "an append ends where the log ends then, and reading goes on from there", ({ store }) =>
    Effect.gen(function* () {
      const ends = [(yield* store.create(header)).position]
      for (const text of ["1", "2", "3"]) {
        const { position } = yield* store.append(id, [say(text)])
        equal((yield* store.head(id)).head, position, "the head")
        ends.push(position)
      }
      const texts = ["1", "2", "3"]
      for (const [i, after] of ends.entries()) {
        equal(yield* Look.said(store, id, { after }), texts.slice(i), "what is behind a position")
        equal(
          yield* Look.said(store, id, { after, direction: "backward" }),
          texts.slice(i).toReversed(),
          "the same from the end"
        )
      }
      equal(
        (yield* Look.rows(store, id)).map(({ position }) => position),
        ends,
        "rows to have these positions"
      )
    })
  ),
  Case.test("position.2", "a place that the log does not have is refused", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header, [say("1"), say("2")])
      yield* store.create(Drafts.header({ n: 2 }), [say("1")])
      const { head } = yield* store.head(id)
      const { offset } = head
      const places = [
        { segmentId: Drafts.id(2), offset },
        { segmentId: "nowhere", offset: 0 },
        ...[offset - 1, offset + 1, offset * 2, -1, 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY].map((at) => ({
          segmentId: id,
          offset: at
        }))
      ]
      for (const [n, place] of places.entries()) {
        const where = `${place.segmentId}:${place.offset}`
        yield* fails(Look.rows(store, id, { after: place }), "InvalidRequest", `reading from ${where}`)
        yield* fails(
          Look.rows(store, id, { after: place, direction: "backward" }),
          "InvalidRequest",
          `reading back to ${where}`
        )
        yield* fails(Stream.runHead(store.follow(id, place)), "InvalidRequest", `following from ${where}`)
        const fork = { at: place, header: Drafts.header({ n: 10 + n }) }
        yield* fails(store.fork(id, fork), "InvalidRequest", `a fork at ${where}`)
        const revert = { to: place, timestamp: Drafts.stamp() }
        yield* fails(store.revert(id, revert), "InvalidRequest", `a revert to ${where}`)
      }
      equal((yield* store.head(id)).head, head, "nothing to have happened")
      equal(Look.numbers(yield* Look.listed(store, Look.everything)).toSorted(), [1, 2], "no thread to have been made")
    })
  ),
  Case.test(
    "position.3",
    "a log read up to any line and on from there is the log, whatever it stands on",
    ({ effort, fresh }) =>
      property(effort, Thread.thread({ form: "paginated", maxEntries: 6, maxSteps: 2 }), (thread) =>
        Effect.gen(function* () {
          const { store } = yield* fresh
          const threads = Raw.threads(thread)
          for (const one of threads) yield* store.imported(one)
          const { threadId } = some(threads.at(-1), "a thread").row
          const whole = yield* Look.rows(store, threadId)
          equal(whole.length, thread.log.length, "as many lines as were written")
          for (let i = 0; i < whole.length; i += 1 + (i % 3)) {
            const after = whole[i]?.position
            const rest = yield* Look.rows(store, threadId, { after })
            equal(
              rest.map(({ position }) => position),
              whole.slice(i + 1).map(({ position }) => position),
              "the rest"
            )
          }
        })
      )
  ),
  Case.test("open.1", "an open log is the thread as it was then, whatever is appended", ({ store }) =>
    Effect.gen(function* () {
      const { position } = yield* store.create(header, [say("1")])
      yield* Effect.scoped(
        Effect.gen(function* () {
          const log = yield* store.open(id)
          yield* store.append(id, [say("2")])
          const piece = some(log.pieces.at(-1), "a piece")
          equal({ segmentId: piece.segmentId, offset: piece.to }, position, "the end that it had")
          const sizes: Array<number> = []
          yield* piece.source.forward((line) => sizes.push(line.bytes.length) > 0, { to: piece.to })
          equal(sizes.length, 2, "the lines that it had")
        })
      )
      equal(yield* Look.said(store, id), ["1", "2"], "the thread to have grown")
    })
  )
])
