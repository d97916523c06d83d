/** What the drawn threads are: well-formed, of every form, and small once they have shrunk. */

import { isDeepStrictEqual } from "node:util"
import type { StoredRecord } from "@skein/core/record/Record"
import * as Thread from "@skein/testing/Thread"
import * as ThreadModel from "@skein/testing/ThreadModel"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

const runs = { numRuns: 80 }
const forms = Thread.forms.map((form) => ({ form }))

/** The older shapes that a release may write, by the form. */
const upcasts: Readonly<Record<string, ReadonlyArray<string>>> = {
  "0.98.0": ["session-without-session-id"],
  "0.63.0": ["session-without-session-id"],
  "0.42.0": ["session-without-session-id", "sandbox-mode"],
  "0.20.0": ["bare-line", "session-without-session-id"]
}

describe.each(forms)("threads of the form $form", ({ form }) => {
  it("have lines that read as known records, without an upcast where the release is not old", () => {
    const allowed = new Set(form === "mixed" ? Object.values(upcasts).flat() : (upcasts[form] ?? []))
    const used = new Set<string>()
    fc.assert(
      fc.property(Thread.thread({ form }), ({ log, model }) => {
        for (const record of log) {
          if (record.kind === "unknown") expect([form, record.payload.level]).toEqual(["0.20.0", "marker"])
          for (const name of record.upcast?.split(", ") ?? []) {
            used.add(name)
            expect([...allowed]).toContain(name)
          }
          if (model.form !== "mixed") expect(record.ordinal !== undefined).toBe(model.form === "paginated")
          expect(record.inexact).toBe(false)
        }
      }),
      runs
    )
    if (form in upcasts && form !== "mixed") expect(used.size).toBeGreaterThan(0)
  })

  it("come out of their models as they are: settled once, the same bytes each time", () => {
    fc.assert(
      fc.property(Thread.thread({ form }), (thread) => {
        expect(ThreadModel.settle(thread.model)).toEqual(thread.model)
        expect(Thread.of(thread.model).files).toEqual(thread.files)
      }),
      { numRuns: 40 }
    )
  })
})

/** The parts of §1.5 that a log can break, for logs that have starts of turns. */
const faults = (log: ReadonlyArray<StoredRecord>): ReadonlyArray<string> => {
  const found: Array<string> = []
  let open: string | undefined
  let rolledBack = false
  /** For each span that is left, whether a user began it and whether it holds a compaction with replacement. */
  let spans = [{ isUser: false, replaced: false }]
  for (const record of log) {
    const span = spans.at(-1)
    if (record.kind === "compacted") {
      const { replacement_history, window_number } = record.payload
      if (replacement_history !== undefined && window_number === undefined) found.push("a replacement without number")
      if (replacement_history !== undefined && span !== undefined) span.replaced = true
    }
    if (record.kind === "turn_context" && open !== undefined && record.payload.turn_id !== open) found.push("context")
    if (record.kind === "inter_agent_communication" && span !== undefined) span.isUser = true
    if (record.kind === "response_item" && record.payload.type === "agent_message" && span !== undefined) {
      span.isUser = true
    }
    if (record.kind !== "event_msg") {
      if (rolledBack && record.kind !== "session_meta") found.push("a rollback that no turn follows")
      continue
    }
    const event = record.payload
    if (rolledBack && event.type !== "task_started" && event.type !== "thread_rolled_back") {
      found.push("a rollback that no turn follows")
    }
    rolledBack = false
    if (event.type === "task_started") {
      open = event.turn_id
      spans = [...spans, { isUser: false, replaced: false }]
    } else if (event.type === "task_complete" || event.type === "turn_aborted") {
      if (event.turn_id !== open) found.push("an end of another turn")
    } else if (event.type === "user_message" || isUserItem(event)) {
      if (span !== undefined) span.isUser = true
    } else if (event.type === "thread_rolled_back") {
      rolledBack = true
      for (let left = event.num_turns; left > 0 && spans.length > 0; ) {
        const last = spans.at(-1)
        spans = spans.slice(0, -1)
        if (last?.replaced === true) found.push("a rollback over a replacement")
        if (last?.isUser === true) left--
      }
    }
  }
  return found
}

/** The places of §9 that only one record of a turn has. */
const placeOf = (record: StoredRecord): number | undefined => {
  if (record.kind === "compacted") return 2
  if (record.kind === "world_state") return 4
  if (record.kind === "turn_context") return 5
  if (record.kind !== "event_msg") return undefined
  const { payload } = record
  if (payload.type === "task_started") return 1
  if (payload.type === "user_message") return 7
  return payload.type === "task_complete" || payload.type === "turn_aborted" ? 14 : undefined
}

const isUserItem = (event: object): boolean =>
  "item" in event && (event.item as { readonly type?: unknown }).type === "UserMessage"

describe("replay-semantics §1.5", () => {
  it.each([{ form: "legacy" }, { form: "enriched" }, { form: "paginated" }] as const)(
    "threads of the form $form are well-formed",
    ({ form }) => {
      fc.assert(
        fc.property(Thread.thread({ form }), ({ log }) => {
          expect(faults(log)).toEqual([])
        }),
        { numRuns: 150 }
      )
    }
  )

  it("a turn is written in the order of §9: start, compaction, context, world, settings, words, end", () => {
    const without = ["mid-turn compaction", "steer", "world", "revert", "fork", "rollback"] as const
    const any = fc.oneof(
      Thread.thread({ form: "legacy", without }),
      Thread.thread({ form: "enriched", without }),
      Thread.thread({ form: "paginated", without })
    )
    fc.assert(
      fc.property(any, ({ log }) => {
        let reached = 0
        for (const record of log) {
          const place = placeOf(record)
          if (place === undefined) continue
          if (place === 1) reached = 0
          expect(place).toBeGreaterThan(reached)
          reached = place
        }
      }),
      { numRuns: 150 }
    )
  })

  it("threads of several writers that were begun with ordinals are well-formed too", () => {
    let continued = 0
    fc.assert(
      fc.property(Thread.thread({ form: "mixed" }), ({ log, model }) => {
        fc.pre(ThreadModel.firstForm(model) === "paginated")
        expect(faults(log)).toEqual([])
        const numbered = log.filter(({ ordinal }) => ordinal !== undefined)
        expect(numbered.map(({ ordinal }) => ordinal)).toEqual(numbered.map((_, i) => i))
        // Who goes on in the legacy form knows no ordinals, and those that do go on behind it.
        const by = new Set(model.entries.map((entry) => (ThreadModel.isTurn(entry) ? entry.by : undefined)))
        expect(numbered.length < log.length).toBe(by.has("legacy"))
        if (by.has("legacy") && log.at(-1)?.ordinal !== undefined) continued++
      }),
      { numRuns: 200 }
    )
    expect(continued).toBeGreaterThan(0)
  })

  it.each([{ form: "legacy" }, { form: "enriched" }, { form: "0.98.0" }] as const)(
    "a fork of the form $form is a whole copy behind a header of its own, under new times",
    ({ form }) => {
      let deep = 0
      fc.assert(
        fc.property(Thread.thread({ form }), ({ files, log, model }) => {
          const forks = model.entries.filter((entry) => "fork" in entry).length
          expect(files.length).toBe(forks + 1)
          const metas = log.filter((record) => record.kind === "session_meta")
          expect(log.slice(0, metas.length)).toEqual(metas)
          expect(metas.length).toBe(forks + 1)
          const ids = metas.map(({ payload }) => payload.id)
          expect(files.map(({ name }) => name.slice(-42, -6))).toEqual([...ids].reverse())
          expect(metas.map(({ payload }) => payload.forked_from_id)).toEqual([...ids.slice(1), undefined])
          if (forks > 1) deep++
          for (const [i, { lines }] of files.entries()) {
            const source = (files[i - 1]?.lines ?? []).map((line) => JSON.parse(line))
            const copies = lines.slice(1).map((line) => JSON.parse(line))
            const same = source.findIndex((line, k) => !isDeepStrictEqual(line.payload, copies[k]?.payload))
            const count = same < 0 ? source.length : same
            // What was not copied are the last turns, and in front of them stands all that is left.
            expect(copies.slice(0, count).every(({ timestamp }, k) => timestamp > source[k].timestamp)).toBe(true)
            if (i > 0) expect(count).toBeGreaterThanOrEqual(i)
          }
        }),
        { numRuns: 150 }
      )
      expect(deep).toBeGreaterThan(0)
    }
  )

  it("a fork of a turn that still runs has it interrupted (§5.1)", () => {
    for (const form of ["legacy", "enriched", "paginated"] as const) {
      const entries = [{ user: "a", end: "unfinished" as const }, { fork: 0 }]
      const { log } = Thread.of({ form, entries })
      const last = log.at(-1)
      expect(last?.kind === "event_msg" && last.payload.type).toBe("turn_aborted")
    }
  })

  it("a chain of files has running ordinals, and each base ends where its file says", () => {
    fc.assert(
      fc.property(Thread.thread({ form: "paginated" }), ({ files, log }) => {
        // The header of the newest file stands in front of what that file inherits.
        const ordinals = log.map(({ ordinal }) => ordinal)
        expect(ordinals.slice(1)).toEqual(log.map((_, i) => i).filter((i) => i !== ordinals[0]))
        for (const [i, { lines }] of files.entries()) {
          const meta = JSON.parse(lines[0] ?? "")
          const base = meta.payload.history_base
          if (base === undefined) {
            expect(i).toBe(0)
            continue
          }
          expect(meta.ordinal).toBe(base.end_ordinal_exclusive)
          const of = files.slice(0, i).find(({ name }) => name.endsWith(`${base.thread_id}.jsonl`))
          const bytes = of === undefined ? undefined : Thread.bytesOf(of)
          const cut = new TextDecoder().decode(bytes?.slice(0, base.end_byte_offset)).split("\n")
          expect(cut.pop()).toBe("")
          expect(JSON.parse(cut.at(-1) ?? "").ordinal).toBe(base.end_ordinal_exclusive - 1)
        }
      }),
      { numRuns: 150 }
    )
  })
})

describe("statistics", () => {
  const wanted: Readonly<Record<string, ReadonlyArray<ThreadModel.Feature>>> = {
    legacy: ["mail", "spawn", "mcp", "patch", "search", "steer", "world", "rollback", "fork", "failed", "interrupted"],
    paginated: ["revert", "fork", "mail", "spawn", "mcp", "replaced", "rebuilt", "world", "standalone compaction"],
    enriched: ["rollback", "pre-turn compaction", "mid-turn compaction", "unanswered", "unfinished"],
    mixed: ["rollback", "replaced", "rebuilt", "world", "failed", "fork"],
    "0.98.0": ["rollback", "fork", "spawn", "rebuilt", "search", "patch", "reasoning"],
    "0.63.0": ["rebuilt", "patch", "interrupted"],
    "0.42.0": ["rebuilt", "patch", "interrupted"],
    "0.20.0": ["command", "reasoning", "unanswered"]
  }

  it.each(forms)("the features of $form are all drawn", ({ form }) => {
    const models = fc.sample(Thread.model({ form }), { numRuns: 400, seed: 3 })
    const counts = new Map<string, number>()
    for (const model of models) {
      for (const feature of ThreadModel.features(model)) counts.set(feature, (counts.get(feature) ?? 0) + 1)
    }
    for (const feature of wanted[form] ?? [])
      expect([feature, (counts.get(feature) ?? 0) >= 8]).toEqual([feature, true])
  })

  it("every form comes up, and files by several writers do", () => {
    const models = fc.sample(Thread.model(), { numRuns: 400, seed: 3 })
    for (const { form } of forms) expect(models.filter((model) => model.form === form).length).toBeGreaterThan(20)
    const writers = models.map((model) => new Set(model.entries.map((one) => (ThreadModel.isTurn(one) ? one.by : ""))))
    expect(writers.filter((by) => by.size > 2).length).toBeGreaterThan(10)
    const numbered = writers.filter((by) => by.has("paginated"))
    expect(numbered.filter((by) => by.has("legacy")).length).toBeGreaterThan(8)
    expect(models.filter(({ agents }) => agents === "v1").length).toBeGreaterThan(40)
  })
})

describe("shrinking", () => {
  const smallest = (options: Thread.Options, fails: (thread: Thread.Thread) => boolean) => {
    const run = fc.check(
      fc.property(Thread.thread(options), (thread) => !fails(thread)),
      { seed: 11, numRuns: 500 }
    )
    return run.counterexample?.[0]
  }

  const features: ReadonlyArray<readonly [Thread.Options["form"], ThreadModel.Feature, unknown]> = [
    ["legacy", "search", { form: "legacy", entries: [{ user: "a", steps: [{ search: "a" }] }] }],
    ["legacy", "spawn", { form: "legacy", entries: [{ user: "a", steps: [{ spawn: "a" }] }] }],
    ["legacy", "rollback", { form: "legacy", entries: [{ user: "a" }, { rollback: 1 }] }],
    ["paginated", "revert", { form: "paginated", entries: [{ user: "a" }, { revert: 1 }] }],
    ["paginated", "fork", { form: "paginated", entries: [{ fork: 0 }] }],
    ["legacy", "fork", { form: "legacy", entries: [{ fork: 0 }] }],
    ["enriched", "patch", { form: "enriched", entries: [{ user: "a", steps: [{ patch: "a" }] }] }],
    ["0.98.0", "rebuilt", { form: "0.98.0", entries: [{ user: "a", steps: [{ compact: "rebuilt" }] }] }],
    ["0.20.0", "interrupted", { form: "0.20.0", entries: [{ user: "a", end: "interrupted" }] }]
  ]

  it.each(features)("%s: %s is left alone", (form, feature, expected) => {
    expect(smallest({ form }, ({ model }) => ThreadModel.features(model).has(feature))?.model).toEqual(expected)
  })

  it("of several writers the two that it takes are left", () => {
    const found = smallest({ form: "mixed" }, ({ log }) =>
      log.some(({ ordinal }, i) => ordinal !== undefined && i > 0 && log[i - 1]?.ordinal === undefined)
    )
    const numbered = { user: "a", by: "paginated" }
    expect(found?.model).toEqual({ form: "mixed", entries: [numbered, { user: "a", by: "legacy" }, numbered] })
  })

  it("mail is left alone, at the start of a turn or within it", () => {
    const found = smallest({ form: "legacy" }, ({ model }) => ThreadModel.features(model).has("mail"))
    expect(found?.model.entries.length).toBe(1)
    expect([...ThreadModel.features(found?.model ?? { form: "legacy", entries: [] })]).toEqual(["mail"])
    expect(JSON.stringify(found?.model).length).toBeLessThan(70)
  })

  it("a counterexample prints as its model", () => {
    const thread = smallest({ form: "legacy" }, ({ model }) => ThreadModel.features(model).has("steer"))
    expect(fc.stringify(thread)).toBe('{"form":"legacy","entries":[{"user":"a","steps":[{"steer":"a"}]}]}')
  })
})
