/** What is written down for a reader who comes from the end is what the log says. */
import { anyLog } from "@skein/testing/AnyLog"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Draft from "../../src/decide/Draft.js"
import * as Checkpoint from "../../src/fold/Checkpoint.js"
import * as Fold from "../../src/fold/Fold.js"
import * as ThreadState from "../../src/fold/ThreadState.js"
import type { StoredRecord } from "../../src/record/Record.js"
import * as Record from "../../src/record/Record.js"
import { commands, Driven } from "../decide/Commands.js"
import * as s from "./script.js"

const driven: fc.Arbitrary<ReadonlyArray<StoredRecord>> = commands(6).map((all) => {
  const one = new Driven()
  for (const command of all) one.do(command)
  return one.host.log
})

const headed = anyLog.map((log) => [...s.log(s.header()), ...log])

const { mailbox, selection, turn, usage, window } = ThreadState.folds()
const small = Fold.struct({ mailbox, selection, turn, usage, window })

const facts = { now: 0, fresh: "019c2b10-7a00-7c00-8000-000000000001" }

/** The record of a checkpoint. */
const written = (state: Checkpoint.State): StoredRecord => {
  const checkpoint = Checkpoint.of(state)
  if (checkpoint === undefined) throw new Error("the log has a header")
  return Record.reread(Draft.own(facts, Checkpoint.kind, checkpoint))
}

/** Sums alone: which turn used what is told by the log as a whole. */
const sums = ({ usage: { list: _, length: __, ...rest }, ...others }: Omit<Checkpoint.State, "turn">) => ({
  ...others,
  usage: rest
})

describe("a checkpoint", () => {
  it("with what is behind it gives what the whole log gives, at any place", () =>
    fc.assert(
      fc.property(fc.oneof(driven, headed), fc.nat(), (log, at) => {
        const cut = 1 + (at % log.length)
        const front = Fold.run(small, log.slice(0, cut))
        const read = Checkpoint.read(written(front))
        if (read === undefined || front.turn.thread === undefined) throw new Error("it reads back")
        const { turn: _, ...whole } = Fold.run(small, log.slice(cut), front)
        const seed = { ...front, ...Checkpoint.restore(read, front.turn.thread.id) }
        const { turn: __, ...part } = Fold.run(small, log.slice(cut), seed)
        expect(sums(part)).toEqual(sums(whole))
        expect(read.previousTurn ?? undefined).toBe(front.turn.previousId)
      })
    ))

  it("changes nothing for whoever folds it", () =>
    fc.assert(
      fc.property(fc.oneof(driven, headed), fc.nat(), (log, at) => {
        const cut = 1 + (at % log.length)
        const front = Fold.run(small, log.slice(0, cut))
        expect(small.step(front, written(front))).toEqual(front)
      })
    ))

  it("between counts of releases that know no cache writes changes no sum", () => {
    const old = (total_tokens: number) => ({
      input_tokens: total_tokens,
      cached_input_tokens: 0,
      output_tokens: 0,
      reasoning_output_tokens: 0,
      total_tokens
    })
    const count = (total: number, last: number) =>
      ({
        type: "event_msg",
        payload: { type: "token_count", info: { total_token_usage: old(total), last_token_usage: old(last) } }
      }) as const
    const log = s.log(s.header(), count(10, 10), count(30, 20))
    const front = Fold.run(small, log.slice(0, 2))
    const read = Checkpoint.read(written(front))
    if (read === undefined) throw new Error("it reads back")
    const seed = { ...front, ...Checkpoint.restore(read, read.thread) }
    const [part, whole] = [seed, front].map((from) => Fold.run(small, log.slice(2), from).usage)
    expect(part?.total).toStrictEqual(whole?.total)
    expect(part?.total).toMatchObject({ input_tokens: 30, cache_write_input_tokens: 0, total_tokens: 30 })
  })

  it("of a fork's source says nothing of the mail of the fork", () => {
    const mail = { id: "1", author: "/root/a", recipient: "/root", content: "c", triggerTurn: true }
    const state = Fold.run(small, s.log(s.header()))
    const waiting = { ...state, mailbox: { ...state.mailbox, mail: [mail], used: true } }
    const read = Checkpoint.read(written(waiting))
    if (read === undefined) throw new Error("it reads back")
    expect(Checkpoint.restore(read, read.thread).mailbox.mail).toEqual([mail])
    const other = Checkpoint.restore(read, "019c2b10-7a00-7c00-8000-0000000000ff").mailbox
    expect(other).toMatchObject({ mail: [], inputs: [], used: false })
  })

  it("that makes no sense is none, nor is any other record", () => {
    for (const data of [null, undefined, {}, { thread: 1 }, { mail: "x" }, []]) {
      expect(Checkpoint.read(Record.reread(Draft.own(facts, Checkpoint.kind, data)))).toBeUndefined()
    }
    expect(Checkpoint.read(Record.reread(Draft.own(facts, "mail", {})))).toBeUndefined()
    for (const record of s.log(s.header(), s.turn("1", "a"))) expect(Checkpoint.read(record)).toBeUndefined()
    expect(Checkpoint.of(small.initial)).toBeUndefined()
  })
})
