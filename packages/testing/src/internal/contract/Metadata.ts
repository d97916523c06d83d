/** What a row of a list tells of a thread, and what can be said of it (thread-store §2, §11 Metadata). */
import type { Draft } from "@skein/core/record/Record"
import { Effect } from "effect"
import * as Drafts from "../../Drafts.js"
import * as Script from "../../Script.js"
import * as Case from "./Case.js"
import { equal } from "./Check.js"
import * as Look from "./Look.js"

const { goal, parts, say } = Look
const id = Drafts.id(1)
const header = Drafts.header()

const event = (payload: object): Script.Line => ({ type: "event_msg", payload })
const settings = (more: object): Draft =>
  Drafts.of(
    event({
      type: "thread_settings_applied",
      thread_id: id,
      thread_settings: {
        model: "m9",
        model_provider_id: "p9",
        approval_policy: "never",
        approvals_reviewer: "user",
        permission_profile: { type: "disabled" },
        cwd: "/settings",
        collaboration_mode: {
          mode: "default",
          settings: { model: "m9", reasoning_effort: null, developer_instructions: null }
        },
        ...more
      }
    })
  )

/** The row of a thread that consists of these records, as it is told alone and in a list. */
const rowOf = ({ fresh }: Case.Bench, records: ReadonlyArray<Draft>, at = header) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { store } = yield* fresh
      yield* store.create(at)
      for (const record of records) yield* store.append(id, [record])
      const row = yield* store.summary(id)
      equal(yield* Look.listed(store, Look.everything), [row], "the list to say the same as the thread")
      return row
    })
  )

const shown = ["preview", "firstUserMessage", "name"] as const
const git = { commit_hash: "c", branch: "b", repository_url: "u" }

export const cases = Case.group("Metadata", [
  Case.test(
    "25",
    "records that tell nothing of the thread change nothing but the time of its last change",
    ({ store }) =>
      Effect.gen(function* () {
        yield* store.create(header, Drafts.turn({ id: "t", user: "hello" }))
        const before = yield* store.summary(id)
        yield* store.append(id, [
          say("1", 5_000),
          Drafts.of(Script.full({ a: 1 }), 5_000),
          Drafts.of(Script.user("not shown"), 5_000)
        ])
        equal(yield* store.summary(id), { ...before, updatedAt: Drafts.epoch + 5_000 }, "the rest to be as before")
      })
  ),
  Case.test("26", "the first message is message, preview and title; later ones are none of it", (bench) =>
    Effect.gen(function* () {
      const row = yield* rowOf(bench, [Drafts.of(Script.userEvent("first")), Drafts.of(Script.userEvent("second"))])
      equal(parts(row, shown), { preview: "first", firstUserMessage: "first", name: undefined }, "the first")
      const item = Drafts.of(Drafts.item("t", Drafts.userItem("u", "of an item")))
      const other = yield* rowOf(
        bench,
        [item, Drafts.of(Script.userEvent("second"))],
        Drafts.header({ mode: "paginated" })
      )
      equal(
        parts(other, shown),
        { preview: "of an item", firstUserMessage: "of an item", name: undefined },
        "an item's"
      )
    })
  ),
  Case.test("27", "a goal that came first is the preview, and the message is the message", (bench) =>
    Effect.gen(function* () {
      const row = yield* rowOf(bench, [goal("  win "), goal("win more"), Drafts.of(Script.userEvent("hello"))])
      equal(parts(row, shown), { preview: "win", firstUserMessage: "hello", name: undefined }, "both")
    })
  ),
  Case.test(
    "28",
    "what an editor put in front is cut off, an image alone is shown as one, and white space is nothing",
    (bench) =>
      Effect.gen(function* () {
        const said = (text: string, more: object = {}) =>
          Drafts.of(event({ type: "user_message", message: text, ...more }))
        const marked = yield* rowOf(bench, [said("ctx\n## My request for Codex:\n fix it ")])
        equal(marked.preview, "fix it", "the request")
        const images = yield* rowOf(bench, [said(" ", { images: ["data:x"] }), said("look")])
        equal(
          parts(images, shown),
          { preview: "[Image]", firstUserMessage: "[Image]", name: "look" },
          "the image, and the next words as its name"
        )
        const blank = yield* rowOf(bench, [said(" \n\t"), said("words")])
        equal(blank.preview, "words", "the first message that says something")
      })
  ),
  Case.test(
    "29",
    "turn contexts and settings: the last one counts, an absent effort clears, a directory is set once",
    (bench) =>
      Effect.gen(function* () {
        const keys = ["model", "reasoningEffort", "approvalPolicy", "permissions", "cwd", "modelProvider"] as const
        const first = Drafts.of(Script.turnContext("a", "m1", { effort: "high", cwd: "/turn" }))
        const second = Drafts.of(Script.turnContext("b", "m2", { approval_policy: "on-request", cwd: "/turn2" }))
        const sandbox = { type: "danger-full-access" }
        const one = yield* rowOf(bench, [first])
        equal(
          parts(one, keys),
          {
            model: "m1",
            reasoningEffort: "high",
            approvalPolicy: "never",
            permissions: sandbox,
            cwd: "/repo",
            modelProvider: "openai"
          },
          "one turn"
        )
        const two = yield* rowOf(bench, [first, second])
        equal(
          parts(two, keys),
          {
            model: "m2",
            reasoningEffort: undefined,
            approvalPolicy: "on-request",
            permissions: sandbox,
            cwd: "/repo",
            modelProvider: "openai"
          },
          "two turns"
        )
        const unset = yield* rowOf(bench, [first, second], Drafts.header({ more: { cwd: "" } }))
        equal(unset.cwd, "/turn", "a header without a directory")
        const set = yield* rowOf(bench, [first, settings({ reasoning_effort: "low" })])
        equal(
          parts(set, keys),
          {
            model: "m9",
            reasoningEffort: "low",
            approvalPolicy: "never",
            permissions: { type: "disabled" },
            cwd: "/settings",
            modelProvider: "p9"
          },
          "settings"
        )
      })
  ),
  Case.test(
    "30",
    "of token counts the last one counts, none is below zero, and one without figures says nothing",
    (bench) =>
      Effect.gen(function* () {
        const tokens = (...totals: ReadonlyArray<number | null>) =>
          Effect.map(
            rowOf(
              bench,
              totals.map((total) => Drafts.of(Script.tokens(total)))
            ),
            (row) => row.tokensUsed
          )
        equal(yield* tokens(), undefined, "no count")
        equal(yield* tokens(5, 3), 3, "the last one")
        equal(yield* tokens(5, -7), 0, "none below zero")
        equal(yield* tokens(5, null), 5, "one without figures")
      })
  ),
  Case.test("37", "a fork takes neither memory mode nor git nor a name from what it inherits", ({ store }) =>
    Effect.gen(function* () {
      for (const [n, mode] of [
        [1, "legacy"],
        [2, "paginated"]
      ] as const) {
        const source = Drafts.header({ n, mode, more: { memory_mode: "disabled", git, cwd: "/source" } })
        yield* store.create(source, Drafts.turn({ id: "t", user: "hello", mode }), {
          explicit: { name: "a name", metadata: { a: "b" } }
        })
        yield* store.fork(Drafts.id(n), {
          header: Drafts.header({ n: n + 10, more: { forked_from_id: Drafts.id(n) } })
        })
        const row = yield* store.summary(Drafts.id(n + 10))
        const keys = ["memoryMode", "gitInfo", "name", "cwd", "metadata", "preview"] as const
        equal(
          parts(row, keys),
          { memoryMode: "enabled", gitInfo: undefined, name: undefined, cwd: "/repo", metadata: {}, preview: "hello" },
          `the fork's row (${mode})`
        )
      }
    })
  ),
  Case.test(
    "38",
    "the first message stays the first, however far the thread has gone on and wherever it is gone on from",
    ({ store }) =>
      Effect.gen(function* () {
        const mode = "paginated"
        yield* store.create(Drafts.header({ mode }), Drafts.turn({ id: "t0", user: "first", mode }))
        for (let i = 1; i < 6; i++) yield* store.append(id, Drafts.turn({ id: `t${i}`, user: `later ${i}`, mode }))
        const { head } = yield* store.head(id)
        yield* store.revert(id, { to: head, timestamp: Drafts.stamp(1) })
        yield* store.append(id, Drafts.turn({ id: "t9", user: "last", mode }))
        const row = yield* store.summary(id)
        equal([row.preview, row.firstUserMessage, row.name], ["first", "first", undefined], "the first message")
      })
  ),
  Case.test(
    "39",
    "when the row cannot be kept an append is done all the same, and the next list is right",
    ({ faults, store }) =>
      Effect.gen(function* () {
        const failing = yield* faults
        yield* store.create(header, Drafts.turn({ id: "t", user: "hello" }))
        yield* store.fork(id, { header: Drafts.header({ n: 2 }) })
        yield* failing.fail({ operations: ["putDerived"], times: 2 })
        yield* store.append(Drafts.id(2), [say("1", 7_000)])
        const first = yield* Effect.either(store.summaries())
        yield* failing.stop
        if (first._tag === "Left") equal(first.left._tag, "StoreUnavailable", "the list to say that it does not know")
        else equal(first.right.items.length, 2, "the list to be whole")
        const row = yield* store.summary(Drafts.id(2))
        equal([row.preview, row.updatedAt], ["hello", Drafts.epoch + 7_000], "the row afterwards")
      }),
    ["faults"]
  ),
  Case.test("40", "every append is seen in the list at once, however soon after the one before", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header, Drafts.turn({ id: "t", user: "hello" }))
      for (let i = 1; i <= 20; i++) {
        yield* store.append(id, [say(String(i), i)])
        const [row] = yield* Look.listed(store)
        equal(row?.updatedAt, Drafts.epoch + i, "the time of the last record")
      }
    })
  )
])
