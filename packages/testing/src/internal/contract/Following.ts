/** Followers: what is stored, then what comes, without gap or repeat (the port's own promises). */
import type { Position } from "@skein/store/Position"
import type { Followed, Row, ThreadStoreService } from "@skein/store/ThreadStore"
import { Chunk, Effect, Fiber, Ref, Stream } from "effect"
import * as fc from "fast-check"
import * as Drafts from "../../Drafts.js"
import * as Case from "./Case.js"
import { equal, fails, holds, some } from "./Check.js"
import { until } from "./Clocks.js"
import * as Look from "./Look.js"
import { property } from "./Property.js"

const { say } = Look
const id = Drafts.id(1)
const header = Drafts.header()

/** Follows a thread in the background; `told` is what was heard so far. */
export const listening = (store: ThreadStoreService, after?: Position, threadId = id) =>
  Effect.gen(function* () {
    const told = yield* Ref.make<ReadonlyArray<Followed>>([])
    const fiber = yield* Effect.forkScoped(
      Stream.runForEach(store.follow(threadId, after), (one) => Ref.update(told, (all) => [...all, one]))
    )
    const heard = Effect.map(Ref.get(told), (all) => all.map(Look.heard))
    const hears = (what: string) =>
      until(heard, (all) => all.some((text) => text.endsWith(what)), `the follower to hear "${what}"`)
    return { told: Ref.get(told), heard, hears, fiber }
  })

/** What a follower holds for the log, when it does as it is told. */
export const followed = (told: ReadonlyArray<Followed>): ReadonlyArray<Row> => {
  let rows: ReadonlyArray<Row> = []
  for (const one of told) {
    if (one._tag === "Record") rows = [...rows, one.row]
    if (one._tag !== "Switched") continue
    const { commonEnd } = one
    const end = rows.findLastIndex(({ position }) => isSame(position, commonEnd))
    const isBehind = ({ position }: Row, i: number) =>
      end >= 0
        ? i <= end
        : commonEnd !== undefined && position.segmentId === commonEnd.segmentId && position.offset <= commonEnd.offset
    rows = commonEnd === undefined ? [] : rows.filter(isBehind)
  }
  return rows
}

const isSame = (left: Position, right: Position | undefined): boolean =>
  left.segmentId === right?.segmentId && left.offset === right.offset

export const cases = Case.group("Following", [
  Case.test(
    "follow.1",
    "a follower hears what is stored, that it has caught up, once, and then what comes",
    ({ store }) =>
      Effect.gen(function* () {
        yield* store.create(header, [say("1")])
        const { heard, hears } = yield* listening(store)
        yield* hears("caught up")
        yield* store.append(id, [say("2"), say("3")])
        yield* hears("3")
        yield* store.append(id, [say("4")])
        yield* store.updateSummary(id, { name: "no record" })
        yield* store.append(id, [say("5")])
        yield* hears("5")
        const texts = ["2", "3", "4", "5"].map((text) => `assistant: ${text}`)
        equal(yield* heard, ["header 0001", "assistant: 1", "caught up", ...texts], "everything once, in order")
      })
  ),
  Case.test("follow.2", "a follower goes on behind the place that it names, also at the end", ({ store }) =>
    Effect.gen(function* () {
      const { position: first } = yield* store.create(header)
      const { position: second } = yield* store.append(id, [say("1")])
      const early = yield* listening(store, first)
      const late = yield* listening(store, second)
      yield* early.hears("caught up")
      yield* late.hears("caught up")
      yield* store.append(id, [say("2")])
      yield* early.hears("2")
      yield* late.hears("2")
      equal(yield* early.heard, ["assistant: 1", "caught up", "assistant: 2"], "what is behind the header")
      equal(yield* late.heard, ["caught up", "assistant: 2"], "what is behind the end")
      const marks = (yield* late.told).filter((one) => one._tag === "CaughtUp")
      equal(
        marks.map((one) => one.position),
        [second],
        "the mark to say where"
      )
    })
  ),
  Case.test(
    "follow.3",
    "many writers at once, and followers that begin anywhere: no gap, no repeat, batches in one piece",
    ({ store }) =>
      Effect.gen(function* () {
        const { position } = yield* store.create(header)
        const followers = yield* Effect.forEach([undefined, position], (after) => listening(store, after))
        const writer = (name: string) =>
          Effect.forEach(
            Array.from({ length: 15 }, (_, i) => `${name}${i}`),
            (text) => Effect.zipRight(store.append(id, [say(`${text}a`), say(`${text}b`)]), Effect.yieldNow()),
            { discard: true }
          )
        const writing = yield* Effect.fork(Effect.all(["x", "y", "z"].map(writer), { concurrency: "unbounded" }))
        yield* Effect.yieldNow()
        const late = yield* listening(store)
        yield* Fiber.join(writing)
        yield* store.append(id, [say("the end")])
        for (const { hears, told } of [...followers, late]) {
          yield* hears("the end")
          const rows = (yield* told).flatMap((one) => (one._tag === "Record" ? [one.row] : []))
          const all = yield* Look.rows(store, id)
          equal(
            rows.map((row) => row.position),
            all.slice(all.length - rows.length).map((row) => row.position),
            "each record once"
          )
          holds(rows.length >= all.length - 1, "all of them")
        }
      })
  ),
  Case.test("follow.4", "a revert switches the follower: it hears where, and then what is behind it", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header)
      const { position: to } = yield* store.append(id, [say("1")])
      yield* store.append(id, [say("2")])
      const { heard, hears, told } = yield* listening(store)
      yield* hears("caught up")
      yield* store.revert(id, { to, timestamp: Drafts.stamp(1), segmentId: Drafts.id(50), records: [say("3")] })
      yield* hears("3")
      yield* until(heard, (all) => all.filter((text) => text === "caught up").length === 2, "a second mark")
      const switched = some(
        (yield* told).find((one) => one._tag === "Switched"),
        "to be told of the switch"
      )
      equal(switched._tag === "Switched" ? switched.segmentId : "", Drafts.id(50), "the segment to be named")
      if (store.supports.sharedPrefixes.legacy) {
        equal(switched._tag === "Switched" ? switched.commonEnd : undefined, to, "the place where both part")
        equal(
          (yield* heard).filter((text) => !text.startsWith("header")),
          ["assistant: 1", "assistant: 2", "caught up", "switched", "assistant: 3", "caught up"],
          "nothing to be told twice"
        )
      }
      yield* store.append(id, [say("4")])
      yield* hears("4")
      const rows = followed(yield* told)
      const texts = rows.map(({ decoded }) => Look.words(decoded)).filter((text) => text.startsWith("assistant"))
      equal(
        texts,
        (yield* Look.said(store, id)).map((text) => `assistant: ${text}`),
        "the log as it is now"
      )
    })
  ),
  Case.test(
    "follow.5",
    "whatever is appended and reverted, a follower that does as it is told ends at the log as it is",
    ({ effort, fresh }) =>
      property(
        effort,
        fc.array(
          fc.oneof(fc.record({ say: fc.nat(3) }), fc.record({ revert: fc.nat(8) }), fc.constant("pause" as const)),
          { maxLength: 12 }
        ),
        (steps) =>
          Effect.gen(function* () {
            const { store } = yield* fresh
            yield* store.create(header, [say("start")])
            const { hears, told } = yield* listening(store)
            let count = 0
            for (const step of steps) {
              if (step === "pause") yield* Effect.repeatN(Effect.yieldNow(), 30)
              else if ("say" in step)
                yield* store.append(
                  id,
                  Array.from({ length: step.say + 1 }, () => say(`m${++count}`))
                )
              else {
                const rows = (yield* Look.rows(store, id)).filter(({ decoded }) => decoded.kind !== "session_meta")
                const to = some(rows[step.revert % rows.length], "a record").position
                yield* store.revert(id, { to, timestamp: Drafts.stamp(++count) })
              }
            }
            yield* store.append(id, [say("the end")])
            yield* hears("the end")
            const isBody = ({ decoded }: Row) => decoded.kind !== "session_meta"
            const expected = (yield* Look.rows(store, id)).filter(isBody).map(({ decoded }) => Look.words(decoded))
            equal(
              followed(yield* told)
                .filter(isBody)
                .map(({ decoded }) => Look.words(decoded)),
              expected,
              "the log"
            )
          })
      )
  ),
  Case.test(
    "follow.6",
    "following ends when the thread is deleted; what is not there, or archived, is not followed",
    ({ store }) =>
      Effect.gen(function* () {
        yield* store.create(header, [say("1")])
        const { fiber, hears } = yield* listening(store)
        yield* hears("caught up")
        yield* store.delete(id)
        const error = yield* fails(Fiber.join(fiber), "ThreadNotFound", "the follower")
        equal(error.threadId, id, "the thread to be named")
        yield* fails(Stream.runDrain(store.follow(id)), "ThreadNotFound", "following nothing")
        yield* fails(Stream.runDrain(store.follow("x")), "InvalidRequest", "following no id")
        yield* store.create(Drafts.header({ n: 2 }))
        yield* store.archive(Drafts.id(2))
        yield* fails(Stream.runDrain(store.follow(Drafts.id(2))), "InvalidRequest", "following an archived thread")
      })
  ),
  Case.test("follow.7", "a follower that is slow misses nothing", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header)
      const slow = Stream.tap(store.follow(id), () => Effect.yieldNow())
      const fiber = yield* Effect.fork(
        Stream.runCollect(Stream.takeUntil(slow, (one) => Look.heard(one) === "assistant: the end"))
      )
      const texts = Array.from({ length: 60 }, (_, i) => String(i))
      for (const text of texts) yield* store.append(id, [say(text)])
      yield* store.append(id, [say("the end")])
      const heard = Chunk.toReadonlyArray(yield* Fiber.join(fiber)).map(Look.heard)
      const messages = heard
        .filter((text) => text.startsWith("assistant: "))
        .map((text) => text.slice("assistant: ".length))
      equal(messages, [...texts, "the end"], "all of it")
    })
  ),
  Case.test(
    "follow.8",
    "a follower hears what another instance appends, where the store says so",
    ({ second, store }) =>
      Effect.gen(function* () {
        if (store.supports.follow !== "machine") {
          return yield* new Case.NotSupported({ what: "follow what other processes append" })
        }
        yield* store.create(header)
        const other = yield* second
        const { heard, hears } = yield* listening(other)
        yield* hears("caught up")
        yield* store.append(id, [say("1")])
        yield* hears("1")
        yield* store.append(id, [say("2")])
        yield* hears("2")
        equal(yield* heard, ["header 0001", "caught up", "assistant: 1", "assistant: 2"], "each record once")
        yield* store.delete(id)
      }),
    ["second"]
  )
])
