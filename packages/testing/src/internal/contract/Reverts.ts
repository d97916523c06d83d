import { Effect } from "effect"
import * as Drafts from "../../Drafts.js"
import * as Case from "./Case.js"
import { equal, fails, holds, some } from "./Check.js"
import * as Look from "./Look.js"

const { say } = Look
const id = Drafts.id(1)
export const cases = Case.group("Forks and reverts", [
  Case.test(
    "revert.1",
    "a reverted thread goes on from the record that it was taken back to; its lists and turns know nothing else",
    Look.inBoth((store, mode) =>
      Effect.gen(function* () {
        yield* store.create(Drafts.header({ mode }))
        const turn = (n: number) =>
          store.append(
            id,
            Drafts.turn({ id: `t${n}`, user: `u${n}`, agent: `a${n}`, mode, at: n * 1000, model: `m${n}` })
          )
        yield* turn(1)
        const { position: to } = yield* turn(2)
        yield* turn(3)
        equal((yield* store.turns(id)).items.length, 3, "three turns to begin with")
        yield* store.updateSummary(id, { name: "a name" })
        const { position, records } = yield* store.revert(id, {
          to,
          timestamp: Drafts.stamp(9_000),
          records: [say("own")]
        })
        equal((yield* store.head(id)).head, position, "the head")
        equal(records.map(Look.words), ["header 0001", "assistant: own"], "the answer to hold what was written")
        equal(yield* Look.said(store, id), ["a1", "a2", "own"], "the log")
        const row = yield* store.summary(id)
        equal([row.model, row.preview, row.name, row.id], ["m2", "u1", "a name", id], "its row")
        equal(
          (yield* store.turns(id, { direction: "asc" })).items.map((one) => one.id),
          ["t1", "t2"],
          "its turns"
        )
        const page = yield* store.search("u3")
        equal(page.items, [], "a search not to find what was taken back")
        yield* turn(4)
        equal(
          (yield* store.turns(id, { direction: "asc" })).items.map((one) => one.id),
          ["t1", "t2", "t4"],
          "its turns later"
        )
        if (mode === "paginated") {
          const ordinals = (yield* Look.rows(store, id, { after: to })).map(({ decoded }) =>
            Look.isRecord(decoded) ? decoded.ordinal : undefined
          )
          holds(
            ordinals.every((ordinal, i) => i === 0 || ordinal === (ordinals[i - 1] ?? Number.NaN) + 1),
            "ordinals to run on",
            ordinals
          )
        }
      })
    )
  ),
  Case.test(
    "revert.2",
    "what a revert takes back stays stored and is copied along",
    Look.inBoth((store, mode) =>
      Effect.gen(function* () {
        const [one] = yield* Look.three(store, mode)
        yield* store.revert(id, { to: some(one, "a place"), timestamp: Drafts.stamp(1), segmentId: Drafts.id(50) })
        const lines = (yield* Look.stored(store, id)).flatMap((segment) => segment.lines)
        for (const text of ["1", "2", "3"]) {
          holds(
            lines.some((line) => line.includes(`"text":"${text}"`)),
            `the message ${text} to be stored still`
          )
        }
        equal(yield* Look.said(store, id), ["1"], "and not to count")
      })
    )
  ),
  Case.test(
    "revert.3",
    "reverting again and again, to what is own and to what was inherited, and to the very start",
    Look.inBoth((store, mode) =>
      Effect.gen(function* () {
        const [one, two] = yield* Look.three(store, mode)
        yield* store.revert(id, { to: some(two, "a place"), timestamp: Drafts.stamp(1), records: [say("a")] })
        const { position } = yield* store.append(id, [say("b")])
        yield* store.append(id, [say("c")])
        yield* store.revert(id, { to: position, timestamp: Drafts.stamp(2), records: [say("d")] })
        equal(yield* Look.said(store, id), ["1", "2", "a", "b", "d"], "back to what is its own")
        const rows = yield* Look.rows(store, id)
        const inherited = some(
          rows.find(({ decoded }) => Look.words(decoded) === "assistant: 1"),
          "the first message"
        )
        yield* store.revert(id, { to: inherited.position, timestamp: Drafts.stamp(3) })
        equal(yield* Look.said(store, id), ["1"], "back to what it inherited")
        if (store.supports.sharedPrefixes[mode]) equal(inherited.position, one, "that place to be what it was")
        const { segmentId } = (yield* store.head(id)).head
        const start = { segmentId: store.supports.sharedPrefixes[mode] ? id : segmentId, offset: 0 }
        yield* store.revert(id, { to: start, timestamp: Drafts.stamp(4), records: [say("new")] })
        equal(yield* Look.said(store, id), ["new"], "back to the start")
        equal((yield* store.head(id)).historyMode, mode, "its mode")
      })
    )
  ),
  Case.test(
    "revert.4",
    "a revert that expects another place, or that holds no lease where one is held, does nothing",
    Look.inBoth((store, mode) =>
      Effect.gen(function* () {
        const [one = { segmentId: id, offset: 0 }, two] = yield* Look.three(store, mode)
        const { head } = yield* store.head(id)
        const conflict = { to: one, timestamp: Drafts.stamp(1), expected: two }
        const error = yield* fails(store.revert(id, conflict), "AppendConflict", "a revert that expects another place")
        equal(error.actual, head, "the conflict to say where the thread stands")
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { fence } = yield* store.lease(id)
            yield* fails(store.revert(id, { to: one, timestamp: Drafts.stamp(1) }), "LeaseHeld", "a revert beside it")
            yield* store.revert(id, { to: one, timestamp: Drafts.stamp(1), expected: head, fence })
          })
        )
        equal(yield* Look.said(store, id), ["1"], "the holder's revert alone")
      })
    )
  ),
  Case.test(
    "revert.5",
    "a segment has the id that it is given, and never that of another one",
    Look.inBoth((store, mode) =>
      Effect.gen(function* () {
        const [one = { segmentId: id, offset: 0 }] = yield* Look.three(store, mode)
        yield* Look.three(store, mode, 2)
        const timestamp = Drafts.stamp(1)
        for (const segmentId of ["x", "", `${Drafts.id(50)}x`]) {
          yield* fails(
            store.revert(id, { to: one, timestamp, segmentId }),
            "InvalidRequest",
            `a segment called ${segmentId}`
          )
        }
        for (const segmentId of [id, Drafts.id(2)]) {
          yield* fails(store.revert(id, { to: one, timestamp, segmentId }), "InvalidRequest", "a segment of a taken id")
        }
        equal(yield* Look.said(store, Drafts.id(2)), ["1", "2", "3"], "the other thread unharmed")
        equal(yield* Look.said(store, id), ["1", "2", "3"], "this one too")
        const { position } = yield* store.revert(id, { to: one, timestamp, segmentId: Drafts.id(50).toUpperCase() })
        equal(position.segmentId, Drafts.id(50), "the id that was given")
      })
    )
  ),
  Case.test(
    "revert.6",
    "a revert that expects nothing is done, whoever appends at the same time",
    Look.inBoth((store, mode) =>
      Effect.gen(function* () {
        const [one = { segmentId: id, offset: 0 }] = yield* Look.three(store, mode)
        const appends = Array.from({ length: 10 }, (_, i) => store.append(id, [say(`x${i}`)]))
        const revert = store.revert(id, { to: one, timestamp: Drafts.stamp(1), records: [say("back")] })
        yield* Effect.all([...appends.slice(0, 5), revert, ...appends.slice(5)], { concurrency: "unbounded" })
        const texts = yield* Look.said(store, id)
        equal(texts.slice(0, 2), ["1", "back"], "the revert")
        holds(
          texts.slice(2).every((text) => text.startsWith("x")),
          "only what came behind it",
          texts
        )
      })
    )
  )
])
