import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { isRealUserMessage, summaryLine } from "../../src/fold/Boundary.js"
import * as Fragment from "../../src/fold/Fragment.js"
import * as Rebuild from "../../src/fold/Rebuild.js"
import type { ResponseItem } from "../../src/record/ResponseItem.js"
import { frozen } from "../json/JsonArbitrary.js"
import * as Items from "./ItemArbitrary.js"

const { assistant, image, inputText, message, summary, user } = Items

const text = `${summaryLine}\nso far`
const kept = (history: ReadonlyArray<ResponseItem>, options?: Rebuild.Options) =>
  Rebuild.rebuild(frozen(history), text, options).slice(0, -1)

describe("replay-semantics §1.4, compaction without replacement", () => {
  it("§1.7 case 19: keeps the user's text and adds the summary", () => {
    expect(Rebuild.rebuild([user("p"), assistant("a")], text)).toEqual([user("p"), user(text)])
  })

  it("§1.7 case 21: a second one drops the summary of the first", () => {
    const first = Rebuild.rebuild([user("p"), assistant("a")], text)
    expect(Rebuild.rebuild([...first, user("q")], `${summaryLine}\nlater`)).toEqual([
      user("p"),
      user("q"),
      user(`${summaryLine}\nlater`)
    ])
  })

  it("puts a fixed text for an empty summary, and leaves any other as it stands", () => {
    expect(Rebuild.rebuild([], "")).toEqual([user("(no summary available)")])
    expect(Rebuild.rebuild([], " ")).toEqual([user(" ")])
    expect(Rebuild.rebuild([], "SUMMARY: x")).toEqual([user("SUMMARY: x")])
  })

  it("keeps real user messages only", () => {
    const history: ReadonlyArray<ResponseItem> = [
      Items.permissions,
      Items.context,
      user("p"),
      Items.mixed,
      summary("old"),
      Items.agentMessage,
      Items.envelope,
      assistant("a"),
      { type: "function_call", name: "f", arguments: "{}", call_id: "c" },
      { type: "function_call_output", call_id: "c", output: "x" },
      { type: "reasoning", summary: [], content: null, encrypted_content: null },
      { type: "compaction", encrypted_content: "x" },
      Items.instructions
    ]
    expect(kept(history)).toEqual([user("p")])
  })

  it("takes a summary of 0.42.0 for the user's words", () => {
    expect(kept([user("SUMMARY: x")])).toEqual([user("SUMMARY: x")])
  })

  it("keeps 20 000 tokens unless told otherwise", () => {
    const full = user("a".repeat(80_000))
    expect(kept([user("old"), full])).toEqual([full])
    expect(kept([user("old"), user("a".repeat(79_996))])).toEqual([user("old"), user("a".repeat(79_996))])
    expect(kept([user("a".repeat(80_001))])).toEqual([
      user("a".repeat(40_000), "…1 tokens truncated…", "a".repeat(40_000))
    ])
  })

  it("takes nothing once the rest is 0, not even a text that costs nothing", () => {
    expect(kept([user("old"), user(""), user("abcdefgh")], { tokens: 2 })).toEqual([user("abcdefgh")])
    expect(kept([user("p")], { tokens: 0 })).toEqual([])
  })

  it("takes a text that costs 0 while something is left", () => {
    expect(kept([user("ab"), user(""), message("user"), user("cd")], { tokens: 3 })).toEqual([
      user("ab"),
      user(""),
      user(""),
      user("cd")
    ])
  })

  it("counts every text up to whole tokens", () => {
    expect(kept([user("a"), user("b"), user("c")], { tokens: 2 })).toEqual([user("b"), user("c")])
  })
})

describe("replay-semantics §1.4.3, parts", () => {
  it("keeps the parts of a message apart, empty ones too, without images and their labels", () => {
    const shown = message("user", inputText("a"), inputText("<image>"), image, inputText("</image>"), inputText(""))
    expect(kept([shown])).toEqual([user("a", "")])
    expect(kept([message("user", image)])).toEqual([user("")])
    expect(kept([shown], { parts: "joined" })).toEqual([user("a")])
  })

  it("makes three parts of one text that is cut", () => {
    expect(kept([user("old"), user("abcdefghijkl"), user("new")], { tokens: 3 })).toEqual([
      user("abcd", "…1 tokens truncated…", "ijkl"),
      user("new")
    ])
    expect(kept([user("old"), user("abcdefghijkl"), user("new")], { tokens: 3, parts: "joined" })).toEqual([
      user("abcd…1 tokens truncated…ijkl"),
      user("new")
    ])
  })

  it("cuts several parts as one text and keeps a piece of each", () => {
    expect(kept([user("ab", "", "cdef", "ghij", "kl")], { tokens: 2 })).toEqual([
      user("ab", "cd", "…1 tokens truncated…", "ij", "kl")
    ])
    expect(kept([user("abcd", "efgh", "ijkl")], { tokens: 2 })).toEqual([user("abcd", "…1 tokens truncated…", "ijkl")])
    expect(kept([user("世世世世")], { tokens: 1 })).toEqual([user("…2 tokens truncated…")])
  })

  it("counts a marker like any text when it is cut again", () => {
    const [once] = kept([user("abcdefghijklmnop")], { tokens: 2 })
    expect(once).toEqual(user("abcd", "…2 tokens truncated…", "mnop"))
    if (once === undefined) return
    expect(Rebuild.userTextTokens(once)).toBe(8)
    expect(kept([once], { tokens: 4 })).toEqual([user("abcd", "…2", "…4 tokens truncated…", "d…", "mnop")])
    expect(kept([once], { tokens: 4, parts: "joined" })).toEqual([user("abcd…2…4 tokens truncated…d…mnop")])
  })
})

describe("replay-semantics §1.9, cost of a user text", () => {
  it("is that of its joined texts", () => {
    expect(Rebuild.userTextTokens(user("世"))).toBe(1)
    expect(Rebuild.userTextTokens(user("a", "b", "c"))).toBe(1)
    expect(Rebuild.userTextTokens(user("abcde"))).toBe(2)
    expect(Rebuild.userTextTokens(message("user", image))).toBe(0)
  })

  it("is undefined for anything else", () => {
    for (const item of [Items.context, Items.mixed, summary("x"), assistant("a"), Items.agentMessage, Items.envelope]) {
      expect(Rebuild.userTextTokens(item)).toBeUndefined()
    }
    expect(Rebuild.userTextTokens(user("<own></own>"))).toBe(3)
    const own: Fragment.Registry = {
      ...Fragment.newest,
      user: [{ kind: "marked", start: "<own>", end: "</own>", ignoreCase: false }]
    }
    expect(Rebuild.userTextTokens(user("<own></own>"), own)).toBeUndefined()
  })

  it("stops a scan soundly: nothing before the message that fills the budget changes the rebuild", () => {
    fc.assert(
      fc.property(Items.history, Items.history, fc.integer({ min: 1, max: 12 }), (older, newer, budget) => {
        let sum = 0
        for (const item of newer) sum += Rebuild.userTextTokens(item) ?? 0
        fc.pre(sum >= budget)
        expect(kept([...older, ...newer], { tokens: budget })).toEqual(kept(newer, { tokens: budget }))
      })
    )
  })

  it("adds up to the budget at most, and to all of it unless everything was kept", () => {
    fc.assert(
      fc.property(Items.history, fc.integer({ min: 0, max: 12 }), (history, budget) => {
        const cost = (item: ResponseItem) => Rebuild.userTextTokens(item) ?? 0
        const total = history.reduce((sum, item) => sum + cost(item), 0)
        const result = kept(history, { tokens: budget })
        if (total <= budget) {
          const newest = history.filter((item) => isRealUserMessage(item)).slice(-result.length)
          expect(result.map(cost)).toEqual(result.length === 0 ? [] : newest.map(cost))
          return
        }
        const [oldest, ...others] = result
        const whole = others.reduce((sum, item) => sum + cost(item), 0)
        expect(whole).toBeLessThanOrEqual(budget)
        if (oldest === undefined) expect(budget).toBe(0)
        else if (!JSON.stringify(oldest).includes("tokens truncated")) expect(whole + cost(oldest)).toBe(budget)
      })
    )
  })
})
