/** Laws that hold for well-formed threads, with their numbers and preconditions in replay-semantics §10. */
import * as Fold from "@skein/core/fold/Fold"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as Prompt from "@skein/core/fold/Prompt"
import * as ReplayLog from "@skein/core/fold/ReplayLog"
import type { ThreadItem } from "@skein/core/fold/view/ThreadItem"
import * as ThreadView from "@skein/core/fold/view/ThreadView"
import type { StoredRecord } from "@skein/core/record/Record"
import * as Thread from "@skein/testing/Thread"
import * as ThreadModel from "@skein/testing/ThreadModel"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

const runs = { numRuns: 200 }
const current = ["legacy", "enriched", "paginated"] as const
const compactions: ReadonlyArray<ThreadModel.Feature> = [
  "pre-turn compaction",
  "mid-turn compaction",
  "standalone compaction"
]

/** Whether the newest turn has no end. */
const isOpen = (entries: ReadonlyArray<ThreadModel.Entry>): boolean => {
  const last = entries.at(-1)
  return last !== undefined && ThreadModel.isTurn(last) && last.end === "unfinished"
}

const replay = (log: ReadonlyArray<StoredRecord>) => ModelContext.read(Fold.run(ModelContext.fold(), log))

/** An answer without what only says how it was come by. */
const partsOf = ({ complete: _, tokenInfo: __, ...parts }: ModelContext.ModelContext) => parts

const backward = (log: ReadonlyArray<StoredRecord>) => {
  const scan = ModelContext.backward()
  let left = log.length
  while (left > 0 && !scan.settled()) scan.add(log[--left] as StoredRecord)
  const head = Fold.run({ initial: ReplayLog.emptyHead, step: ReplayLog.noteHead }, log)
  return scan.finish(left === 0, head)
}

describe("replay", () => {
  it("§10.12: a scan from the end answers as the fold does", () => {
    fc.assert(
      fc.property(Thread.thread(), ({ log }) => {
        expect(partsOf(backward(log))).toEqual(partsOf(replay(log)))
      }),
      { numRuns: 400 }
    )
  })

  it.each(["legacy", "enriched"] as const)("§10.22: a rollback gives back what was before its turns (%s)", (form) => {
    // Precondition n1: one boundary in each turn, so no steering and no mail; nothing in them was compacted.
    const n1 = ["steer", "mail", "rollback"] as const
    const before = Thread.model({ form, without: n1 })
    const after = Thread.model({ form, without: [...n1, ...compactions, "fork"], maxEntries: 3 }).filter(
      ({ entries }) => entries.length > 0
    )
    fc.assert(
      fc.property(before, after, ({ entries }, { entries: undone }) => {
        // The precondition on what is left: closed, with a boundary, and no context behind the last answer.
        const left = [...entries, { user: "a", steps: [{ say: "b" }] }]
        const all = Thread.of({ form, entries: [...left, ...undone, { rollback: undone.length }] })
        expect(all.model.entries.at(-1)).toEqual({ rollback: undone.length })
        expect(partsOf(replay(all.log))).toEqual(partsOf(replay(Thread.of({ form, entries: left }).log)))
      }),
      runs
    )
  })

  it("§10.22 for reverts: going on without the last turns gives what was before them", () => {
    const form = "paginated"
    const any = Thread.model({ form, without: ["revert", "fork"], maxEntries: 4 })
    fc.assert(
      fc.property(any, any, fc.boolean(), ({ entries: left }, { entries: undone }, isFork) => {
        // A fork of a turn that still runs interrupts it (§5.1).
        fc.pre(!isFork || undone.length > 0 || !isOpen(left))
        const back = isFork ? { fork: undone.length } : { revert: undone.length }
        const all = Thread.of({ form, entries: [...left, ...undone, back] })
        const [its, theirs] = [partsOf(replay(all.log)), partsOf(replay(Thread.of({ form, entries: left }).log))]
        // The first window of a fork is its own.
        const { window: _, ...rest } = theirs
        if (isFork && theirs.window.number === 0) expect(its).toMatchObject(rest)
        else expect(its).toEqual(theirs)
      }),
      runs
    )
  })

  it.each(["legacy", "enriched", "paginated", "0.98.0"] as const)(
    "§10.35: a fork of a whole thread knows what its source knew, and shows what it showed (%s)",
    (form) => {
      const model = Thread.model({ form, maxEntries: 5 }).filter(({ entries }) => !isOpen(entries))
      fc.assert(
        fc.property(model, (source) => {
          const forked = Thread.of({ ...source, entries: [...source.entries, { fork: 0 }] })
          const { log } = Thread.of(source)
          const [{ window, ...its }, { window: theirs, ...rest }] = [partsOf(replay(forked.log)), partsOf(replay(log))]
          expect(its).toEqual(rest)
          // Only its first window is its own (§3).
          expect(window.number).toBe(theirs.number)
          if (theirs.number > 0) expect(window).toEqual(theirs)
          else if (window.id !== undefined) expect(window.id).not.toBe(theirs.id)
          const shown = (one: ReadonlyArray<StoredRecord>) =>
            view(one).map(({ id, ...turn }) => ({ ...turn, id: form === "0.98.0" ? "by its place" : id }))
          expect(shown(forked.log)).toEqual(shown(log))
        }),
        runs
      )
    }
  )

  it("§10.35 for a fork that leaves out the last turns: it knows what was known before them", () => {
    const n1 = ["steer", "mail", "rollback"] as const
    const any = Thread.model({ form: "legacy", without: [...n1, "fork"], maxEntries: 4 })
    fc.assert(
      fc.property(any, any, ({ entries: left }, { entries: more, ...model }) => {
        fc.pre(more.length > 0 || !isOpen(left))
        const all = Thread.of({ ...model, entries: [...left, ...more, { fork: more.length }] })
        const { window: _, ...its } = partsOf(replay(all.log))
        const { window: __, ...theirs } = partsOf(replay(Thread.of({ ...model, entries: left }).log))
        expect(its).toEqual(theirs)
      }),
      runs
    )
  })

  it("§10.7: the world is what the model was told last in this window", () => {
    const options = { without: ["rollback", "revert", "fork"] as const }
    fc.assert(
      fc.property(fc.oneof(...current.map((form) => Thread.thread({ form, ...options }))), ({ log, model }) => {
        if (model.release === "0.142.4") return
        let note: string | null = null
        let expected: unknown
        for (const entry of model.entries) {
          if (!ThreadModel.isTurn(entry)) {
            expected = undefined
            continue
          }
          for (const step of [{ world: entry.world }, ...(entry.steps ?? [])]) {
            if ("world" in step && step.world !== undefined) note = step.world
          }
          expected = { permissions: "full", environment: { cwd: "/repo", ...(note === null ? {} : { note }) } }
        }
        expect(replay(log).worldState).toEqual(expected)
      }),
      runs
    )
  })

  it("§10.27, §10.28: windows are numbered upward, and each names the one before it", () => {
    fc.assert(
      fc.property(fc.oneof(...current.map((form) => Thread.thread({ form, without: ["fork"] }))), ({ log, model }) => {
        const [meta] = log
        const first = meta?.kind === "session_meta" ? meta.payload.context_window?.window_id : undefined
        // A compaction that recorded no window leaves a gap in the chain of ids, though not in that of numbers.
        const whole = !ThreadModel.features(model).has("rebuilt")
        let number = 0
        // The header of 0.142.4 does not name its window.
        let id = first
        for (const record of log) {
          if (record.kind !== "compacted" || record.payload.window_number === undefined) continue
          const { payload } = record
          expect(payload.window_number).toBeGreaterThan(number)
          if (first !== undefined) expect(payload.first_window_id).toBe(first)
          if (whole && id !== undefined) expect(payload.previous_window_id).toBe(id)
          number = payload.window_number ?? 0
          id = payload.window_id ?? undefined
        }
        if (whole && model.entries.every((entry) => !("revert" in entry))) {
          expect([replay(log).window.number, replay(log).window.id]).toEqual([number, id])
        }
      }),
      runs
    )
  })

  it("§9: a prompt that was put in order stays as it is, and every call in it has an output", () => {
    fc.assert(
      fc.property(Thread.thread(), ({ log }) => {
        const once = Prompt.normalise(replay(log).history)
        expect(Prompt.normalise(once)).toEqual(once)
        const ids = (end: string) =>
          once.flatMap((item) => (item.type.endsWith(end) && "call_id" in item ? [item.call_id] : []))
        expect([...ids("_call_output")].sort()).toEqual(
          once
            .flatMap((item) =>
              /^(function|custom_tool)_call$/.test(item.type) && "call_id" in item ? [item.call_id] : []
            )
            .sort()
        )
      }),
      runs
    )
  })
})

const view = (log: ReadonlyArray<StoredRecord>) => ThreadView.turns(Fold.run(ThreadView.fold(), log))

const wordsOf = (items: ReadonlyArray<ThreadItem>): ReadonlyArray<string> =>
  items.flatMap((item) =>
    item.type === "userMessage"
      ? [item.content.map((part) => ("text" in part ? part.text : "")).join("")]
      : item.type === "agentMessage"
        ? [item.text]
        : []
  )

describe("view", () => {
  it("a view goes on from any point as if it had seen all at once", () => {
    fc.assert(
      fc.property(Thread.thread(), fc.nat(200), ({ log }, at) => {
        const fold = ThreadView.fold()
        const before = Fold.run(fold, log.slice(0, at))
        expect(ThreadView.turns(Fold.run(fold, log.slice(at), before))).toEqual(view(log))
      }),
      runs
    )
  })

  it("what several programs wrote with and without ordinals shows every turn of each", () => {
    let mixed = 0
    fc.assert(
      fc.property(Thread.thread({ form: "mixed", without: ["mail", "standalone compaction"] }), ({ log, model }) => {
        fc.pre(ThreadModel.firstForm(model) === "paginated")
        const turns = model.entries.filter(ThreadModel.isTurn)
        if (new Set(turns.map(({ by }) => by)).size > 1) mixed++
        const shown = view(log).map(({ items, status }) => [status, wordsOf(items)])
        expect(shown).toEqual(
          turns.map(({ by, end = "completed", steps = [], user }) => [
            // 0.142.4 records of a failed turn only that it ended.
            end === "unfinished" ? "inProgress" : end === "failed" && by === "legacy" ? "completed" : end,
            [user, ...steps.flatMap((step) => ("say" in step ? [step.say] : "steer" in step ? [step.steer] : []))]
          ])
        )
      }),
      { numRuns: 300 }
    )
    expect(mixed).toBeGreaterThan(0)
  })

  it("one thread shows the same turns and words in every form", () => {
    const model = Thread.model({ form: "legacy", without: ["rollback", "fork"] }).filter(
      ({ release }) => release === undefined
    )
    fc.assert(
      fc.property(model, ({ entries }) => {
        const shown = current.map((form) =>
          view(Thread.of({ form, entries }).log).map(({ items, status }) => ({
            status,
            words: wordsOf(items)
          }))
        )
        const ends = entries.map((entry) => (ThreadModel.isTurn(entry) ? (entry.end ?? "completed") : "completed"))
        for (const one of shown) expect(one).toEqual(shown[0])
        expect(shown[0]?.map(({ status }) => status)).toEqual(
          // Nothing but an end ends a turn: that it no longer runs is for the host to know.
          ends.map((end) => (end === "unfinished" ? "inProgress" : end))
        )
      }),
      runs
    )
  })
})
