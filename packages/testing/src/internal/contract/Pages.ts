/** Ordinals, and turns and items in pages (thread-store §9, §11 Paginated). */
import * as Fold from "@skein/core/fold/Fold"
import * as ThreadView from "@skein/core/fold/view/ThreadView"
import type { Turn } from "@skein/core/fold/view/Turn"
import type { Page } from "@skein/store/SummaryQuery"
import type { ThreadStoreService, TurnItem } from "@skein/store/ThreadStore"
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
const mode = "paginated"
const header = Drafts.header({ mode })

/** All that a list of pages holds. */
const walked = <A>(ask: (cursor: string | undefined) => Effect.Effect<Page<A>, unknown>, pageSize: number) =>
  Effect.gen(function* () {
    const all: Array<A> = []
    let cursor: string | undefined
    do {
      const page: Page<A> = yield* ask(cursor)
      holds(page.items.length <= pageSize, "a page not to be larger than asked")
      all.push(...page.items)
      cursor = page.nextCursor
      holds(all.length < 5_000, "pages to come to an end")
    } while (cursor !== undefined)
    return all
  })

const allTurns = (store: ThreadStoreService, threadId: string, pageSize: number, direction: "asc" | "desc") =>
  walked<Turn>((cursor) => store.turns(threadId, { cursor, pageSize, direction }), pageSize)

const allItems = (store: ThreadStoreService, threadId: string, pageSize: number, direction: "asc" | "desc") =>
  walked<TurnItem>((cursor) => store.items(threadId, { cursor, pageSize, direction }), pageSize)

/** The turns of a thread as a fold over what is read of it shows them. */
const folded = (store: ThreadStoreService, threadId: string) =>
  Effect.map(Look.records(store, threadId), (records) => ThreadView.turns(Fold.run(ThreadView.fold(), records)))

/** Turns by what is seen of them, so that a difference is readable. */
const sketch = (turns: ReadonlyArray<Turn>) => turns.map((turn) => JSON.stringify(turn))

const item = (turnId: string, body: { readonly [key: string]: unknown }) => Drafts.of(Drafts.item(turnId, body))

export const cases = Case.group("Paginated", [
  Case.test("85", "ordinals are dense and go on; one too large writes nothing; legacy threads have none", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header, [say("1"), Look.dropped, Drafts.of(Script.userEvent("dropped"))])
      yield* store.append(id, [say("2"), say("3")])
      yield* Effect.all([store.append(id, [say("4")]), store.append(id, [say("5")])], { concurrency: "unbounded" })
      const ordinals = (threadId: string) =>
        Effect.map(Look.records(store, threadId), (all) => all.map(({ ordinal }) => ordinal))
      equal(yield* ordinals(id), [0, 1, 2, 3, 4, 5], "dense ordinals")
      yield* store.create(Drafts.header({ n: 2 }), [say("1")])
      equal(yield* ordinals(Drafts.id(2)), [undefined, undefined], "none")
      const last = Number.MAX_SAFE_INTEGER
      const lines = [
        Raw.line(Script.header({ id: Drafts.id(3), history_mode: mode }), 0, 0),
        Raw.line(Script.assistant("x"), 0, last - 1)
      ]
      yield* store.imported(Raw.thread(3, lines, { historyMode: mode }))
      yield* fails(store.append(Drafts.id(3), [say("1"), say("2")]), "InvalidRequest", "an append beyond counting")
      yield* store.append(Drafts.id(3), [say("last")])
      equal(yield* ordinals(Drafts.id(3)), [0, last - 1, last], "up to the last one")
      yield* fails(store.append(Drafts.id(3), [say("1")]), "InvalidRequest", "one more")
    })
  ),
  Case.test("86", "turns and items are what a fold over the log shows, at all times", ({ effort, fresh }) =>
    property(effort, Thread.thread({ maxEntries: 4, maxSteps: 3 }), (thread) =>
      Effect.gen(function* () {
        const { store } = yield* fresh
        const threads = Raw.threads(thread)
        for (const one of threads) yield* store.imported(one)
        const { threadId } = some(threads.at(-1), "a thread").row
        for (let round = 0; round < 3; round++) {
          const expected = yield* folded(store, threadId)
          equal(sketch(yield* allTurns(store, threadId, 3, "asc")), sketch(expected), "the turns")
          const items = (yield* allItems(store, threadId, 4, "asc")).map((one) => JSON.stringify(one))
          equal(
            items,
            expected.flatMap(({ id: turnId, items }) => items.map((one) => JSON.stringify({ turnId, item: one }))),
            "the items"
          )
          yield* store.append(
            threadId,
            Drafts.turn({
              id: `more ${round}`,
              user: "u",
              agent: "a",
              mode: (yield* store.head(threadId)).historyMode === mode ? mode : "legacy"
            })
          )
        }
      })
    )
  ),
  Case.test(
    "86.reopen",
    "a view that a store kept goes on where it was left",
    ({ reopen, store }) =>
      Effect.gen(function* () {
        yield* store.create(header)
        for (let i = 0; i < 12; i++) {
          const items = Array.from({ length: 60 }, (_, k) => item(`t${i}`, Drafts.agentItem(`a${i}.${k}`, `${k}`)))
          yield* store.append(id, [Drafts.of(Script.started(`t${i}`)), ...items])
        }
        equal((yield* store.turns(id, { pageSize: 100 })).items.length, 12, "the turns to begin with")
        yield* store.append(id, Drafts.turn({ id: "t12", user: "u", mode }))
        const again = yield* reopen
        yield* again.append(id, Drafts.turn({ id: "t13", user: "u", mode }))
        equal(
          sketch((yield* again.turns(id, { pageSize: 100, direction: "asc" })).items),
          sketch(yield* folded(again, id)),
          "the turns later"
        )
      }),
    ["reopen"]
  ),
  Case.test("87", "gaps, repeats and lines without an ordinal stop nothing", ({ store }) =>
    Effect.gen(function* () {
      const user = (turnId: string, ordinal?: number) =>
        Raw.line(Drafts.item(turnId, Drafts.userItem(`${turnId}-u`, turnId)), 0, ordinal)
      const lines = [
        Raw.line(Script.header({ id, history_mode: mode }), 0, 0),
        Raw.line(Script.started("a"), 0, 1),
        user("a", 5),
        user("b", 5),
        Raw.line(Script.started("c"), 0, 3),
        user("c", 4),
        user("d"),
        Raw.line(Script.started("e"), 0, 8),
        user("e", 9)
      ]
      yield* store.imported(Raw.thread(1, lines, { historyMode: mode }))
      const turns = (yield* store.turns(id, { direction: "asc" })).items.map((turn) => turn.id)
      equal(turns, ["a", "c", "e"], "the turns that count")
      const reasons = (yield* Look.rows(store, id)).flatMap(({ decoded }) =>
        decoded.kind === "damage" ? [decoded.reason] : []
      )
      equal(reasons, ["repeated-ordinal"], "the repeat to be told of")
      const { records } = yield* store.append(id, Drafts.turn({ id: "f", user: "f", mode }))
      equal(records[0]?.ordinal, 10, "the next ordinal")
      equal(
        (yield* store.turns(id, { direction: "asc" })).items.map((turn) => turn.id),
        [...turns, "f"],
        "the view to go on"
      )
    })
  ),
  Case.test(
    "88",
    "an item that is told again keeps its place; a turn's summary is its first message and its last answer",
    ({ store }) =>
      Effect.gen(function* () {
        yield* store.create(header, [
          Drafts.of(Script.started("t")),
          item("t", Drafts.userItem("u", "question")),
          item("t", Drafts.agentItem("a", "thinking", "commentary")),
          item("t", Drafts.agentItem("b", "answer", "final_answer"))
        ])
        yield* store.turns(id)
        yield* store.append(id, [
          item("t", Drafts.agentItem("a", "thought", "commentary")),
          item("t", Drafts.agentItem("c", "more"))
        ])
        const { items } = yield* store.items(id)
        equal(
          items.map((one) => one.item.id),
          ["u", "a", "b", "c"],
          "their places"
        )
        equal(items[1]?.item.type === "agentMessage" ? items[1].item.text : "", "thought", "the newest text")
        const shown = (itemsView: "full" | "summary" | "notLoaded") =>
          Effect.map(store.turns(id, { itemsView }), (page) =>
            page.items.map((turn) => turn.items.map((one) => one.id))
          )
        equal(yield* shown("full"), [["u", "a", "b", "c"]], "the whole turn")
        equal(yield* shown("summary"), [["u", "c"]], "its summary")
        equal(yield* shown("notLoaded"), [[]], "the turn alone")
      })
  ),
  Case.test(
    "89",
    "pages of turns and items, of any size and in both directions; cursors of something else are refused",
    ({ store }) =>
      Effect.gen(function* () {
        yield* store.create(header)
        for (let i = 0; i < 7; i++) yield* store.append(id, Drafts.turn({ id: `t${i}`, user: "u", agent: "a", mode }))
        yield* store.create(Drafts.header({ n: 2, mode }), Drafts.turn({ id: "t0", user: "u", agent: "a", mode }))
        const turnIds = Array.from({ length: 7 }, (_, i) => `t${i}`)
        const itemIds = turnIds.flatMap((turn) => [`${turn}-u`, `${turn}-a`])
        for (const pageSize of [1, 2, 3, 7, 8, 25]) {
          const up = (yield* allTurns(store, id, pageSize, "asc")).map((turn) => turn.id)
          equal(up, turnIds, `turns in pages of ${pageSize}`)
          equal(
            (yield* allTurns(store, id, pageSize, "desc")).map((turn) => turn.id),
            turnIds.toReversed(),
            "and back"
          )
          equal(
            (yield* allItems(store, id, pageSize, "asc")).map((one) => one.item.id),
            itemIds,
            `items in pages of ${pageSize}`
          )
          equal(
            (yield* allItems(store, id, pageSize, "desc")).map((one) => one.item.id),
            itemIds.toReversed(),
            "and back"
          )
        }
        const page = yield* store.turns(id, { pageSize: 3 })
        equal(
          page.items.map((turn) => turn.id),
          ["t6", "t5", "t4"],
          "the newest turns first"
        )
        const back = yield* store.turns(id, { cursor: page.backwardsCursor, direction: "asc" })
        equal(
          back.items.map((turn) => turn.id),
          ["t6"],
          "the way back, from the first one on"
        )
        yield* store.append(id, Drafts.turn({ id: "t7", user: "u", agent: "a", mode }))
        const next = yield* store.turns(id, { cursor: page.nextCursor, pageSize: 3 })
        equal(
          next.items.map((turn) => turn.id),
          ["t3", "t2", "t1"],
          "the next page, whatever came since"
        )
        const back2 = yield* store.turns(id, { cursor: page.backwardsCursor, direction: "asc" })
        equal(
          back2.items.map((turn) => turn.id),
          ["t6", "t7"],
          "what came since"
        )
        const of = yield* store.items(id, { turnId: "t2", pageSize: 1 })
        equal(
          of.items.map((one) => one.item.id),
          ["t2-u"],
          "the items of a turn"
        )
        const rest = yield* store.items(id, { turnId: "t2", cursor: of.nextCursor })
        equal([rest.items.map((one) => one.item.id), rest.nextCursor], [["t2-a"], undefined], "its rest")
        const onward = yield* store.items(id, { cursor: of.nextCursor, pageSize: 2 })
        equal(
          onward.items.map((one) => one.item.id),
          ["t2-a", "t3-u"],
          "the same cursor, over all turns"
        )
        yield* fails(store.items(id, { turnId: "none" }), "InvalidRequest", "items of no turn")
        const foreign = yield* store.turns(Drafts.id(2))
        const bad = [of.nextCursor, foreign.backwardsCursor, "", "x", "%", encodeURIComponent("[]"), "null", "\0"]
        for (const cursor of bad) {
          if (cursor !== undefined) yield* fails(store.turns(id, { cursor }), "InvalidRequest", `the cursor ${cursor}`)
        }
        yield* fails(store.items(id, { cursor: page.nextCursor }), "InvalidRequest", "a cursor of turns")
        for (const pageSize of [0, -1, 0.5, Number.NaN]) {
          yield* fails(store.turns(id, { pageSize }), "InvalidRequest", `a page of ${pageSize} turns`)
          yield* fails(store.items(id, { pageSize }), "InvalidRequest", `a page of ${pageSize} items`)
          yield* fails(store.occurrences(id, { searchTerm: "x", pageSize }), "InvalidRequest", "and of occurrences")
        }
      })
  ),
  Case.test("89.again", "turns of one id, as foreign logs have them, are pages of their own", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(Drafts.header(), Drafts.turn({ id: "a", user: "1" }))
      for (const [turn, user] of [
        ["a", "2"],
        ["b", "3"],
        ["a", "4"]
      ] as const)
        yield* store.append(id, Drafts.turn({ id: turn, user }))
      for (const direction of ["asc", "desc"] as const) {
        const expected = (yield* folded(store, id)).map((turn) => turn.id)
        const turns = (yield* allTurns(store, id, 1, direction)).map((turn) => turn.id)
        equal(turns, direction === "asc" ? expected : expected.toReversed(), `the turns (${direction})`)
        holds((yield* allItems(store, id, 1, direction)).length === 4, "the items")
      }
    })
  ),
  Case.test("89.reverted", "a cursor to what a revert took back is refused; the pages show what is left", ({ store }) =>
    Effect.gen(function* () {
      const ends = []
      yield* store.create(header)
      for (let i = 0; i < 4; i++)
        ends.push((yield* store.append(id, Drafts.turn({ id: `t${i}`, user: "u", mode }))).position)
      const page = yield* store.turns(id, { pageSize: 1 })
      yield* store.revert(id, { to: some(ends[1], "a place"), timestamp: Drafts.stamp(1) })
      yield* fails(store.turns(id, { cursor: page.nextCursor }), "InvalidRequest", "the cursor")
      equal(
        (yield* allTurns(store, id, 1, "desc")).map((turn) => turn.id),
        ["t1", "t0"],
        "what is left"
      )
    })
  ),
  Case.test(
    "90",
    "occurrences: in order over pages, several in one text, each with its place in its snippet",
    ({ store }) =>
      Effect.gen(function* () {
        yield* store.create(header)
        yield* store.append(id, [
          Drafts.of(Script.started("a")),
          item("a", Drafts.userItem("a-u", "x😀x and X")),
          item("a", Drafts.agentItem("a-1", "not x yet", "commentary")),
          item("a", Drafts.agentItem("a-2", "**x** at last", "final_answer")),
          Drafts.of(Script.completed("a"))
        ])
        yield* store.append(id, [
          Drafts.of(Script.started("b")),
          item("b", Drafts.userItem("b-u", "none of it")),
          item("b", Drafts.agentItem("b-1", "the last x counts")),
          Drafts.of(Script.completed("b"))
        ])
        const searchTerm = "X"
        for (const pageSize of [1, 2, 3, 50]) {
          const all = yield* walked((cursor) => store.occurrences(id, { searchTerm, cursor, pageSize }), pageSize)
          equal(
            all.map(({ itemId }) => itemId),
            ["a-u", "a-u", "a-u", "a-2", "b-1"],
            `pages of ${pageSize}`
          )
          for (const { range, snippet } of all) {
            equal(snippet.slice(range.start, range.end).toLowerCase(), "x", "the place in the snippet")
          }
          equal(
            all.slice(0, 3).map(({ range }) => range.start),
            [0, 3, 9],
            "places in UTF-16"
          )
          equal(all[3]?.snippet, "x at last", "a text without its markup")
          const turn = yield* store.turns(id, { cursor: some(all[4], "a place").turnCursor, pageSize: 1 })
          equal(
            turn.items.map((one) => one.id),
            ["b"],
            "the way to its turn"
          )
        }
        const first = yield* store.occurrences(id, { searchTerm, pageSize: 1 })
        yield* fails(
          store.occurrences(id, { searchTerm: "last", cursor: first.nextCursor }),
          "InvalidRequest",
          "a cursor of another term"
        )
        for (const bad of ["x", ""])
          yield* fails(store.occurrences(id, { searchTerm, cursor: bad }), "InvalidRequest", "a cursor that is none")
        yield* fails(store.occurrences(id, { searchTerm: " " }), "InvalidRequest", "an empty term")
        equal((yield* store.occurrences(id, { searchTerm: "\ud83d" })).items, [], "half a letter to be nowhere")
      })
  ),
  Case.test("86.random", "whatever a log holds, its pages are what a fold over it shows", ({ effort, fresh }) =>
    property(effort, fc.array(fc.constantFrom(...odd), { maxLength: 14 }), (lines) =>
      Effect.gen(function* () {
        const { store } = yield* fresh
        yield* store.create(Drafts.header())
        for (const [i, line] of lines.entries()) {
          yield* store.append(id, [Drafts.of(line)])
          if (i % 4 === 3) yield* store.turns(id)
        }
        equal(sketch(yield* allTurns(store, id, 2, "asc")), sketch(yield* folded(store, id)), "the turns")
      })
    )
  )
])

/** Lines that begin, end, repeat and take back turns. */
const odd: ReadonlyArray<Script.Line> = [
  Script.started("a"),
  Script.started("b"),
  Script.completed("a"),
  Script.completed("b"),
  Script.aborted("a"),
  Script.userEvent("one"),
  Script.userEvent("two"),
  Script.rollback(1),
  Drafts.item("a", Drafts.userItem("i1", "one")),
  Drafts.item("a", Drafts.agentItem("i2", "answer")),
  Drafts.item("b", Drafts.agentItem("i2", "again"))
]
