import type { Explicit, Patch } from "@skein/store/Summary"
import { Effect } from "effect"
import * as Drafts from "../../Drafts.js"
import * as Case from "./Case.js"
import { equal, fails } from "./Check.js"
import * as Look from "./Look.js"

const { goal, parts, say } = Look
const id = Drafts.id(1)
const header = Drafts.header()

const git = { commit_hash: "c", branch: "b", repository_url: "u" }

export const cases = Case.group("Metadata", [
  Case.test("31", "a patch keeps what it does not name and clears what it nulls, field by field", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(Drafts.header({ more: { git } }), Drafts.turn({ id: "t", user: "hello" }))
      const keys = ["name", "memoryMode", "gitInfo", "metadata"] as const
      const logged = { sha: "c", branch: "b", originUrl: "u" }
      const none = { name: undefined, memoryMode: "enabled", gitInfo: logged, metadata: {} }
      const full = {
        name: "n",
        memoryMode: "disabled",
        gitInfo: { ...logged, branch: "other" },
        metadata: { tenant: "t", user: "x" }
      }
      const steps: ReadonlyArray<readonly [Patch, object]> = [
        [{}, none],
        [
          { name: "n", memoryMode: "disabled", gitInfo: { branch: "other" }, metadata: { tenant: "t", user: "x" } },
          full
        ],
        [{}, full],
        [{ name: undefined, memoryMode: undefined, gitInfo: undefined, metadata: undefined }, full],
        [{ metadata: { user: null, project: "p" } }, { ...full, metadata: { tenant: "t", project: "p" } }],
        [{ metadata: null }, { ...full, metadata: {} }],
        [
          { gitInfo: { sha: null } },
          { ...full, metadata: {}, gitInfo: { sha: null, branch: "other", originUrl: "u" } }
        ],
        [{ gitInfo: null }, { ...full, metadata: {}, gitInfo: undefined }],
        [
          { name: "", memoryMode: null },
          { ...none, gitInfo: undefined }
        ],
        [
          { name: 'é😀\u2028"\\', metadata: { "": "", "a.b": "\0", constructor: "x" } },
          { ...none, gitInfo: undefined, name: 'é😀\u2028"\\', metadata: { "": "", "a.b": "\0", constructor: "x" } }
        ]
      ]
      for (const [patch, expected] of steps) {
        const answer = yield* store.updateSummary(id, patch)
        equal(parts(answer, keys), expected, `the row after ${JSON.stringify(patch)}`)
        equal(yield* store.summary(id), answer, "the row to be that when it is read again")
        equal(yield* Look.listed(store), [answer], "and in the list")
      }
    })
  ),
  Case.test("31.bad", "a patch of what only the log tells, or of what is no text, is refused whole", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header)
      const before = yield* store.summary(id)
      for (const patch of [
        { preview: "x" },
        { name: "n", cwd: "/x" },
        { metadata: { a: 1 } },
        { name: 7 },
        { memoryMode: {} },
        { gitInfo: { sha: 1 } },
        { gitInfo: "x" },
        { metadata: "x" },
        null
      ]) {
        yield* fails(
          store.updateSummary(id, patch as unknown as Patch),
          "InvalidRequest",
          `the patch ${JSON.stringify(patch)}`
        )
      }
      equal(yield* store.summary(id), before, "nothing to have changed")
      const explicit = { metadata: { a: 1 } } as unknown as Explicit
      yield* fails(store.create(Drafts.header({ n: 2 }), [], { explicit }), "InvalidRequest", "a thread made with it")
      equal(
        (yield* store.updateSummary(id, { name: "a\ud800" })).name,
        "a\ufffd",
        "half a surrogate pair to become a whole letter"
      )
    })
  ),
  Case.test("31.together", "patches of different keys at once all come to pass", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header)
      const keys = Array.from({ length: 12 }, (_, i) => `k${i}`)
      yield* Effect.forEach(keys, (key) => store.updateSummary(id, { metadata: { [key]: key } }), {
        concurrency: "unbounded"
      })
      const expected = Object.fromEntries(keys.map((key) => [key, key]))
      equal((yield* store.summary(id)).metadata, expected, "every key")
    })
  ),
  Case.test("32", "an empty patch reads; a patch of nothing makes nothing", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header)
      equal(yield* store.updateSummary(id, {}), yield* store.summary(id), "the row")
      yield* fails(store.updateSummary(Drafts.id(9), { name: "n" }), "ThreadNotFound", "a patch of nothing")
      yield* fails(store.updateSummary(Drafts.id(9), {}), "ThreadNotFound", "an empty one too")
      equal(Look.numbers(yield* Look.listed(store, Look.everything)), [1], "no row to have been made")
    })
  ),
  Case.test(
    "33",
    "a name is seen wherever the thread is, survives what is appended, and is gone everywhere when cleared",
    ({ store }) =>
      Effect.gen(function* () {
        for (const [n, mode] of [
          [1, "legacy"],
          [2, "paginated"]
        ] as const) {
          const threadId = Drafts.id(n)
          yield* store.create(Drafts.header({ n, mode }), Drafts.turn({ id: "t", user: "hello", mode }))
          const names = Effect.gen(function* () {
            const listed = (yield* Look.listed(store)).filter((row) => row.id === threadId)
            const found = (yield* store.search("hello")).items.filter(({ thread }) => thread.id === threadId)
            return [
              (yield* store.summary(threadId)).name,
              ...listed.map(({ name }) => name),
              ...found.map(({ thread }) => thread.name)
            ]
          })
          yield* store.updateSummary(threadId, { name: "a name" })
          equal(yield* names, ["a name", "a name", "a name"], `the name (${mode})`)
          yield* store.append(threadId, Drafts.turn({ id: "t2", user: "another message", mode }))
          yield* store.append(threadId, [goal("a goal")])
          equal(yield* names, ["a name", "a name", "a name"], `the name later (${mode})`)
          equal(
            (yield* Look.listed(store, { searchTerm: "a name" })).map((row) => row.id),
            [threadId],
            "the list to find it"
          )
          yield* store.updateSummary(threadId, { name: null })
          equal(yield* names, [undefined, undefined, undefined], `no name (${mode})`)
          equal(yield* Look.listed(store, { searchTerm: "a name" }), [], "the list not to find it")
        }
      })
  ),
  Case.test(
    "34",
    "parts of the repository's state that were set or cleared stay so when the row is made anew",
    ({ store }) =>
      Effect.gen(function* () {
        yield* store.create(Drafts.header({ more: { git } }), [say("0")])
        const { position } = yield* store.append(id, [say("1")])
        yield* store.append(id, [say("2")])
        yield* store.updateSummary(id, { gitInfo: { sha: null, branch: "set" } })
        const expected = { sha: null, branch: "set", originUrl: "u" }
        yield* store.revert(id, { to: position, timestamp: Drafts.stamp(1) })
        equal((yield* store.summary(id)).gitInfo, expected, "the state after a revert")
        yield* store.append(id, [
          Drafts.header({ more: { git: { commit_hash: "new", branch: "new", repository_url: "new" } } })
        ])
        equal(
          (yield* store.summary(id)).gitInfo,
          { sha: null, branch: "set", originUrl: "new" },
          "the state after a new header"
        )
      })
  ),
  Case.test(
    "34.reopen",
    "what was said of a thread explicitly outlasts the store",
    ({ reopen, store }) =>
      Effect.gen(function* () {
        yield* store.create(Drafts.header({ more: { git } }), Drafts.turn({ id: "t", user: "hello" }), {
          explicit: { name: "n" }
        })
        yield* store.updateSummary(id, { memoryMode: "disabled", gitInfo: { sha: null }, metadata: { tenant: "t" } })
        yield* store.archive(id)
        const before = yield* store.summary(id, { includeArchived: true })
        const again = yield* reopen
        const keys = ["name", "memoryMode", "gitInfo", "metadata", "preview"] as const
        const row = yield* again.summary(id, { includeArchived: true })
        equal(parts(row, keys), parts(before, keys), "the row as it was")
        equal(
          Look.numbers(yield* Look.listed(again, { archived: true, metadata: { tenant: "t" } })),
          [1],
          "and in the list"
        )
      }),
    ["reopen"]
  ),
  Case.test(
    "35",
    "the memory mode is of its own: given at creation, set, and kept when the row is made anew",
    ({ store }) =>
      Effect.gen(function* () {
        yield* store.create(Drafts.header({ more: { memory_mode: "disabled", git } }), [say("0")])
        equal((yield* store.summary(id)).memoryMode, "disabled", "what the header says")
        yield* store.create(Drafts.header({ n: 2 }), [], { explicit: { memoryMode: "polluted" } })
        equal((yield* store.summary(Drafts.id(2))).memoryMode, "polluted", "what was said at creation")
        const { head } = yield* store.head(id)
        yield* store.updateSummary(id, { memoryMode: "enabled" })
        yield* store.updateSummary(id, { gitInfo: { branch: "x" } })
        yield* store.revert(id, { to: head, timestamp: Drafts.stamp(1) })
        equal((yield* store.summary(id)).memoryMode, "enabled", "what was set")
      })
  ),
  Case.test("36", "what is said explicitly leaves the log alone, in both modes", ({ store }) =>
    Effect.gen(function* () {
      for (const [n, mode] of [
        [1, "legacy"],
        [2, "paginated"]
      ] as const) {
        const threadId = Drafts.id(n)
        yield* store.create(Drafts.header({ n, mode }), [say("1")])
        const { head } = yield* store.head(threadId)
        yield* store.updateSummary(threadId, {
          name: "n",
          memoryMode: "disabled",
          gitInfo: { sha: "s" },
          metadata: { a: "b" }
        })
        equal((yield* store.head(threadId)).head, head, `the end of the log (${mode})`)
        equal(yield* Look.log(store, threadId), [`header 000${n}`, "assistant: 1"], `the log (${mode})`)
      }
    })
  )
])
