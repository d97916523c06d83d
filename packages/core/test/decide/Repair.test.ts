/** What a resumed thread has to add: replay-semantics §9 (crash points), §10.18, §11.6, §11.8, §11.9. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Mail from "../../src/decide/Mail.js"
import * as Repair from "../../src/decide/Repair.js"
import * as TurnLifecycle from "../../src/decide/TurnLifecycle.js"
import * as ThreadView from "../../src/fold/view/ThreadView.js"
import * as WindowState from "../../src/fold/WindowState.js"
import * as s from "../fold/script.js"
import { commands, Driven } from "./Commands.js"
import { Host, kinds, reason, right, uuid } from "./Host.js"

const repair = (host: Host) => right(Repair.decide(host.read, host.facts))

describe("a thread that was closed in peace", () => {
  it("has nothing to add", () => {
    const host = new Host()
    host.turn("u")
    expect(repair(Host.of(host.log))).toEqual({ drafts: [], turnId: undefined, mail: 0, startsTurn: false })
  })
})

describe("an unfinished turn (§11.9 [W]: the reference leaves it as it is)", () => {
  it("gets its abort once, with the marker, and says that nobody asked for it", () => {
    const host = new Host()
    const id = host.begin("u")
    host.say("partial")
    const resumed = Host.of(host.log)
    const found = repair(resumed)
    expect(kinds(found.drafts)).toEqual(["message", "turn_aborted (repair)"])
    expect(found.turnId).toBe(id)
    expect(found.drafts.at(-1)?.payload).toMatchObject({ turn_id: id, reason: "interrupted" })
    resumed.append(found.drafts)
    expect(s.texts(resumed.context.history)).toEqual(["u", "partial", TurnLifecycle.interruption])
    expect(ThreadView.turns(resumed.state.view)[0]?.status).toBe("interrupted")
    expect(repair(resumed).drafts).toEqual([])
    expect(repair(Host.of(resumed.log)).drafts).toEqual([])
  })

  it("tells what waited in it before its end; mail waits for the next turn", () => {
    const host = new Host()
    host.begin("u")
    const steer = { content: [{ type: "text" as const, text: "and" }], id: host.id() }
    host.do(TurnLifecycle.steer(steer, host.state, host.facts))
    const mail = { id: "1", author: "/root/w", recipient: "/root", content: "words", triggerTurn: true }
    host.do(Mail.enqueue(mail, host.state, host.facts))
    const resumed = Host.of(host.log)
    const found = repair(resumed)
    expect(found).toMatchObject({ mail: 1, startsTurn: true })
    resumed.append(found.drafts)
    expect(s.texts(resumed.context.history)).toEqual(["u", "and", TurnLifecycle.interruption])
    resumed.do(TurnLifecycle.start({ turnId: resumed.id() }, resumed.state, resumed.facts))
    resumed.do(Mail.drain(resumed.state, resumed.facts))
    expect(s.texts(Host.of(resumed.log).context.history).at(-1)).toBe("words")
    expect(Host.of(resumed.log).state.mailbox.mail).toEqual([])
  })

  it("can be told as the developer, or not at all", () => {
    const host = new Host()
    host.begin("u")
    const drafts = (marker: "developer" | "none") => kinds(right(Repair.decide(host.read, host.facts, marker)).drafts)
    expect([drafts("developer"), drafts("none")]).toEqual([
      ["message", "turn_aborted (repair)"],
      ["turn_aborted (repair)"]
    ])
  })

  it("needs a header", () => {
    const host = Host.of(s.log(s.started("t")))
    expect(reason(Repair.decide(host.read, host.facts))).toEqual(["Conflict", "no-header", "thread"])
  })
})

describe("a window that has no id (§11.6 [W]: the reference makes one up at each resume)", () => {
  it("is given one that it keeps", () => {
    const host = Host.of(s.log(s.header(), s.turn("1", "u", s.compacted([s.user("k")], { window_number: 3 }))))
    const found = right(Repair.decide(host.read, { ...host.facts, windowId: uuid(42) }))
    expect(kinds(found.drafts)).toEqual(["token_count (window)"])
    host.append(found.drafts)
    const live = WindowState.live(host.state.window, host.context.window, uuid(43))
    expect(live).toMatchObject({ number: 3, id: uuid(42) })
    expect(repair(host).drafts).toEqual([])
  })

  it("is left alone where the log was not read far enough to tell", () => {
    const host = Host.of(s.log(s.header(), s.turn("1", "u")))
    const read = { ...host.read, context: { ...host.context, complete: { ...host.context.complete, window: false } } }
    expect(right(Repair.decide(read, host.facts)).drafts).toEqual([])
  })
})

describe("laws", () => {
  it("§9: wherever a process was killed, what is repaired needs no more repair, and nothing that was said is lost", () => {
    fc.assert(
      fc.property(commands(6), fc.nat(), (all, at) => {
        const driven = new Driven()
        for (const one of all) driven.do(one)
        const log = driven.host.log.slice(0, 1 + (at % driven.host.log.length))
        const host = Host.of(log)
        const before = host.context
        const found = repair(host)
        host.append(found.drafts)
        expect(host.state.turn.active).toBeUndefined()
        expect(host.state.mailbox.inputs).toEqual([])
        expect(repair(host)).toEqual({ ...found, drafts: [], turnId: undefined })
        // The history goes on from what it was, and the window is the same one.
        expect(host.context.history.slice(0, before.history.length)).toEqual(before.history)
        expect(host.context.window).toEqual(before.window)
        expect(host.context.worldState).toEqual(before.worldState)
      }),
      { numRuns: 300 }
    )
  })
})
