/** How full the window is: replay-semantics §3, token status in both scopes; how usage is recorded. */
import { describe, expect, it } from "vitest"
import * as TokenCount from "../../src/decide/TokenCount.js"
import * as TokenStatus from "../../src/decide/TokenStatus.js"
import type { ResponseItem } from "../../src/record/ResponseItem.js"
import type { TokenUsageInfo } from "../../src/record/Usage.js"
import * as s from "../fold/script.js"
import { Host, reason, right } from "./Host.js"

const usage = (input: number, output: number) => ({
  input_tokens: input,
  cached_input_tokens: 0,
  cache_write_input_tokens: 0,
  output_tokens: output,
  reasoning_output_tokens: 0,
  total_tokens: input + output
})
const info = (total: number, window: number | null = null): TokenUsageInfo => ({
  total_token_usage: usage(total, 0),
  last_token_usage: usage(total, 0),
  model_context_window: window
})
const items = (...lines: ReadonlyArray<s.Line>) => lines.map(({ payload }) => payload as ResponseItem)
const tokens = (...lines: ReadonlyArray<s.Line>) => TokenStatus.estimate(items(...lines))

describe("active (§3)", () => {
  const user = s.user("four words of mine")
  const reply = s.assistant("and mine")

  it("is what the last response counted, and an estimate of what came behind the model's last item", () => {
    const active = (history: ReadonlyArray<ResponseItem>, total: number) =>
      TokenStatus.active({ history, tokenInfo: info(total) })
    expect(active(items(user, reply), 100)).toBe(100)
    expect(active(items(user, reply, user), 100)).toBe(100 + tokens(user))
    expect(active(items(user, reply, s.developer("x"), user), 100)).toBe(100 + tokens(s.developer("x"), user))
  })

  it("is an estimate of everything where nothing was counted", () => {
    expect(TokenStatus.active({ history: items(user, reply), tokenInfo: undefined })).toBe(tokens(user, reply))
  })

  it("counts outputs behind the call that asked for them", () => {
    const call: ResponseItem = { type: "function_call", name: "f", arguments: "{}", call_id: "c" }
    const output: ResponseItem = { type: "function_call_output", call_id: "c", output: "o".repeat(40) }
    const history = [...items(user), call, output]
    expect(TokenStatus.active({ history, tokenInfo: info(50) })).toBe(50 + TokenStatus.estimate([output]))
  })

  it("adds earlier reasoning where the provider's total leaves it out", () => {
    const thought: ResponseItem = { type: "reasoning", summary: [], encrypted_content: "e".repeat(400) }
    const history = [...items(user), thought, ...items(reply, user), thought, ...items(reply)]
    const active = (leftOut: boolean) => TokenStatus.active({ history, tokenInfo: info(50) }, leftOut)
    expect(active(false)).toBe(50)
    expect(active(true)).toBe(50 + TokenStatus.estimate([thought]))
  })
})

describe("status (§3)", () => {
  const of = (total: number, prefill: number | undefined, limits: TokenStatus.Limits, window: number | null = 1000) =>
    TokenStatus.of(
      {
        history: [],
        tokenInfo: info(total, window),
        prefill: prefill === undefined ? { _tag: "None" } : { _tag: "Observed", tokens: prefill }
      },
      limits
    )

  it.each<[string, number, number | undefined, TokenStatus.Limits, number, number | undefined, boolean]>([
    ["total: the lesser of configured and 90 %", 500, 100, { scope: "total", configured: 800 }, 500, 800, false],
    ["total: 90 % of the window", 900, 100, { scope: "total", configured: 950 }, 900, 900, true],
    ["total: the configured limit", 800, 100, { scope: "total", configured: 800 }, 800, 800, true],
    [
      "total, with a buffer for a fallback",
      800,
      100,
      { scope: "total", configured: 800, fallbackBuffer: 10 },
      800,
      800,
      false
    ],
    ["body: what came after the prefill", 850, 100, { scope: "body_after_prefix", configured: 800 }, 750, 800, false],
    [
      "body: the configured limit above 90 %",
      999,
      100,
      { scope: "body_after_prefix", configured: 2000 },
      899,
      2000,
      true
    ],
    [
      "body: nothing before a prefill is known",
      850,
      undefined,
      { scope: "body_after_prefix", configured: 800 },
      0,
      800,
      false
    ]
  ])("%s", (_, total, prefill, limits, used, limit, reached) => {
    expect(of(total, prefill, limits)).toMatchObject({ used, limit, limitReached: reached })
  })

  it("the full window is held against all that is in it, in either scope", () => {
    const window = { tokens: 1000, effectivePercent: 50 }
    for (const scope of ["total", "body_after_prefix"] as const) {
      expect(of(500, 400, { scope, window })).toMatchObject({ fullWindow: 500, limitReached: true, remaining: 0 })
    }
    expect(of(10, undefined, { scope: "total" }, null)).toMatchObject({ limit: undefined, remaining: undefined })
    expect(of(10, undefined, { scope: "total" })).toMatchObject({ fullWindow: 950, remaining: 890 })
  })

  it("the model is reminded once in a window, when little remains", () => {
    const status = of(850, undefined, { scope: "total" })
    expect(TokenStatus.reminds(status, 50, { reminderDelivered: false })).toBe(true)
    expect(TokenStatus.reminds(status, 49, { reminderDelivered: false })).toBe(false)
    expect(TokenStatus.reminds(status, 50, { reminderDelivered: true })).toBe(false)
  })
})

describe("usage", () => {
  const counted = (host: Host, one: ReturnType<typeof usage>, more: object = {}) =>
    TokenCount.counted({ usage: one, ...more }, host.state, host.facts)

  it("adds up over the thread", () => {
    const host = new Host()
    host.begin("u")
    host.do(counted(host, usage(10, 5), { contextWindow: 1000 }))
    host.do(counted(host, usage(20, 1)))
    expect(host.context.tokenInfo).toEqual({
      total_token_usage: usage(30, 6),
      last_token_usage: usage(20, 1),
      model_context_window: 1000
    })
    expect(host.state.usage.total).toEqual(usage(30, 6))
  })

  it("an estimate repeats the sums and adds nothing; without any there is nothing to repeat", () => {
    const host = new Host()
    expect(TokenCount.estimated(7, host.state, host.facts)).toBeUndefined()
    host.do(counted(host, usage(10, 5)))
    const draft = TokenCount.estimated(7, host.state, host.facts)
    host.append(draft === undefined ? [] : [draft])
    expect(host.state.usage.total).toEqual(usage(10, 5))
    expect(TokenStatus.active({ history: [], tokenInfo: host.context.tokenInfo })).toBe(7)
  })

  it.each([-1, 1.5, Number.NaN])("is no count of %s", (n) => {
    expect(reason(counted(new Host(), usage(n, 0)))).toEqual(["InvalidRequest", "out-of-range", "usage.input_tokens"])
  })

  it("§1.7.24: limits ride along; a count without information changes nothing", () => {
    const host = new Host()
    const rateLimits = { limit_id: "l", primary: { used_percent: 1.5 } }
    const [draft] = right(counted(host, usage(1, 1), { rateLimits }))
    expect(draft?.payload).toMatchObject({ rate_limits: rateLimits })
  })
})
