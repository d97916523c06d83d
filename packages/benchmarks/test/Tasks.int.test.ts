/** The workload over the subjects that need no peer, in small; and that a subject with a wrong answer cannot win. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Bare from "../src/Bare.js"
import * as Skein from "../src/Skein.js"
import type { Opened, Subject } from "../src/Subject.js"
import * as Subjects from "../src/Subject.js"
import * as Tasks from "../src/Tasks.js"
import * as Workload from "../src/Workload.js"

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "skein-benchmarks-"))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** No time for anything but the answers. */
const atOnce: Tasks.Pace = { warmUp: 0, measured: 0 }

/** The turns of a small conversation; it has a middle at the end of a block. */
const turns = 200

/** What every question is answered with, read once. */
const answers = async (subject: Subject, place: string, compacted: boolean) => {
  await Tasks.keep(subject, place, turns, compacted)
  const opened = await subject.open(place)
  const resumed = await (await opened.resume())()
  const page = await (await opened.lastPage(Tasks.page))()
  await opened.close()
  return { resumed, page }
}

const stored = [...Skein.subjects, ...Bare.subjects].filter(({ durability }) => durability === "os")

describe("the workload", () => {
  it("is the same on every run, every turn another", () => {
    expect(Workload.turn(7)).toEqual(Workload.turn(7))
    expect(new Set(Workload.said(0, 50).map(({ text }) => text)).size).toBe(100)
  })

  it("a window is the newest summary and what was said behind it", () => {
    const { every, first } = Workload.compaction
    expect(Workload.window(first - 1)).toEqual(Workload.said(0, first - 1))
    const [summary, ...rest] = Workload.window(first + every + 3)
    expect(summary?.text).toBe(Workload.summary(first + every))
    expect(rest).toEqual(Workload.said(first + every, first + every + 3))
  })
})

describe("what is kept comes back", () => {
  for (const subject of stored) {
    it(`${subject.name}: all of it, the last page, a fork at the middle`, async () => {
      const place = join(folder, subject.name)
      const { page, resumed } = await answers(subject, place, false)
      expect(resumed).toEqual(Workload.said(0, turns))
      expect(page).toEqual(Workload.said(turns - Tasks.page, turns))
      const { again } = await Tasks.ask(subject, place, turns, "fork", false, atOnce)
      expect(again.length).toBeGreaterThan(0)
    })
  }

  for (const subject of stored.filter(({ kind, name }) => kind === "ours" || name === "dump")) {
    it(`${subject.name}: the open window of a compacted one`, async () => {
      const { resumed } = await answers(subject, join(folder, `${subject.name}-compacted`), true)
      expect(resumed.map(({ role, text }) => ({ role, text }))).toEqual(Workload.window(turns))
    })
  }

  for (const subject of stored.filter(({ name }) => !name.startsWith("skein-engine"))) {
    it(`${subject.name}: a list of conversations, its newest first`, async () => {
      const place = join(folder, `${subject.name}-list`)
      await Tasks.fill(subject, place, 30)
      await Tasks.list(subject, place, 30, undefined, atOnce)
      const opened = await subject.open(place)
      const all = (await opened.list?.(undefined)) ?? []
      expect(await opened.list?.(5)).toEqual(all.slice(0, 5))
      await opened.close()
    })
  }
})

describe("a wrong answer is found", () => {
  const [dump] = Bare.subjects
  const broken = (change: (opened: Opened) => Partial<Opened>): Subject => {
    if (dump === undefined) throw new Error("there is no dump")
    return { ...dump, open: async (place) => ((opened) => ({ ...opened, ...change(opened) }))(await dump.open(place)) }
  }
  const readers: Readonly<Record<string, (opened: Opened) => Partial<Opened>>> = {
    "one message less": (opened) => ({
      resume: async () => {
        const read = await opened.resume()
        return async () => (await read()).slice(1)
      }
    }),
    "two messages exchanged": (opened) => ({
      lastPage: async (count) => {
        const read = await opened.lastPage(count)
        return async () => {
          const [first, second, ...rest] = await read()
          return first === undefined || second === undefined ? [] : [second, first, ...rest]
        }
      }
    }),
    "a turn that is not written": (opened) => ({
      writer: async () => {
        const append = await opened.writer()
        return async (turn) => (turn.n === 3 ? undefined : append(turn))
      }
    })
  }
  for (const [what, change] of Object.entries(readers)) {
    it(what, async () => {
      const keep = Tasks.keep(broken(change), join(folder, what.replaceAll(" ", "-")), turns)
      await expect(keep).rejects.toThrow(Subjects.WrongContent)
    })
  }

  it("a fork of another place", async () => {
    const subject = broken((opened) => ({ fork: async (mark) => opened.fork(String(Number(mark) + 2)) }))
    const place = join(folder, "fork")
    await Tasks.keep(subject, place, turns)
    await expect(Tasks.ask(subject, place, turns, "fork", false, atOnce)).rejects.toThrow(Subjects.WrongContent)
  })

  it("a list that lacks one, or names one twice", async () => {
    for (const [i, wrong] of [
      (ids: ReadonlyArray<string>) => ids.slice(1),
      (ids: ReadonlyArray<string>) => [...ids.slice(1), ids[1] ?? ""]
    ].entries()) {
      const subject = broken((opened) => ({ list: async (limit) => wrong((await opened.list?.(limit)) ?? []) }))
      const place = join(folder, `list-${i}`)
      await Tasks.fill(subject, place, 10)
      await expect(Tasks.list(subject, place, 10, undefined, atOnce)).rejects.toThrow(Subjects.WrongContent)
    }
  })
})
