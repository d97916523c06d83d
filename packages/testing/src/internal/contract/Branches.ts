/** Forks and reverts: logs that stand on others (the port's own promises; since-july for the form). */
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect } from "effect"
import * as Drafts from "../../Drafts.js"
import * as Script from "../../Script.js"
import * as Case from "./Case.js"
import { equal, fails, holds, some } from "./Check.js"
import * as Look from "./Look.js"

const { say } = Look
const id = Drafts.id(1)
const modes = ["legacy", "paginated"] as const

/** A case that holds for threads of either mode. */
const inBoth =
  (run: (store: ThreadStoreService, mode: (typeof modes)[number]) => Effect.Effect<void, unknown>): Case.Case["run"] =>
  ({ fresh }) =>
    Effect.forEach(modes, (mode) => Effect.flatMap(fresh, ({ store }) => run(store, mode)), { discard: true })

/** Everything of a thread but headers, which differ between stores that share and stores that copy. */
const body = (store: ThreadStoreService, threadId: string) =>
  Effect.map(Look.log(store, threadId), (all) => all.filter((text) => !text.startsWith("header ")))

/** A thread of three messages; gives the position behind each. */
const three = (store: ThreadStoreService, mode: (typeof modes)[number], n = 1) =>
  Effect.gen(function* () {
    yield* store.create(Drafts.header({ n, mode }))
    return yield* Effect.forEach(["1", "2", "3"], (text) =>
      Effect.map(store.append(Drafts.id(n), [say(text)]), ({ position }) => position)
    )
  })

const contextOf = (store: ThreadStoreService, threadId: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* store.open(threadId)
      const fold = ModelContext.fold()
      let state = fold.initial
      yield* EffectiveLog.forward(log, (decoded) => {
        if (EffectiveLog.isRecord(decoded)) state = fold.step(state, decoded)
        return true
      })
      return Script.texts(ModelContext.read(state).history)
    })
  )

export const cases = Case.group("Forks and reverts", [
  Case.test(
    "fork.1",
    "a fork begins with what its source holds up to a record, whichever, and both go on alone",
    inBoth((store, mode) =>
      Effect.gen(function* () {
        const ends = yield* three(store, mode)
        for (const [i, at] of ends.entries()) {
          const n = 10 + i
          const fork = yield* store.fork(id, { at, header: Drafts.header({ n }), records: [say("own")] })
          equal((yield* store.head(Drafts.id(n))).head, fork.position, "the fork to end where it is said")
          equal(
            yield* body(store, Drafts.id(n)),
            ["1", "2", "3"]
              .slice(0, i + 1)
              .concat("own")
              .map((text) => `assistant: ${text}`),
            "the fork"
          )
          yield* store.append(Drafts.id(n), [say("more")], { expected: fork.position })
        }
        const atEnd = yield* store.fork(id, { header: Drafts.header({ n: 20 }) })
        equal(atEnd.records.map(Look.words), ["header 0014"], "the answer to hold what was written")
        yield* store.append(id, [say("4")])
        equal(yield* Look.said(store, Drafts.id(20)), ["1", "2", "3"], "a fork at the end, without what came later")
        equal(yield* Look.said(store, Drafts.id(10)), ["1", "own", "more"], "the first fork, gone on")
        equal(yield* Look.said(store, id), ["1", "2", "3", "4"], "the source, untouched by its forks")
        const first = (yield* Look.log(store, Drafts.id(10)))[0]
        equal(first, "header 000a", "the fork's own header to come first")
      })
    )
  ),
  Case.test(
    "fork.2",
    "forks of forks, at what they inherited and at what is their own",
    inBoth((store, mode) =>
      Effect.gen(function* () {
        const [, two] = yield* three(store, mode)
        yield* store.fork(id, { at: two, header: Drafts.header({ n: 2 }), records: [say("a"), say("b")] })
        const rows = yield* Look.rows(store, Drafts.id(2))
        const places = rows.filter(({ decoded }) => decoded.kind === "response_item")
        const texts = places.map(({ decoded }) => Look.words(decoded))
        for (const [i, { position }] of places.entries()) {
          const n = 10 + i
          yield* store.fork(Drafts.id(2), { at: position, header: Drafts.header({ n }), records: [say("x")] })
          equal(
            yield* body(store, Drafts.id(n)),
            [...texts.slice(0, i + 1), "assistant: x"],
            `a fork behind ${texts[i]}`
          )
        }
        yield* store.revert(Drafts.id(10), {
          to: some(
            (yield* Look.rows(store, Drafts.id(10))).find(({ decoded }) => Look.words(decoded) === "assistant: 1"),
            "the first record"
          ).position,
          timestamp: Drafts.stamp(9),
          records: [say("y")]
        })
        equal(yield* Look.said(store, Drafts.id(10)), ["1", "y"], "a fork reverted to what it inherited")
      })
    )
  ),
  Case.test(
    "fork.3",
    "a fork keeps its source's mode and says what it stands on, whatever its header says",
    inBoth((store, mode) =>
      Effect.gen(function* () {
        const ends = yield* three(store, mode)
        const other = mode === "legacy" ? "paginated" : "legacy"
        const history_base = { thread_id: Drafts.id(9), end_ordinal_exclusive: 5, end_byte_offset: 5 }
        const header = Drafts.header({ n: 2, mode: other, more: { forked_from_id: id, history_base } })
        const { records } = yield* store.fork(id, { at: ends[1], header })
        const [made] = records
        equal((yield* store.head(Drafts.id(2))).historyMode, mode, "the mode of the thread")
        const payload = made?.kind === "session_meta" ? made.payload : undefined
        equal(payload?.history_mode ?? "legacy", mode, "the mode in its header")
        holds(payload?.history_base?.thread_id !== Drafts.id(9), "its header to name nothing that it does not stand on")
        if (mode === "paginated") {
          const base = payload?.history_base
          equal(
            { ...base, ordinal: made?.ordinal },
            { thread_id: id, end_ordinal_exclusive: 3, end_byte_offset: ends[1]?.offset, ordinal: 3 },
            "the base in its header"
          )
        }
        equal((yield* store.summary(Drafts.id(2))).forkedFromId, id, "where it came from")
      })
    )
  ),
  Case.test(
    "fork.4",
    "a fork that cannot be made makes nothing",
    inBoth((store, mode) =>
      Effect.gen(function* () {
        yield* three(store, mode)
        yield* store.create(Drafts.header({ n: 2 }), [say("other")])
        yield* fails(store.fork(id, { header: Drafts.header({ n: 2 }) }), "ThreadAlreadyExists", "a fork onto a thread")
        yield* fails(store.fork(id, { header: Drafts.header() }), "ThreadAlreadyExists", "a fork onto its source")
        yield* fails(
          store.fork(Drafts.id(99), { header: Drafts.header({ n: 3 }) }),
          "ThreadNotFound",
          "a fork of nothing"
        )
        const bad = { ...say("x"), payload: {} } as unknown as ReturnType<typeof say>
        yield* fails(
          store.fork(id, { header: Drafts.header({ n: 3 }), records: [bad] }),
          "InvalidRequest",
          "a fork with a bad record"
        )
        const none = null as unknown as ReturnType<typeof Drafts.header>
        yield* fails(store.fork(id, { header: none }), "InvalidRequest", "a fork without a header")
        equal(Look.numbers(yield* Look.listed(store, Look.everything)).toSorted(), [1, 2], "nothing new")
        equal(yield* Look.said(store, Drafts.id(2)), ["other"], "the other thread unharmed")
      })
    )
  ),
  Case.test(
    "fork.5",
    "the list knows a fork by the first message of its chain, and its turns are the inherited ones and its own",
    inBoth((store, mode) =>
      Effect.gen(function* () {
        yield* store.create(Drafts.header({ mode }), Drafts.turn({ id: "t1", user: "first", agent: "a", mode, at: 10 }))
        yield* store.fork(id, {
          header: Drafts.header({ n: 2, at: 5_000, more: { forked_from_id: id, cwd: "/fork" } }),
          records: Drafts.turn({ id: "t2", user: "second", agent: "b", mode, at: 6_000 })
        })
        const row = yield* store.summary(Drafts.id(2))
        equal(
          { preview: row.preview, cwd: row.cwd, id: row.id, forkedFromId: row.forkedFromId, createdAt: row.createdAt },
          { preview: "first", cwd: "/fork", id: Drafts.id(2), forkedFromId: id, createdAt: Drafts.epoch + 5_000 },
          "its row"
        )
        const turns = yield* store.turns(Drafts.id(2), { direction: "asc" })
        equal(
          turns.items.map((turn) => turn.id),
          ["t1", "t2"],
          "its turns"
        )
        equal(
          (yield* store.turns(id)).items.map((turn) => turn.id),
          ["t1"],
          "those of the source"
        )
      })
    )
  ),
  Case.test(
    "fork.6",
    "a fork from before a compaction has the history from before it",
    inBoth((store, mode) =>
      Effect.gen(function* () {
        const { position: at } = yield* store.create(
          Drafts.header({ mode }),
          Drafts.turn({ id: "t1", user: "old", mode })
        )
        const before = yield* contextOf(store, id)
        yield* store.append(id, [Drafts.of(Script.compacted([Script.user("summed up")]))])
        equal(yield* contextOf(store, id), ["summed up"], "the source to be compacted")
        yield* store.fork(id, { at, header: Drafts.header({ n: 2 }) })
        equal(yield* contextOf(store, Drafts.id(2)), before, "the fork's history")
      })
    )
  ),
  Case.test(
    "fork.7",
    "forks and reverts share what they inherit where the store says so",
    inBoth((store, mode) =>
      Effect.gen(function* () {
        if (!store.supports.sharedPrefixes[mode]) return
        const [one] = yield* three(store, mode)
        yield* store.fork(id, { header: Drafts.header({ n: 2 }) })
        yield* store.revert(id, { to: some(one, "a place"), timestamp: Drafts.stamp(1), segmentId: Drafts.id(50) })
        const fork = yield* Look.stored(store, Drafts.id(2))
        equal(
          fork.map(({ base, lines }) => [base?.segmentId, lines.length]),
          [[id, 1]],
          "the fork to hold one line"
        )
        const reverted = yield* Look.stored(store, id)
        equal(
          reverted.map(({ base, lines, segmentId }) => [segmentId, base, lines.length]),
          [
            [id, undefined, 4],
            [Drafts.id(50), one, 1]
          ],
          "the thread's segments"
        )
      })
    )
  ),
  Case.test(
    "revert.1",
    "a reverted thread goes on from the record that it was taken back to; its lists and turns know nothing else",
    inBoth((store, mode) =>
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
    inBoth((store, mode) =>
      Effect.gen(function* () {
        const [one] = yield* three(store, mode)
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
    inBoth((store, mode) =>
      Effect.gen(function* () {
        const [one, two] = yield* three(store, mode)
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
    inBoth((store, mode) =>
      Effect.gen(function* () {
        const [one = { segmentId: id, offset: 0 }, two] = yield* three(store, mode)
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
    inBoth((store, mode) =>
      Effect.gen(function* () {
        const [one = { segmentId: id, offset: 0 }] = yield* three(store, mode)
        yield* three(store, mode, 2)
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
    inBoth((store, mode) =>
      Effect.gen(function* () {
        const [one = { segmentId: id, offset: 0 }] = yield* three(store, mode)
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
