/** What a log keeps and how it is read again (thread-store §1.4, §10.1, §11 History). */
import { Effect, Stream } from "effect"
import * as fc from "fast-check"
import * as AnyRecord from "../../AnyRecord.js"
import * as Damage from "../../Damage.js"
import * as Drafts from "../../Drafts.js"
import * as Script from "../../Script.js"
import * as Thread from "../../Thread.js"
import * as Case from "./Case.js"
import { equal, fails, holds } from "./Check.js"
import * as Look from "./Look.js"
import { property } from "./Property.js"
import * as Raw from "./Raw.js"

const { say } = Look
const id = Drafts.id(1)

/** Kinds that legacy threads keep alone: they tell of items that a paginated thread keeps itself (thread-store §1.4). */
const legacyOnly: ReadonlySet<string> = new Set(
  [
    "user_message",
    "agent_message",
    "agent_reasoning",
    "agent_reasoning_raw_content",
    "entered_review_mode",
    "exited_review_mode",
    "patch_apply_end",
    "context_compacted",
    "mcp_tool_call_end",
    "web_search_end",
    "image_generation_end",
    "sub_agent_activity"
  ].map((type) => `event ${type}`)
)

/** Events that both keep; canonical items are kept in legacy threads too, beyond what the reference does. */
const always: ReadonlySet<string> = new Set(
  [
    "task_started",
    "task_complete",
    "turn_aborted",
    "token_count",
    "thread_rolled_back",
    "thread_goal_updated",
    "thread_settings_applied",
    "item_completed"
  ].map((type) => `event ${type}`)
)

const isKept = (name: string, mode: "legacy" | "paginated"): boolean => {
  if (name === "item compaction_trigger") return false
  if (!name.startsWith("event ")) return true
  return always.has(name) || (mode === "legacy" && legacyOnly.has(name))
}

export const cases = Case.group("History", [
  Case.test("16", "which records are kept, kind by kind, in threads of both modes", ({ store }) =>
    Effect.gen(function* () {
      for (const [n, mode] of [
        [1, "legacy"],
        [2, "paginated"]
      ] as const) {
        let { position: after } = yield* store.create(Drafts.header({ n, mode }))
        for (const { name } of AnyRecord.all) {
          const [one] = fc.sample(AnyRecord.recordOfKind(name), { numRuns: 1, seed: 16 })
          const draft = one === undefined ? undefined : Drafts.again(one.record)
          if (draft === undefined) continue
          const { position, records } = yield* store.append(Drafts.id(n), [draft])
          equal(
            records.length,
            isKept(name, mode) ? 1 : 0,
            `${name} to be ${isKept(name, mode) ? "kept" : "left out"} (${mode})`
          )
          const rows = yield* Look.rows(store, Drafts.id(n), { after })
          const last = rows.at(-1)
          equal(rows.length, records.length, `the log to hold what is answered (${name}, ${mode})`)
          equal(last?.position ?? after, position, `the log to end where it is said (${name}, ${mode})`)
          after = position
          if (isKept(name, mode)) {
            const stored = last !== undefined && Look.isRecord(last.decoded) ? last.decoded.payload : undefined
            equal(stored, records[0]?.payload, `${name} to be stored as it was answered (${mode})`)
          }
        }
      }
    })
  ),
  Case.test("17", "records come back in their order, headers that were copied from elsewhere among them", ({ store }) =>
    Effect.gen(function* () {
      const lines = [
        Script.header({ id, session_id: id, forked_from_id: Drafts.id(8) }),
        Script.header({ id: Drafts.id(8), cwd: "/elsewhere", memory_mode: "disabled" }),
        Script.user("one"),
        Script.userEvent("one"),
        Script.header({ id: Drafts.id(9) }),
        Script.assistant("two")
      ]
      yield* store.imported(
        Raw.thread(
          1,
          lines.map((line, i) => Raw.line(line, i))
        )
      )
      equal(
        yield* Look.log(store, id),
        ["header 0001", "header 0008", "user: one", "user_message: one", "header 0009", "assistant: two"],
        "every line in its place"
      )
      const { cwd, forkedFromId, memoryMode, preview } = yield* store.summary(id)
      equal(
        { cwd, forkedFromId, memoryMode, preview },
        { cwd: "/repo", forkedFromId: Drafts.id(8), memoryMode: "enabled", preview: "one" },
        "the thread's own header to count"
      )
    })
  ),
  Case.test("18", "a header that names neither session nor mode is one of its own session and legacy", ({ store }) =>
    Effect.gen(function* () {
      const { history_mode: _, session_id: __, ...payload } = Script.header({ id }).payload as Record<string, unknown>
      yield* store.imported(Raw.thread(1, [Raw.line({ type: "session_meta", payload })]))
      const expected = { sessionId: id, historyMode: "legacy" }
      const read = yield* store.summary(id)
      equal({ sessionId: read.sessionId, historyMode: read.historyMode }, expected, "the defaults")
      const other = { ...Drafts.header({ n: 2 }), payload: { ...payload, id: Drafts.id(2) } }
      yield* store.create(other as ReturnType<typeof Drafts.header>)
      const made = yield* store.summary(Drafts.id(2))
      equal(made.sessionId, Drafts.id(2), "the same for a thread that was made here")
      yield* store.append(id, [say("x")])
      equal(yield* Look.said(store, id), ["x"], "it to go on as a legacy thread")
    })
  ),
  Case.test(
    "19",
    "a thread of an unknown mode is listed, archived, copied and deleted, and never read or written",
    ({ store }) =>
      Effect.gen(function* () {
        const lines = [
          Raw.line(Script.header({ id, session_id: id, history_mode: "quantum" })),
          Raw.line(Script.userEvent("a secret word")),
          Raw.line(Script.user("a secret word"))
        ]
        const foreign = Raw.thread(1, lines, { historyMode: "quantum" })
        yield* store.imported(foreign)
        yield* store.create(Drafts.header({ n: 2 }), Drafts.turn({ id: "t", user: "a secret word" }))
        const questions: Look.Questions = {
          head: store.head(id),
          open: Effect.scoped(store.open(id)),
          read: Stream.runCollect(store.read(id)),
          follow: Stream.runCollect(store.follow(id)),
          turns: store.turns(id),
          items: store.items(id),
          occurrences: store.occurrences(id, { searchTerm: "secret" }),
          append: store.append(id, [say("x")]),
          fork: store.fork(id, { header: Drafts.header({ n: 3 }) }),
          revert: store.revert(id, { to: { segmentId: id, offset: 0 }, timestamp: Drafts.stamp() })
        }
        for (const [name, question] of Object.entries(questions)) {
          const error = yield* fails(question, "UnsupportedHistoryMode", name)
          equal(error.historyMode, "quantum", `${name} to say which mode`)
        }
        equal((yield* store.summary(id)).historyMode, "quantum", "the row to show the mode")
        equal((yield* store.summary(id)).preview, "", "nothing of its records to be guessed")
        equal(Look.numbers(yield* Look.listed(store)).toSorted(), [1, 2], "the list to have it, and the good one")
        const page = yield* store.search("secret")
        equal(Look.numbers(page.items.map(({ thread }) => thread)), [2], "a search to find the good one")
        equal(
          page.failures.map(({ error, threadId }) => [threadId, error._tag]),
          [[id, "UnsupportedHistoryMode"]],
          "and to report the other"
        )
        equal((yield* Look.stored(store, id))[0]?.lines, lines.map(Look.latin1), "its bytes as they were")
        yield* store.archive(id)
        yield* store.unarchive(id)
        yield* store.delete(id)
        equal(Look.numbers(yield* Look.listed(store, Look.everything)), [2], "it to be gone")
      })
  ),
  Case.test("19.later", "an unknown mode in a later header costs that line alone", ({ store }) =>
    Effect.gen(function* () {
      const lines = [
        Script.header({ id }),
        Script.header({ id, history_mode: "quantum", cwd: "/x" }),
        Script.assistant("a")
      ]
      yield* store.imported(
        Raw.thread(
          1,
          lines.map((line) => Raw.line(line))
        )
      )
      equal(
        yield* Look.log(store, id),
        ["header 0001", "damage unknown-history-mode", "assistant: a"],
        "the rest to be read"
      )
      equal((yield* store.summary(id)).historyMode, "legacy", "the mode of the first header")
    })
  ),
  Case.test("20", "records of unknown kinds are kept as they are, and cost nothing else", ({ store }) =>
    Effect.gen(function* () {
      const lines = [
        Script.header({ id }),
        { type: "of_tomorrow", payload: { a: 1 } },
        { type: "event_msg", payload: { type: "event_of_tomorrow" } },
        { type: "response_item", payload: { type: "item_of_tomorrow" } },
        Drafts.item("t", { type: "ThingOfTomorrow", id: "x" }),
        Script.assistant("a")
      ].map((line) => Raw.line(line))
      yield* store.imported(Raw.thread(1, lines))
      yield* store.append(id, [say("b")])
      equal(
        yield* Look.log(store, id),
        [
          "header 0001",
          "unknown of_tomorrow",
          "unknown event_of_tomorrow",
          "unknown item_of_tomorrow",
          "unknown ThingOfTomorrow",
          "assistant: a",
          "assistant: b"
        ],
        "every line to be there"
      )
      equal((yield* Look.stored(store, id))[0]?.lines.slice(0, lines.length), lines.map(Look.latin1), "and its bytes")
    })
  ),
  Case.test(
    "21",
    "lines that cannot be read are told of, one by one, and all others are read; appending goes on",
    ({ store }) =>
      Effect.gen(function* () {
        const good = (text: string) => Raw.line(Script.assistant(text))
        const deep = `${"[".repeat(140)}${"]".repeat(140)}`
        const bad: ReadonlyArray<readonly [reason: string, bytes: Uint8Array]> = [
          ["invalid-json", Raw.text('{"timestamp":"2026')],
          ["not-an-object", Raw.text("[1]")],
          ["bad-envelope", Raw.text("{}")],
          ["bad-payload", Raw.line({ type: "response_item", payload: { type: "message" } })],
          ["invalid-utf8", Uint8Array.from([...good("x").slice(0, 20), 0xff, 0xfe, ...good("x").slice(20)])],
          ["invalid-json", Uint8Array.from([0, 0, 0])],
          ["too-deep", Raw.text(`{"timestamp":"x","type":"compacted","payload":{"a":${deep}}}`)],
          ["lone-surrogate", Raw.text('{"timestamp":"x","type":"compacted","payload":{"message":"\\ud800"}}')]
        ]
        const lines = [
          Raw.line(Script.header({ id })),
          ...bad.flatMap(([, bytes], i) => [bytes, good(String(i))]),
          Raw.text(""),
          Raw.text("  \t\r"),
          Raw.text(`${new TextDecoder().decode(good("crlf"))}\r`)
        ]
        yield* store.imported(Raw.thread(1, lines))
        const { position, records } = yield* store.append(id, [say("after")])
        const rows = yield* Look.rows(store, id)
        const damage = rows.flatMap(({ decoded }) => (decoded.kind === "damage" ? [decoded.reason] : []))
        equal(
          damage,
          bad.map(([reason]) => reason),
          "the damage, each with its reason"
        )
        equal(rows.filter(({ decoded }) => decoded.kind === "blank").length, 2, "blank lines to be told of")
        const texts = [...bad.map((_, i) => String(i)), "crlf", "after"]
        equal(yield* Look.said(store, id), texts, "all that is readable")
        equal(rows.at(-1)?.position, position, "the append to stand at the end")
        equal(records.length, 1, "the append to be answered")
        const back = yield* Look.rows(store, id, { direction: "backward" })
        equal(
          back.map(({ position }) => position),
          rows.map(({ position }) => position).toReversed(),
          "the same from the end"
        )
        equal(
          (yield* Look.stored(store, id))[0]?.lines.slice(0, lines.length),
          lines.map(Look.latin1),
          "every byte of it"
        )
        yield* store.turns(id)
        equal(Look.numbers(yield* Look.listed(store, Look.everything)), [1], "the list to have it")
        equal((yield* store.search("after", { hidden: true })).failures, [], "a search not to fail of it")
      })
  ),
  Case.test("21.random", "whatever happened to a file, its intact lines are read", ({ effort, fresh }) =>
    property(
      effort,
      Thread.thread({ form: "legacy", maxEntries: 3 }).chain((thread) => {
        const bytes = Thread.bytesOf(thread.files[0] ?? { name: "", lines: [] })
        return fc.tuple(fc.constant(Raw.threads(thread)[0]?.row.threadId ?? id), Damage.damaged(bytes, { max: 3 }))
      }),
      ([threadId, { bytes }]) =>
        Effect.gen(function* () {
          const { store } = yield* fresh
          const lines = split(bytes)
          // A file without a line, or with blank ones only, is no thread yet.
          if (lines.every((line) => line.every((byte) => byte <= 0x20))) return
          yield* store.imported(Raw.exported(threadId, [{ segmentId: threadId, lines }]))
          const read = (yield* Look.rows(store, threadId)).map(({ decoded }) => decoded)
          const texts = read.map(({ line }) => Look.latin1(line.bytes))
          equal(texts, lines.map(Look.latin1), "every line, readable or not, in its place")
          const appended = yield* Effect.either(store.append(threadId, [say("after")]))
          if (appended._tag === "Right")
            equal((yield* Look.said(store, threadId)).at(-1), "after", "appending to go on")
          else {
            // Whoever cannot say which thread it is may leave it as it is.
            equal(appended.left._tag, "CorruptThread", "the reason")
            holds(!read.some(({ kind }) => kind === "session_meta"), "a thread with a header to go on", texts)
          }
          yield* store.turns(threadId)
          yield* store.summaries(Look.everything)
        })
    )
  ),
  Case.test("22", "paginated threads are read, paged and searched as any other", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(
        Drafts.header({ mode: "paginated" }),
        Drafts.turn({ id: "t1", user: "one", agent: "first", mode: "paginated" })
      )
      yield* store.append(id, Drafts.turn({ id: "t2", user: "two", agent: "second", mode: "paginated" }))
      const rows = yield* Look.rows(store, id)
      const back = yield* Look.rows(store, id, { direction: "backward" })
      equal(
        back.map(({ position }) => position),
        rows.map(({ position }) => position).toReversed(),
        "both directions"
      )
      equal(
        (yield* store.turns(id, { direction: "asc" })).items.map((turn) => turn.id),
        ["t1", "t2"],
        "its turns"
      )
      equal(
        (yield* store.items(id)).items.map(({ item }) => item.id),
        ["t1-u", "t1-a", "t2-u", "t2-a"],
        "its items"
      )
      equal((yield* store.occurrences(id, { searchTerm: "second" })).items.length, 1, "its occurrences")
      equal(
        (yield* store.search("second")).items.map(({ snippet }) => snippet),
        ["second"],
        "its search"
      )
      const { historyMode, preview } = yield* store.updateSummary(id, { name: "a name" })
      equal({ historyMode, preview }, { historyMode: "paginated", preview: "one" }, "its row")
      yield* store.archive(id)
      yield* store.unarchive(id)
      yield* store.delete(id)
    })
  ),
  Case.test("23", "an archived thread is read by those who say so, and written by nobody", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(Drafts.header(), Drafts.turn({ id: "t", user: "hello", agent: "hi" }))
      const { head } = yield* store.head(id)
      yield* store.archive(id)
      const asks = (includeArchived: boolean | undefined): Look.Questions => ({
        head: store.head(id, { includeArchived }),
        open: Effect.scoped(store.open(id, { includeArchived })),
        read: Stream.runCollect(store.read(id, { includeArchived })),
        follow: Stream.runCollect(Stream.take(store.follow(id, undefined, { includeArchived }), 1)),
        summary: store.summary(id, { includeArchived }),
        turns: store.turns(id, { includeArchived }),
        items: store.items(id, { includeArchived }),
        occurrences: store.occurrences(id, { searchTerm: "hi", includeArchived })
      })
      for (const permission of [undefined, false]) {
        for (const [name, question] of Object.entries(asks(permission))) {
          yield* fails(question, "InvalidRequest", name)
        }
      }
      for (const question of Object.values(asks(true))) yield* question
      const header = Drafts.header({ n: 2 })
      yield* fails(store.fork(id, { header }), "InvalidRequest", "a fork")
      yield* store.fork(id, { header, includeArchived: true })
      equal(yield* Look.said(store, Drafts.id(2)), ["hi"], "a fork by whom says so")
      yield* fails(store.append(id, [say("x")]), "InvalidRequest", "an append")
      yield* fails(store.revert(id, { to: head, timestamp: Drafts.stamp() }), "InvalidRequest", "a revert")
      equal((yield* store.updateSummary(id, { name: "a name" })).name, "a name", "a name to be given all the same")
      yield* store.unarchive(id)
      equal(yield* Look.said(store, id), ["hi"], "nothing written meanwhile")
    })
  )
])

/** The lines of a file. The last one of a file that was cut off is one too. */
const split = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const lines: Array<Uint8Array> = []
  let from = 0
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, from)) {
    lines.push(bytes.subarray(from, at))
    from = at + 1
  }
  holds(from <= bytes.length, "the file to be split")
  return from === bytes.length ? lines : [...lines, bytes.subarray(from)]
}
