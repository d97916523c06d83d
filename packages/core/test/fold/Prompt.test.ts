import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Prompt from "../../src/fold/Prompt.js"
import * as Sha1 from "../../src/internal/Sha1.js"
import type { ResponseItem } from "../../src/record/ResponseItem.js"
import { frozen } from "../json/JsonArbitrary.js"
import * as Items from "./ItemArbitrary.js"

const { image, inputText, message, user } = Items

const functionCall = (call_id: string, id?: string): ResponseItem => ({
  type: "function_call",
  ...(id === undefined ? {} : { id }),
  name: "shell",
  arguments: "{}",
  call_id
})
const functionOutput = (call_id: string, output = "x"): ResponseItem => ({
  type: "function_call_output",
  call_id,
  output
})
const customCall = (call_id: string, id?: string): ResponseItem => ({
  type: "custom_tool_call",
  ...(id === undefined ? {} : { id }),
  name: "patch",
  input: "x",
  call_id
})
const customOutput = (call_id: string, output = "x"): ResponseItem => ({
  type: "custom_tool_call_output",
  call_id,
  output
})
const shellCall = (call_id: string | null, id?: string): ResponseItem => ({
  type: "local_shell_call",
  ...(id === undefined ? {} : { id }),
  call_id,
  status: "completed",
  action: { type: "exec", command: ["ls"], timeout_ms: null, working_directory: null, env: null, user: null }
})
const searchCall = (call_id: string | null, id?: string): ResponseItem => ({
  type: "tool_search_call",
  ...(id === undefined ? {} : { id }),
  call_id,
  status: "completed",
  execution: "client",
  arguments: { query: "calendar" }
})
const searchOutput = (call_id: string | null, execution: string): ResponseItem => ({
  type: "tool_search_output",
  call_id,
  status: "completed",
  execution,
  tools: [{ name: "t" }]
})
const noneFound = (call_id: string): ResponseItem => ({
  type: "tool_search_output",
  call_id,
  status: "completed",
  execution: "client",
  tools: []
})
const uncalled: ResponseItem = { type: "function_call_output", name: "goal_objective", namespace: "agent", output: "x" }

const callId = fc.constantFrom("c1", "c2", "c3")
const itemId = fc.option(fc.constantFrom("i1", "i2", ""), { nil: undefined })
const item: fc.Arbitrary<ResponseItem> = fc.oneof(
  Items.item,
  fc.tuple(callId, itemId).map(([call, id]) => functionCall(call, id)),
  fc.tuple(callId, itemId).map(([call, id]) => customCall(call, id)),
  fc.tuple(fc.option(callId), itemId).map(([call, id]) => shellCall(call, id)),
  fc.tuple(fc.option(callId), itemId).map(([call, id]) => searchCall(call, id)),
  callId.map((call) => functionOutput(call)),
  callId.map((call) => customOutput(call)),
  fc.tuple(fc.option(callId), fc.constantFrom("client", "server")).map(([call, by]) => searchOutput(call, by)),
  fc.constantFrom<ResponseItem>(
    uncalled,
    { type: "function_call_output", call_id: "c1", output: [{ type: "input_image", image_url: "data:" }] },
    { type: "image_generation_call", status: "completed", result: "iVBO" },
    message("user", { type: "input_audio", audio_url: "data:" }, image)
  )
)
const history = fc.array(item, { maxLength: 12 })
const options = fc.record({ images: fc.boolean(), audio: fc.boolean() })

describe("replay-semantics §9, prompt normalisation, step 0", () => {
  it("keeps an output without call_id", () => {
    const history: ReadonlyArray<ResponseItem> = [uncalled, { ...uncalled, call_id: null } as ResponseItem]
    expect(Prompt.normalise(history)).toBe(history)
  })
})

describe("replay-semantics §9, prompt normalisation, step 1", () => {
  it("inserts an output directly behind each call that has none", () => {
    expect(
      Prompt.normalise([functionCall("f"), user("hello"), customCall("c"), shellCall("s"), searchCall("t"), user("x")])
    ).toEqual([
      functionCall("f"),
      functionOutput("f", "aborted"),
      user("hello"),
      customCall("c"),
      customOutput("c", "aborted"),
      shellCall("s"),
      functionOutput("s", "aborted"),
      searchCall("t"),
      noneFound("t"),
      user("x")
    ])
  })

  it("inserts none for an output anywhere, even in front of its call", () => {
    const history = [
      functionOutput("f"),
      customCall("c"),
      functionCall("f"),
      user("x"),
      customOutput("c"),
      shellCall("f")
    ]
    expect(Prompt.normalise(history)).toBe(history)
  })

  it("asks for an output of the call's own kind", () => {
    expect(Prompt.normalise([functionCall("c"), customOutput("c"), customCall("d"), functionOutput("d")])).toEqual([
      functionCall("c"),
      functionOutput("c", "aborted"),
      customCall("d"),
      customOutput("d", "aborted")
    ])
    expect(Prompt.normalise([searchCall("c"), functionOutput("c")])).toEqual([searchCall("c"), noneFound("c")])
  })

  it("inserts none for a call without call_id", () => {
    const history = [shellCall(null), searchCall(null)]
    expect(Prompt.normalise(history)).toBe(history)
  })

  it("gives an inserted output an id made of the call's, and none without it", () => {
    const v5 = (name: string) => Sha1.uuidV5(Prompt.outputNamespace, name)
    const ids = Prompt.normalise([
      functionCall("1", "fc_1"),
      shellCall("2", "lsh_1"),
      customCall("3", "ctc_1"),
      searchCall("4", "tsc_1"),
      functionCall("5"),
      functionCall("6", "")
    ]).filter((_, at) => at % 2 === 1)
    expect(ids.map((item) => ("id" in item ? item.id : undefined))).toEqual([
      `fco_${v5("fco:fc_1")}`,
      `fco_${v5("fco:lsh_1")}`,
      `ctco_${v5("ctco:ctc_1")}`,
      `tso_${v5("tso:tsc_1")}`,
      undefined,
      undefined
    ])
    expect(ids.map((item) => "id" in item)).toEqual([true, true, true, true, false, false])
  })

  it("gives the ids that 0.142.4, 0.145.0 and 0.169.0 gave in their requests", () => {
    const given = {
      fc_0000fw: "5420f610-f30e-5ff0-8a31-0a156cde4c3f",
      fc_0000i0: "304e16d4-7ac5-5f50-a42b-d22e2a4bd2b5"
    }
    for (const [call, uuid] of Object.entries(given)) {
      expect(Prompt.normalise([functionCall("1", call)])[1]).toEqual({
        type: "function_call_output",
        id: `fco_${uuid}`,
        call_id: "1",
        output: "aborted"
      })
    }
  })
})

describe("replay-semantics §9, prompt normalisation, step 2", () => {
  it("removes outputs whose call is missing", () => {
    expect(
      Prompt.normalise([functionOutput("f"), user("x"), customOutput("c"), searchOutput("t", "client"), user("y")])
    ).toEqual([user("x"), user("y")])
  })

  it("lets a function output answer a function call or a local shell call, and nothing else", () => {
    const history = [functionCall("f"), functionOutput("f"), shellCall("s"), functionOutput("s")]
    expect(Prompt.normalise(history)).toBe(history)
    expect(Prompt.normalise([searchOutput("f", "client"), functionCall("f"), functionOutput("f")])).toHaveLength(2)
    expect(Prompt.normalise([customOutput("f"), functionCall("f"), functionOutput("f")])).toHaveLength(2)
  })

  it("keeps server-executed and id-less tool search outputs", () => {
    const history = [searchOutput("t", "server"), searchOutput(null, "client"), searchOutput(null, "server")]
    expect(Prompt.normalise(history)).toBe(history)
  })
})

describe("replay-semantics §9, prompt normalisation, step 3", () => {
  const audio = { type: "input_audio", audio_url: "data:" } as const
  const picture = { type: "input_image", image_url: "data:" } as const
  const history: ReadonlyArray<ResponseItem> = [
    message("user", inputText("a"), picture, audio),
    functionCall("f"),
    { type: "function_call_output", call_id: "f", output: [picture, audio] },
    customCall("c"),
    { type: "custom_tool_call_output", call_id: "c", output: [audio, { type: "input_text", text: "b" }] },
    { type: "image_generation_call", status: "completed", result: "iVBO" }
  ]

  it("changes nothing for a model that takes everything", () => {
    expect(Prompt.normalise(history)).toBe(history)
    expect(Prompt.normalise(history, { images: true, audio: true })).toBe(history)
  })

  it("replaces images, and clears generated ones, for a model without images", () => {
    const text = inputText(Prompt.imageOmitted)
    expect(Prompt.normalise(frozen(history), { images: false })).toEqual([
      message("user", inputText("a"), text, audio),
      functionCall("f"),
      { type: "function_call_output", call_id: "f", output: [text, audio] },
      customCall("c"),
      history[4],
      { type: "image_generation_call", status: "completed", result: "" }
    ])
  })

  it("replaces audio for a model without it", () => {
    const text = inputText(Prompt.audioOmitted)
    expect(Prompt.normalise(frozen(history), { audio: false })).toEqual([
      message("user", inputText("a"), picture, text),
      functionCall("f"),
      { type: "function_call_output", call_id: "f", output: [picture, text] },
      customCall("c"),
      { type: "custom_tool_call_output", call_id: "c", output: [text, inputText("b")] },
      history[5]
    ])
  })
})

describe("replay-semantics §10, invariant 41", () => {
  it("normalisation is idempotent", () => {
    fc.assert(
      fc.property(history, options, (items, options) => {
        const prompt = Prompt.normalise(frozen(items), options)
        expect(Prompt.normalise(prompt, options)).toBe(prompt)
      })
    )
  })

  it("afterwards every call has an output and every client output a call", () => {
    const families = [
      { calls: ["function_call", "local_shell_call"], output: "function_call_output" },
      { calls: ["custom_tool_call"], output: "custom_tool_call_output" },
      { calls: ["tool_search_call"], output: "tool_search_output" }
    ]
    const idsOf = (items: ReadonlyArray<ResponseItem>, types: ReadonlyArray<string>) =>
      new Set(
        items.flatMap((item) =>
          types.includes(item.type) &&
          "call_id" in item &&
          typeof item.call_id === "string" &&
          !("execution" in item && item.execution === "server")
            ? [item.call_id]
            : []
        )
      )
    fc.assert(
      fc.property(history, options, (items, options) => {
        const prompt = Prompt.normalise(items, options)
        for (const { calls, output } of families) {
          const called = idsOf(prompt, calls)
          const answered = idsOf(prompt, [output])
          for (const id of answered) expect(called).toContain(id)
          const server = prompt.flatMap((item) =>
            item.type === "tool_search_output" && item.execution === "server" ? [item.call_id] : []
          )
          for (const id of called) expect(answered.has(id) || server.includes(id)).toBe(true)
        }
      })
    )
  })

  it("the order of existing items is unchanged, and only orphan outputs are gone", () => {
    fc.assert(
      fc.property(history, (items) => {
        const existing = new Set(items)
        const prompt = Prompt.normalise(items)
        const survived = prompt.filter((item) => existing.has(item))
        const gone = items.filter((item) => !survived.includes(item))
        expect(survived).toEqual(items.filter((item) => !gone.includes(item)))
        for (const item of gone) expect(item.type).toMatch(/_output$/)
        for (const [at, item] of prompt.entries()) {
          if (existing.has(item)) continue
          const call = prompt[at - 1]
          expect(call !== undefined && "call_id" in call && "call_id" in item && call.call_id === item.call_id).toBe(
            true
          )
        }
      })
    )
  })
})

describe("replay-semantics §1.4, what the model sees", () => {
  it.each([
    "message",
    "agent_message",
    "reasoning",
    "local_shell_call",
    "function_call",
    "function_call_output",
    "custom_tool_call",
    "custom_tool_call_output",
    "tool_search_call",
    "tool_search_output",
    "web_search_call",
    "image_generation_call",
    "compaction",
    "context_compaction",
    "additional_tools"
  ])("an item of type %s", (type) => {
    expect(Prompt.isModelVisible({ type })).toBe(true)
  })

  it.each(["compaction_trigger", "other", "ghost_snapshot", "a_type_of_the_future", "", "__proto__", "toString"])(
    "no item of type %j",
    (type) => {
      expect(Prompt.isModelVisible({ type })).toBe(false)
    }
  )

  it("no system message", () => {
    expect(Prompt.isModelVisible(message("system", inputText("x")))).toBe(false)
    for (const role of ["user", "assistant", "developer", "tool"]) {
      expect(Prompt.isModelVisible(message(role, inputText("x")))).toBe(true)
    }
    expect(Prompt.isModelVisible({ type: "additional_tools", role: "system" })).toBe(true)
  })
})

describe("rollout-format §4.1, provider rule", () => {
  const stamped: ResponseItem = {
    type: "message",
    role: "user",
    content: [],
    internal_chat_message_metadata_passthrough: { turn_id: "t-1" }
  }

  it("takes the passthrough from every item for a provider other than OpenAI", () => {
    const items = frozen([stamped, user("x"), { ...stamped, internal_chat_message_metadata_passthrough: null }])
    const stripped = Prompt.stripForProvider(items, { openAi: false })
    expect(stripped).toEqual([message("user"), user("x"), message("user")])
    expect(stripped.map((item) => "internal_chat_message_metadata_passthrough" in item)).toEqual([false, false, false])
    expect(stripped[1]).toBe(items[1])
  })

  it("leaves it for OpenAI, and leaves a list without it", () => {
    const items = [stamped]
    expect(Prompt.stripForProvider(items, { openAi: true })).toBe(items)
    const plain = [user("x")]
    expect(Prompt.stripForProvider(plain, { openAi: false })).toBe(plain)
  })
})
