/** How threads come about and who may write to them (thread-store §1.3, §11 Lifecycle). */
import type { Draft } from "@skein/core/record/Record"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Exit, Fiber, Scope, Stream } from "effect"
import * as Drafts from "../../Drafts.js"
import * as Script from "../../Script.js"
import * as Case from "./Case.js"
import { equal, fails, holds } from "./Check.js"
import * as Look from "./Look.js"

const { say } = Look
const id = Drafts.id(1)
const header = Drafts.header()

/** A header or record that no store takes. */
const bad = { ...say("bad"), payload: { type: "message" } } as unknown as Draft

/** Everything that can be asked of a thread. */
const everyQuestion = (store: ThreadStoreService, threadId: string): Look.Questions => ({
  head: store.head(threadId),
  open: Effect.scoped(store.open(threadId)),
  read: Stream.runCollect(store.read(threadId)),
  follow: Stream.runCollect(store.follow(threadId)),
  append: store.append(threadId, [say("x")]),
  fork: store.fork(threadId, { header: Drafts.header({ n: 77 }) }),
  revert: store.revert(threadId, { to: { segmentId: threadId, offset: 0 }, timestamp: Drafts.stamp() }),
  summary: store.summary(threadId),
  turns: store.turns(threadId),
  items: store.items(threadId),
  occurrences: store.occurrences(threadId, { searchTerm: "x" }),
  updateSummary: store.updateSummary(threadId, { name: "x" }),
  archive: store.archive(threadId),
  unarchive: store.unarchive(threadId),
  delete: store.delete(threadId),
  lease: Effect.scoped(store.lease(threadId)),
  exported: Effect.scoped(store.exported(threadId))
})

export const cases = Case.group("Lifecycle", [
  Case.test("1", "what nobody made is not there: unreadable, unlisted, and asking for it leaves nothing", ({ store }) =>
    Effect.gen(function* () {
      yield* fails(store.create(header, [say("x"), bad]), "InvalidRequest", "a create with a bad record")
      for (const [name, question] of Object.entries(everyQuestion(store, id))) {
        yield* fails(question, "ThreadNotFound", name)
      }
      equal(yield* Look.listed(store, Look.everything), [], "no thread to be listed")
      yield* store.create(header)
      equal(Look.numbers(yield* Look.listed(store, Look.everything)), [1], "the id to have stayed free")
    })
  ),
  Case.test(
    "1.files",
    "what was refused left no file",
    ({ files, store }) =>
      Effect.gen(function* () {
        const { list } = yield* files
        yield* store.create(Drafts.header({ n: 2 }))
        const before = yield* list
        yield* fails(store.create(header, [bad]), "InvalidRequest", "a create with a bad record")
        yield* fails(store.create(Drafts.header({ n: 2 })), "ThreadAlreadyExists", "a second create")
        yield* fails(store.append(id, [say("x")]), "ThreadNotFound", "an append to nothing")
        equal(yield* list, before, "the files to be as before")
      }),
    ["files"]
  ),
  Case.test("2", "a header without a working directory is refused, and so is one that is none", ({ store }) =>
    Effect.gen(function* () {
      const { cwd: _, ...payload } = header.payload
      const without = (payload: unknown) => ({ ...header, payload }) as unknown as Draft<"session_meta">
      for (const one of [
        without(payload),
        without(null),
        without({}),
        without({ ...header.payload, id: "x" }),
        {},
        null
      ]) {
        yield* fails(store.create(one as Draft<"session_meta">), "InvalidRequest", "a create with a bad header")
      }
      const odd = { ...say("x"), payload: header.payload } as unknown as Draft<"session_meta">
      yield* fails(store.create(odd), "InvalidRequest", "a create with a header of another type")
      equal(yield* Look.listed(store, Look.everything), [], "nothing to be there")
    })
  ),
  Case.test("3", "who writes is alone: a second lease, an append beside it and a revert meet LeaseHeld", ({ store }) =>
    Effect.gen(function* () {
      const { position } = yield* store.create(header, [say("0")])
      yield* fails(store.create(header, [say("again")]), "ThreadAlreadyExists", "a second create")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const lease = yield* store.lease(id, { name: "the first" })
          const error = yield* fails(Effect.scoped(store.lease(id)), "LeaseHeld", "a second lease")
          holds(error.holder.name.includes("the first"), "the error to say who holds it", error.holder)
          yield* fails(store.append(id, [say("x")]), "LeaseHeld", "an append without the lease")
          yield* fails(store.append(id, [say("x")], { fence: lease.fence + 1 }), "LeaseHeld", "one with another fence")
          const expected = { expected: position, operationId: "o" }
          yield* fails(store.append(id, [say("x")], expected), "LeaseHeld", "one at the right place")
          const revert = { to: position, timestamp: Drafts.stamp() }
          yield* fails(store.revert(id, revert), "LeaseHeld", "a revert without the lease")
          yield* store.append(id, [say("1")], { fence: lease.fence })
          yield* store.append(id, [say("2")], { fence: lease.fence })
        })
      )
      yield* store.append(id, [say("3")])
      equal(yield* Look.said(store, id), ["0", "1", "2", "3"], "the first writer unharmed and nobody else heard")
    })
  ),
  Case.test("4", "records that no thread keeps leave nothing", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header, [Look.dropped, say("1"), Look.dropped])
      const before = yield* Look.stored(store, id)
      const { head } = yield* store.head(id)
      equal(
        yield* store.append(id, [Look.dropped, Look.dropped]),
        { position: head, records: [] },
        "nothing to be written"
      )
      equal(yield* Look.stored(store, id), before, "no byte to have changed")
      equal(yield* Look.log(store, id), ["header 0001", "assistant: 1"], "what was kept")
    })
  ),
  Case.test("5", "the first record is the header, with every field of the creation", ({ store }) =>
    Effect.gen(function* () {
      const full = Drafts.header({
        more: {
          session_id: Drafts.id(9),
          forked_from_id: Drafts.id(8),
          parent_thread_id: Drafts.id(7),
          cwd: "/repo/x y",
          originator: "an_originator",
          cli_version: "1.2.3",
          source: {
            subagent: {
              thread_spawn: {
                parent_thread_id: Drafts.id(7),
                depth: 1,
                agent_path: "/root/w",
                agent_nickname: "w",
                agent_role: "worker"
              }
            }
          },
          thread_source: "subagent",
          agent_nickname: "w",
          agent_role: "worker",
          agent_path: "/root/w",
          model_provider: "a_provider",
          base_instructions: { text: "Be brief." },
          dynamic_tools: [{ name: "t", description: "d", inputSchema: { type: "object" }, deferLoading: true }],
          selected_capability_roots: [
            { id: "r", location: { type: "environment", environmentId: "e", path: "file:///roots/r" } }
          ],
          memory_mode: "disabled",
          multi_agent_version: "v1",
          context_window: { window_id: Drafts.id(6) },
          git: { commit_hash: "c", branch: "b", repository_url: "u" },
          not_known_yet: { kept: true }
        }
      })
      const made = yield* store.create(full)
      const [first, ...rest] = yield* Look.records(store, id)
      equal(rest, [], "nothing else to be there")
      equal(first?.payload, full.payload, "the header as it was given")
      equal(first?.timestamp, full.timestamp, "its time")
      equal(
        made.records.map(({ payload }) => payload),
        [full.payload],
        "the answer to say the same"
      )
    })
  ),
  Case.test("6", "a thread of nothing but its header is one; making it again changes no byte", ({ store }) =>
    Effect.gen(function* () {
      const { position } = yield* store.create(header)
      const before = yield* Look.stored(store, id)
      equal(
        before.map(({ lines }) => lines.length),
        [1],
        "one line"
      )
      yield* fails(store.create(header), "ThreadAlreadyExists", "a second create")
      const upper = Drafts.header({ more: { id: id.toUpperCase(), cwd: "/other" } })
      yield* fails(store.create(upper), "ThreadAlreadyExists", "one whose id is spelled otherwise")
      equal(yield* Look.stored(store, id), before, "no byte to have changed")
      equal((yield* store.head(id.toUpperCase())).head, position, "the head, under an id in capitals")
    })
  ),
  Case.test("7", "order is kept, over many appends and among callers at once; batches stay in one piece", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header)
      const alone = Array.from({ length: 40 }, (_, i) => `s${i}`)
      for (const text of alone) yield* store.append(id, [say(text)])
      const callers = Array.from({ length: 8 }, (_, caller) => Array.from({ length: 12 }, (_, i) => `${caller}.${i}`))
      const ends = yield* Effect.forEach(
        callers,
        (batches) => Effect.forEach(batches, (name) => store.append(id, [say(`${name}a`), say(`${name}b`)])),
        { concurrency: "unbounded" }
      )
      const texts = yield* Look.said(store, id)
      equal(texts.slice(0, alone.length), alone, "what one caller wrote, in order")
      const rest = texts.slice(alone.length)
      const order = rest.filter((text) => text.endsWith("a")).map((text) => text.slice(0, -1))
      equal(
        rest,
        order.flatMap((name) => [`${name}a`, `${name}b`]),
        "each batch in one piece"
      )
      equal(order.toSorted(), callers.flat().toSorted(), "every batch to be there once")
      for (const [caller, batches] of callers.entries()) {
        equal(
          order.filter((name) => name.startsWith(`${caller}.`)),
          batches,
          "each caller's order"
        )
      }
      const told = yield* Look.rows(store, id)
      const positions = new Map(
        told.map(({ decoded, position }) => [Look.words(decoded).slice("assistant: ".length), position])
      )
      for (const [caller, batches] of callers.entries()) {
        for (const [i, name] of batches.entries()) {
          equal(ends[caller]?.[i]?.position, positions.get(`${name}b`), `the place behind batch ${name}`)
        }
      }
    })
  ),
  Case.test("8", "who gave the lease back, or wrote to what was deleted, writes no more", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header, [say("1")])
      const { fence } = yield* Effect.scoped(store.lease(id))
      yield* fails(
        store.append(id, [say("late")], { fence }),
        "LeaseHeld",
        "an append with a lease that was given back"
      )
      const { head } = yield* store.head(id)
      const revert = { to: head, timestamp: Drafts.stamp(), fence }
      yield* fails(store.revert(id, revert), "LeaseHeld", "a revert with it")
      equal(yield* Look.said(store, id), ["1"], "nothing of it")
      yield* store.delete(id)
      yield* fails(store.append(id, [say("late")]), "ThreadNotFound", "an append to what was deleted")
    })
  ),
  Case.test(
    "9",
    "a lease that nobody used leaves nothing, giving it back twice is fine, and what was durable stays",
    ({ store }) =>
      Effect.gen(function* () {
        yield* store.create(header, [say("1")])
        const before = yield* Look.stored(store, id)
        const scope = yield* Scope.make()
        yield* Scope.extend(store.lease(id), scope)
        yield* Scope.close(scope, Exit.void)
        yield* Scope.close(scope, Exit.void)
        equal(yield* Look.stored(store, id), before, "no byte to have changed")
        yield* Effect.scoped(Effect.flatMap(store.lease(id), ({ fence }) => store.append(id, [say("2")], { fence })))
        equal(yield* Look.said(store, id), ["1", "2"], "what was written under the lease")
      })
  ),
  Case.test(
    "10",
    "a writer whose append fails stays the writer; trying again delivers everything, once",
    ({ faults, store }) =>
      Effect.gen(function* () {
        const failing = yield* faults
        yield* store.create(header)
        const { fence } = yield* store.lease(id)
        yield* failing.fail({ operations: ["append"], times: 2 })
        for (let i = 0; i < 2; i++) {
          const error = yield* fails(
            store.append(id, [say("1"), say("2")], { fence }),
            "StoreUnavailable",
            "the append"
          )
          holds(error.retryable, "the error to say that trying again makes sense")
        }
        yield* fails(Effect.scoped(store.lease(id)), "LeaseHeld", "a lease for somebody else")
        yield* store.append(id, [say("1"), say("2")], { fence })
        equal(yield* failing.stop, 2, "two failures")
        equal(yield* Look.said(store, id), ["1", "2"], "everything once")
      }),
    ["faults"]
  ),
  Case.test(
    "11",
    "a failed append queues nothing: each record is there once after the retry, and the list knows of it",
    ({ faults, store }) =>
      Effect.gen(function* () {
        const failing = yield* faults
        const { position: expected } = yield* store.create(header)
        const turn = Drafts.turn({ id: "t", user: "the first message" })
        yield* failing.fail({ operations: ["append"] })
        yield* fails(store.append(id, turn), "StoreUnavailable", "the append")
        equal((yield* Look.log(store, id)).length, 1, "nothing of it")
        yield* failing.fail({ operations: ["append"], after: true })
        const options = { expected, operationId: "turn t" }
        yield* fails(store.append(id, turn, options), "StoreUnavailable", "an append whose answer is lost")
        const done = yield* store.append(id, turn, options)
        equal(done.records.length, turn.length, "the retry to find what was written")
        equal(done.position, (yield* store.head(id)).head, "and where it ends")
        equal((yield* Look.log(store, id)).length, 1 + turn.length, "each record once")
        equal((yield* store.summary(id)).preview, "the first message", "the preview")
      }),
    ["faults"]
  ),
  Case.test(
    "12",
    "a thread goes on where it was left; an unknown id is not found, and one that is no id is refused",
    ({ store }) =>
      Effect.gen(function* () {
        yield* store.create(header, [say("1")])
        yield* store.append(id, [say("2")])
        yield* Effect.scoped(Effect.flatMap(store.lease(id), ({ fence }) => store.append(id, [say("3")], { fence })))
        equal(yield* Look.said(store, id), ["1", "2", "3"], "all of it, in order")
        yield* fails(store.append(Drafts.id(99), [say("x")]), "ThreadNotFound", "an append to nothing")
        yield* fails(store.append("/home/x/rollout.jsonl", [say("x")]), "InvalidRequest", "an append to a path")
      })
  ),
  Case.test(
    "12.reopen",
    "a store that is opened again goes on with its threads",
    ({ reopen, store }) =>
      Effect.gen(function* () {
        for (const mode of ["legacy", "paginated"] as const) {
          const n = mode === "legacy" ? 1 : 2
          yield* store.create(Drafts.header({ n, mode }), [say("1")])
          yield* store.append(Drafts.id(n), [say("2")])
        }
        yield* store.updateSummary(id, { name: "a name", metadata: { tenant: "t" } })
        const before = yield* store.summary(id)
        const again = yield* reopen
        equal(yield* again.summary(id), before, "the row as it was")
        for (const threadId of [id, Drafts.id(2)]) {
          yield* again.append(threadId, [say("3")])
          equal(yield* Look.said(again, threadId), ["1", "2", "3"], "all of it, in order")
        }
        const ordinals = (yield* Look.records(again, Drafts.id(2))).map(({ ordinal }) => ordinal)
        equal(ordinals, [0, 1, 2, 3], "ordinals to go on")
      }),
    ["reopen"]
  ),
  Case.test("13", "reading, listing and holding a thread changes nothing of it", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header, Drafts.turn({ id: "t", user: "hello", agent: "hi" }))
      const before = { row: yield* store.summary(id), bytes: yield* Look.stored(store, id), at: yield* store.head(id) }
      yield* Look.rows(store, id)
      yield* Look.rows(store, id, { direction: "backward" })
      yield* store.turns(id)
      yield* store.items(id)
      yield* store.search("hello")
      yield* store.summaries(Look.everything)
      yield* Effect.scoped(store.lease(id))
      yield* store.updateSummary(id, {})
      const after = { row: yield* store.summary(id), bytes: yield* Look.stored(store, id), at: yield* store.head(id) }
      equal(after, before, "everything to be as before")
    })
  ),
  Case.test(
    "13.files",
    "reading, listing and holding a thread touches none of its files",
    ({ files, reopen, store }) =>
      Effect.gen(function* () {
        const { list } = yield* files
        yield* store.create(header, Drafts.turn({ id: "t", user: "hello", agent: "hi" }))
        const before = yield* list
        const again = yield* reopen
        yield* Look.rows(again, id)
        yield* again.summaries(Look.everything)
        yield* again.search("hello")
        yield* again.turns(id)
        equal(yield* list, before, "no file to have changed")
      }),
    ["files", "reopen"]
  ),
  Case.test("15", "an empty append changes nothing and says where the thread stands", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header, [say("1")])
      const before = yield* Look.stored(store, id)
      const { head } = yield* store.head(id)
      equal(yield* store.append(id, []), { position: head, records: [] }, "the head")
      equal(yield* store.append(id, [], { expected: head }), { position: head, records: [] }, "the head again")
      equal(yield* Look.stored(store, id), before, "no byte to have changed")
      yield* fails(store.append(Drafts.id(99), []), "ThreadNotFound", "an empty append to nothing")
    })
  ),
  Case.test("append.interrupted", "a caller that goes away has appended all of its batch or nothing", ({ store }) =>
    Effect.gen(function* () {
      yield* store.create(header)
      const names = Array.from({ length: 24 }, (_, i) => String(i))
      const fibers = yield* Effect.forEach(names, (name) =>
        Effect.fork(store.append(id, [say(`${name}a`), say(`${name}b`)]))
      )
      for (const [i, fiber] of fibers.entries()) {
        if (i % 3 === 0) yield* Fiber.interrupt(fiber)
        if (i % 5 === 0) yield* Effect.yieldNow()
      }
      const exits = yield* Effect.forEach(fibers, Fiber.await)
      const texts = yield* Look.said(store, id)
      const order = texts.filter((text) => text.endsWith("a")).map((text) => text.slice(0, -1))
      equal(
        texts,
        order.flatMap((name) => [`${name}a`, `${name}b`]),
        "whole batches only"
      )
      equal(
        order,
        order.toSorted((left, right) => Number(left) - Number(right)),
        "the order of the calls"
      )
      for (const [i, exit] of exits.entries()) {
        if (Exit.isSuccess(exit)) holds(order.includes(String(i)), `what was acknowledged to be there (${i})`)
      }
      yield* store.append(id, [Drafts.of(Script.user("still working"))])
    })
  )
])
