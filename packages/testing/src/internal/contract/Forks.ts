/** Forks: threads that begin with what another one holds (the port's own promises; since-july for the form). */
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
/** Everything of a thread but headers, which differ between stores that share and stores that copy. */
const body = (store: ThreadStoreService, threadId: string) =>
  Effect.map(Look.log(store, threadId), (all) => all.filter((text) => !text.startsWith("header ")))

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
    Look.inBoth((store, mode) =>
      Effect.gen(function* () {
        const ends = yield* Look.three(store, mode)
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
    Look.inBoth((store, mode) =>
      Effect.gen(function* () {
        const [, two] = yield* Look.three(store, mode)
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
    Look.inBoth((store, mode) =>
      Effect.gen(function* () {
        const ends = yield* Look.three(store, mode)
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
    Look.inBoth((store, mode) =>
      Effect.gen(function* () {
        yield* Look.three(store, mode)
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
    Look.inBoth((store, mode) =>
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
    Look.inBoth((store, mode) =>
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
    Look.inBoth((store, mode) =>
      Effect.gen(function* () {
        if (!store.supports.sharedPrefixes[mode]) return
        const [one] = yield* Look.three(store, mode)
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
    "fork.8",
    "a place inside of a batch is a place like any other, for forks and for reverts",
    Look.inBoth((store, mode) =>
      Effect.gen(function* () {
        const { position: start } = yield* store.create(Drafts.header({ mode }))
        yield* store.append(id, [say("1"), say("2"), say("3")], { expected: start, operationId: "op" })
        const places = (yield* Look.rows(store, id, { after: start })).map(({ position }) => position)
        for (const [i, at] of places.entries()) {
          const texts = ["1", "2", "3"].slice(0, i + 1)
          const n = 10 + i
          yield* store.fork(id, { at, header: Drafts.header({ n }) })
          equal(yield* Look.said(store, Drafts.id(n)), texts, "the fork")
          yield* store.append(Drafts.id(n), [say("a"), say("b")])
          equal(yield* Look.said(store, Drafts.id(n)), [...texts, "a", "b"], "the fork, gone on")
        }
        yield* store.revert(id, { to: some(places[1], "a place"), timestamp: Drafts.stamp(1) })
        equal(yield* Look.said(store, id), ["1", "2"], "the reverted thread")
        yield* store.append(id, [say("a"), say("b")])
        equal(yield* Look.said(store, id), ["1", "2", "a", "b"], "the reverted thread, gone on")
      })
    )
  )
])
