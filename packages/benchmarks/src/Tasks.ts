/** What a process of its own measures of one subject. Everything that comes back is checked, off the clock. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import type { Opened, Reader, Subject } from "./Subject.js"
import * as Subjects from "./Subject.js"
import * as Workload from "./Workload.js"

/** What keeping a conversation cost. */
export interface Kept {
  /** Milliseconds a turn, on average over the turns in front of each count. */
  readonly perTurn: ReadonlyArray<{ readonly turns: number; readonly ms: number }>
  /** Milliseconds of all turns; undefined of a subject that was sampled. */
  readonly total: number | undefined
  /** Undefined of a subject that was sampled, or keeps nothing. */
  readonly bytes: number | undefined
  readonly facts: string
}

/** The times of a task, the first in its process apart; in milliseconds. */
export interface Times {
  readonly first: number
  readonly again: ReadonlyArray<number>
}

/** Turns of a page. */
export const page = 25
/** Turns over which a subject that is sampled is measured. */
const sample = 10
const block = 100

const clock = async <A>(task: () => Promise<A>): Promise<readonly [A, number]> => {
  const start = performance.now()
  const value = await task()
  return [value, performance.now() - start]
}

const turnsOf = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => Workload.turn(from + i))

const markPath = (folder: string) => `${folder}.mark`

/** Writes the turns, a whole run or samples of it; notes where the middle is. */
const write = async (subject: Subject, opened: Opened, turns: number, folder: string, compacted = false) => {
  const append = await opened.writer()
  const perTurn: Array<{ readonly turns: number; readonly ms: number }> = []
  const mark = async () => writeFileSync(markPath(folder), await opened.mark())
  const all = turnsOf(0, turns)
  if (subject.sampled !== undefined) {
    let at = 0
    for (const count of [...subject.sampled.filter((count) => count < turns), turns]) {
      const middle = turns / 2
      if (at < middle && middle <= count - sample) {
        await opened.seed?.(all.slice(at, middle))
        at = middle
        await mark()
      }
      const from = Math.max(at, count - sample)
      if (from > at) await opened.seed?.(all.slice(at, from))
      let ms = 0
      for (const turn of all.slice(from, count)) {
        ms += (await clock(() => append(turn)))[1]
        if (turn.n + 1 === middle) await mark()
      }
      perTurn.push({ turns: count, ms: ms / (count - from) })
      at = count
    }
    return { perTurn, total: undefined }
  }
  if (compacted && opened.seed !== undefined) {
    await opened.seed(all, true)
    await mark()
    return { perTurn, total: undefined }
  }
  let total = 0
  for (let from = 0; from < turns; from += block) {
    const to = Math.min(turns, from + block)
    const [, ms] = await clock(async () => {
      for (let n = from; n < to; n++) {
        await append(all[n] ?? Workload.turn(n))
        if (compacted && Workload.isCompactedAt(n + 1)) await opened.compact?.(Workload.summary(n + 1))
      }
    })
    total += ms
    perTurn.push({ turns: to, ms: ms / (to - from) })
    if (from < turns / 2 && turns / 2 <= to) {
      if (to !== turns / 2) throw new RangeError(`${turns} turns have no middle at a multiple of ${block}`)
      await mark()
    }
  }
  return { perTurn, total }
}

const expectAll = async (subject: Subject, opened: Opened, turns: number, compacted: boolean): Promise<void> => {
  const all = compacted ? Workload.window(turns) : Workload.said(0, turns)
  Subjects.check(`${subject.name} resumed`, await (await opened.resume())(), all)
  const last = Workload.said(Math.max(0, turns - page), turns)
  await opened.prepare?.()
  Subjects.check(`${subject.name} last page`, await (await opened.lastPage(page))(), last)
}

/**
 * Keeps a conversation of that many turns (a multiple of 200, unless it is sampled), compacted now and then if asked,
 * and checks that whoever opens it later finds it. Throws `WrongContent` when it does not.
 */
export const keep = async (subject: Subject, folder: string, turns: number, compacted = false): Promise<Kept> => {
  mkdirSync(folder, { recursive: true })
  const opened = await subject.open(folder)
  const { perTurn, total } = await write(subject, opened, turns, folder, compacted)
  const facts = (await opened.facts?.()) ?? ""
  if (subject.durability === "process") {
    await expectAll(subject, opened, turns, compacted)
    await opened.close()
    return { perTurn, total, bytes: undefined, facts }
  }
  await opened.close()
  const bytes = subject.sampled === undefined ? Subjects.bytesBelow(folder) : undefined
  const again = await subject.open(folder)
  await expectAll(subject, again, turns, compacted)
  await again.close()
  return { perTurn, total, bytes, facts }
}

/** What can be asked of a conversation that is there. `page-again`: the same subject stays open, as in a server. */
export type Question = "resume" | "page" | "page-again" | "fork"

const asked = (opened: Opened, question: Question, mark: string): Promise<Reader> => {
  if (question === "resume") return opened.resume()
  return question === "fork" ? opened.fork(mark) : opened.lastPage(page)
}

/** How long a task is run before it is measured, and how long at least while it is, in milliseconds. */
export interface Pace {
  readonly warmUp: number
  readonly measured: number
}
const steady: Pace = { warmUp: 1000, measured: 1000 }

/** Repeats a task, each time over a subject that was opened anew unless it would forget everything. */
const repeated = async (
  subject: Subject,
  folder: string,
  kept: Opened | undefined,
  { measured, warmUp }: Pace,
  task: (opened: Opened) => Promise<() => Promise<void>>,
  prepare: (opened: Opened) => Promise<unknown> = async () => undefined
): Promise<Times> => {
  const one = async (): Promise<number> => {
    const opened = kept ?? (await subject.open(folder))
    await prepare(opened)
    const [check, ms] = await clock(() => task(opened))
    await check()
    if (kept === undefined) await opened.close()
    return ms
  }
  const start = performance.now()
  const first = await one()
  while (performance.now() - start < warmUp) await one()
  const again: Array<number> = []
  const begun = performance.now()
  while (again.length < 3 || performance.now() - begun < measured) again.push(await one())
  await kept?.close()
  return { first, again }
}

/** Asks a conversation that {@link keep} made. Opening is not counted. Throws `WrongContent` for a wrong answer. */
export const ask = async (
  subject: Subject,
  folder: string,
  turns: number,
  question: Question,
  compacted = false,
  pace = steady
): Promise<Times> => {
  const forgets = subject.durability === "process"
  const kept = forgets || question === "page-again" ? await subject.open(folder) : undefined
  if (kept !== undefined && forgets) await write(subject, kept, turns, folder, compacted)
  const from = question.startsWith("page") ? Math.max(0, turns - page) : 0
  const expected =
    compacted && question === "resume"
      ? Workload.window(turns)
      : Workload.said(from, question === "fork" ? turns / 2 : turns)
  const mark = readFileSync(markPath(folder), "utf8")
  const task = async (opened: Opened) => {
    const read = await asked(opened, question, mark)
    return async () => Subjects.check(`${subject.name} ${question}`, await read(), expected)
  }
  return repeated(subject, folder, kept, pace, task, async (opened) => opened.prepare?.())
}

/** Makes so many conversations; gives the bytes that they take. */
export const fill = async (subject: Subject, folder: string, threads: number): Promise<number> => {
  mkdirSync(folder, { recursive: true })
  const opened = await subject.open(folder)
  await opened.fill?.(threads)
  await opened.close()
  return Subjects.bytesBelow(folder)
}

/** Lists the newest page of them, or all. Throws `WrongContent` when some are missing or were never made. */
export const list = async (
  subject: Subject,
  folder: string,
  threads: number,
  limit?: number,
  pace = steady
): Promise<Times> => {
  const kept = subject.durability === "process" ? await subject.open(folder) : undefined
  await kept?.fill?.(threads)
  const among = new Set(Array.from({ length: threads }, (_, n) => Workload.idOf(n, 3)))
  const task = async (opened: Opened) => {
    const ids = (await opened.list?.(limit)) ?? []
    return async () => Subjects.checkIds(`${subject.name} list`, ids, among, Math.min(threads, limit ?? threads))
  }
  return repeated(subject, folder, kept, pace, task)
}
