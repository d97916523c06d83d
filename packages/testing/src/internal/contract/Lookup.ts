/** Finding threads by id and by what was said in them (thread-store §5, §6, §11 Lookup and search). */
import type { StoreError } from "@skein/store/StoreError"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Stream } from "effect"
import * as Drafts from "../../Drafts.js"
import * as Script from "../../Script.js"
import * as Case from "./Case.js"
import { equal, fails, holds } from "./Check.js"
import * as Look from "./Look.js"
import * as Raw from "./Raw.js"

const make = (store: ThreadStoreService, n: number, user: string, agent?: string) =>
  store.create(Drafts.header({ n, at: n }), Drafts.turn({ id: `t${n}`, user, agent, at: n }))

/** Every thread that a search finds, page by page, and with what. */
const found = (store: ThreadStoreService, term: string, pageSize = 25) =>
  Effect.gen(function* () {
    const all: Array<readonly [number, string]> = []
    let cursor: string | undefined
    do {
      const page = yield* store.search(term, { pageSize, cursor, sortDirection: "asc" })
      holds(page.items.length <= pageSize, "a page not to be larger than asked")
      for (const { snippet, thread } of page.items) all.push([Look.numbers([thread])[0] ?? 0, snippet])
      cursor = page.nextCursor
    } while (cursor !== undefined && all.length < 1000)
    return all
  })

const numbers = (all: ReadonlyArray<readonly [number, string]>): ReadonlyArray<number> => all.map(([n]) => n)

export const cases = Case.group("Lookup and search", [
  Case.test("58", "whatever takes an id refuses what is none, and takes capitals", ({ store }) =>
    Effect.gen(function* () {
      yield* make(store, 1, "hello")
      const id = Drafts.id(1)
      const odd = [
        "",
        "x",
        "../../etc/passwd",
        `${id}/..`,
        `${id}\n`,
        ` ${id}`,
        id.replaceAll("-", ""),
        `{${id}}`,
        `${id}0`,
        "\0".repeat(36),
        "%".repeat(36),
        undefined as unknown as string
      ]
      const lease = (one: string) => Effect.scoped(store.lease(one))
      const to = { segmentId: id, offset: 0 }
      const questions: Readonly<Record<string, (one: string) => Effect.Effect<unknown, StoreError>>> = {
        head: store.head,
        open: (one) => Effect.scoped(store.open(one)),
        read: (one) => Stream.runDrain(store.read(one)),
        follow: (one) => Stream.runDrain(store.follow(one)),
        append: (one) => store.append(one, [Look.say("x")]),
        fork: (one) => store.fork(one, { header: Drafts.header({ n: 2 }) }),
        revert: (one) => store.revert(one, { to, timestamp: Drafts.stamp() }),
        summary: store.summary,
        turns: store.turns,
        items: store.items,
        occurrences: (one) => store.occurrences(one, { searchTerm: "x" }),
        updateSummary: (one) => store.updateSummary(one, { name: "x" }),
        archive: store.archive,
        unarchive: store.unarchive,
        delete: store.delete,
        lease,
        exported: (one) => Effect.scoped(store.exported(one)),
        imported: (one) => store.imported(Raw.exported(one, [{ segmentId: one, lines: [] }]))
      }
      for (const [name, question] of Object.entries(questions)) {
        for (const one of odd) yield* fails(question(one), "InvalidRequest", `${name} of ${JSON.stringify(one)}`)
      }
      equal((yield* store.summary(id.toUpperCase())).id, id, "an id in capitals")
      equal(yield* Look.log(store, id.toUpperCase()), yield* Look.log(store, id), "its log")
      equal(Look.numbers(yield* Look.listed(store, Look.everything)), [1], "nothing else to be there")
    })
  ),
  Case.test(
    "60",
    "texts are found whatever the case, with quotes, backslashes, line ends and letters of any script",
    ({ store }) =>
      Effect.gen(function* () {
        yield* make(store, 1, 'He said "Fix It"\n  and left', "ok")
        yield* make(store, 2, "C:\\repo\\new", "ΟΔΟΣ und STRASSE")
        yield* make(store, 3, "Привет, мир 😀", "İstanbul")
        const expectations: ReadonlyArray<readonly [string, ReadonlyArray<number>]> = [
          ["FIX it", [1]],
          ['"fix it"', [1]],
          ['it" and LEFT', [1]],
          ['it"\n and', [1]],
          ["\\repo\\n", [2]],
          ["strasse", [2]],
          ["οδος", [2]],
          ["ПРИВЕТ", [3]],
          ["мир 😀", [3]],
          ["stanbul", [3]],
          ["\\", [2]],
          ["no such words", []],
          ["\\u", []],
          ["%", []]
        ]
        for (const [term, expected] of expectations) {
          equal(numbers(yield* found(store, term)), expected, `what holds ${JSON.stringify(term)}`)
        }
        for (const term of ["", "  \n"]) yield* fails(store.search(term), "InvalidRequest", "an empty term")
      })
  ),
  Case.test(
    "60.snippet",
    "a snippet shows 49 letters in front of the first match, as the reference answers, and 96 behind it",
    ({ store }) =>
      Effect.gen(function* () {
        yield* make(store, 1, `${"b".repeat(60)}needle${"e".repeat(120)} needle`)
        yield* make(store, 2, "one\n\n needle\t two")
        yield* make(store, 3, `${"😀".repeat(30)}needle${"😀".repeat(60)}`)
        const all = yield* found(store, "NEEDLE")
        equal(all[0], [1, `... ${"b".repeat(49)}needle${"e".repeat(96)} ...`], "a long text")
        equal(all[1], [2, "one needle two"], "a short one")
        holds(all[2]?.[1].isWellFormed() === true, "no letter to be cut in two", all[2])
      })
  ),
  Case.test("61", "only what users and agents said is searched", ({ store }) =>
    Effect.gen(function* () {
      yield* make(store, 1, "the needle")
      const call = { type: "function_call", name: "shell", arguments: '{"command":"needle"}', call_id: "c" }
      const output = { type: "function_call_output", call_id: "c", output: "a needle in the output" }
      const silent = [
        Script.developer("needle"),
        Script.compacted(undefined, {}, "needle"),
        Script.full({ note: "needle" }),
        { type: "response_item", payload: call },
        { type: "response_item", payload: output }
      ]
      yield* store.create(Drafts.header({ n: 2, at: 2 }), [
        ...Drafts.turn({ id: "t", user: "hello", at: 2 }),
        ...Drafts.all(silent, 2)
      ])
      yield* store.create(
        Drafts.header({ n: 3, at: 3, mode: "paginated" }),
        Drafts.turn({ id: "t", user: "x", agent: "needle", mode: "paginated" })
      )
      equal(numbers(yield* found(store, "needle")), [1, 3], "those in which somebody said it")
    })
  ),
  Case.test("63", "a search is paged as a list, takes its filters, and reports what it could not search", ({ store }) =>
    Effect.gen(function* () {
      for (let n = 1; n <= 9; n++) yield* make(store, n, n % 3 === 0 ? "nothing" : `needle ${n}`)
      const foreign = [
        Raw.line(Script.header({ id: Drafts.id(20), history_mode: "quantum" })),
        Raw.line(Script.userEvent("needle"))
      ]
      yield* store.imported(Raw.thread(20, foreign, { historyMode: "quantum" }))
      yield* store.archive(Drafts.id(8))
      const hits = [1, 2, 4, 5, 7]
      for (const pageSize of [1, 2, 3, 5, 6])
        equal(numbers(yield* found(store, "needle", pageSize)), hits, `pages of ${pageSize}`)
      const page = yield* store.search("needle", { pageSize: 100 })
      equal(
        page.failures.map(({ threadId }) => threadId),
        [Drafts.id(20)],
        "what could not be searched"
      )
      equal(page.nextCursor, undefined, "no further page")
      const archived = yield* store.search("needle", { archived: true })
      equal(Look.numbers(archived.items.map(({ thread }) => thread)), [8], "the archived one")
      yield* store.updateSummary(Drafts.id(5), { metadata: { tenant: "t" } })
      const one = yield* store.search("needle", { metadata: { tenant: "t" } })
      equal(Look.numbers(one.items.map(({ thread }) => thread)), [5], "with a filter")
      equal(one.items[0]?.thread, yield* store.summary(Drafts.id(5)), "the thread's row")
      yield* fails(store.search("needle", { cursor: "x" }), "InvalidRequest", "a cursor that is none")
    })
  ),
  Case.test(
    "63.fault",
    "a thread that cannot be opened does not take the search with it",
    ({ faults, store }) =>
      Effect.gen(function* () {
        const failing = yield* faults
        for (let n = 1; n <= 3; n++) yield* make(store, n, `needle ${n}`)
        yield* failing.fail({ operations: ["open"], skip: 1 })
        const page = yield* store.search("needle", { sortDirection: "asc" })
        equal(yield* failing.stop, 1, "one failure")
        equal(Look.numbers(page.items.map(({ thread }) => thread)), [1, 3], "the others")
        equal(
          page.failures.map(({ error, threadId }) => [threadId, error._tag]),
          [[Drafts.id(2), "StoreUnavailable"]],
          "the one to be reported"
        )
      }),
    ["faults"]
  )
])
