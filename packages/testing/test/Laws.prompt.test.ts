/** Laws of a request's input, over any history and over those of well-formed threads (replay-semantics §9, §10.41). */
import { createHash } from "node:crypto"
import * as Fold from "@skein/core/fold/Fold"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as Prompt from "@skein/core/fold/Prompt"
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import * as ResponseItems from "@skein/core/record/ResponseItem"
import { anyHistory, anyItem } from "@skein/testing/AnyHistory"
import * as Script from "@skein/testing/Script"
import * as Thread from "@skein/testing/Thread"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

const runs = { numRuns: 500 }

const history = fc.oneof(
  { weight: 4, arbitrary: anyHistory },
  {
    weight: 1,
    arbitrary: Thread.thread().map(({ log }) => ModelContext.read(Fold.run(ModelContext.fold(), log)).history)
  }
)

/** Kinds of calls: what is called, what answers it, and what stands for an answer that never came. */
const kinds = [
  {
    calls: ["function_call", "local_shell_call"],
    output: "function_call_output",
    prefix: "fco",
    missing: { output: "aborted" }
  },
  { calls: ["custom_tool_call"], output: "custom_tool_call_output", prefix: "ctco", missing: { output: "aborted" } },
  {
    calls: ["tool_search_call"],
    output: "tool_search_output",
    prefix: "tso",
    missing: { status: "completed", execution: "client", tools: [] }
  }
]

const callIdOf = (item: ResponseItem): string | undefined =>
  "call_id" in item && typeof item.call_id === "string" ? item.call_id : undefined

const kindOfCall = (item: ResponseItem) => kinds.find(({ calls }) => calls.includes(item.type))
const kindOfOutput = (item: ResponseItem) => kinds.find(({ output }) => output === item.type)

/** Whether an output belongs to a call and the history lacks that call. */
const isOrphan = (item: ResponseItem, all: ReadonlyArray<ResponseItem>): boolean => {
  const kind = kindOfOutput(item)
  const id = callIdOf(item)
  if (kind === undefined || id === undefined) return false
  if (item.type === "tool_search_output" && item.execution === "server") return false
  return !all.some((one) => kind.calls.includes(one.type) && callIdOf(one) === id)
}

const isUnanswered = (item: ResponseItem, all: ReadonlyArray<ResponseItem>): boolean => {
  const kind = kindOfCall(item)
  const id = callIdOf(item)
  return kind !== undefined && id !== undefined && !all.some((one) => one.type === kind.output && callIdOf(one) === id)
}

/** RFC 9562 §5.5, written a second time. */
const uuidV5 = (namespace: string, name: string): string => {
  const hash = createHash("sha1")
    .update(Buffer.from(namespace.replaceAll("-", ""), "hex"))
    .update(name)
    .digest()
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  const hex = hash.toString("hex")
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-")
}

describe("calls and outputs", () => {
  it("what stands in a history stays, in its order, but for outputs whose call is missing", () => {
    fc.assert(
      fc.property(history, (items) => {
        const stayed = new Set(items)
        const kept = Prompt.normalise(items).filter((item) => stayed.has(item))
        const expected = items.filter((item) => !isOrphan(item, items))
        expect(kept.length).toBe(expected.length)
        for (const [i, item] of kept.entries()) expect(item).toBe(expected[i])
      }),
      runs
    )
  })

  it("behind each call without an output, and nowhere else, one is put that says so, under an id that lasts", () => {
    let inserted = 0
    fc.assert(
      fc.property(history, (items) => {
        const known = new Set(items)
        const prompt = Prompt.normalise(items)
        for (const [i, item] of prompt.entries()) {
          const next = prompt[i + 1]
          if (known.has(item)) {
            const isFollowed = next !== undefined && !known.has(next)
            expect([item.type, isFollowed]).toEqual([item.type, isUnanswered(item, items)])
            continue
          }
          inserted++
          const call = prompt[i - 1] as ResponseItem
          const kind = kindOfCall(call)
          const id = "id" in call ? call.id : undefined
          expect(item).toEqual({
            type: kind?.output,
            ...(id === undefined || id === null || id === ""
              ? {}
              : { id: `${kind?.prefix}_${uuidV5("90d38d3e-6a5b-4d52-bfe2-2f1e634bfac4", `${kind?.prefix}:${id}`)}` }),
            call_id: callIdOf(call),
            ...kind?.missing
          })
        }
      }),
      runs
    )
    expect(inserted).toBeGreaterThan(0)
  })

  it("§10.41: a prompt that was put in order is in order, and is the same one", () => {
    fc.assert(
      fc.property(history, (items) => {
        const prompt = Prompt.normalise(items)
        expect(Prompt.normalise(prompt)).toBe(prompt)
        for (const item of prompt) expect([isOrphan(item, prompt), isUnanswered(item, prompt)]).toEqual([false, false])
        const isInOrder = !items.some((item) => isOrphan(item, items) || isUnanswered(item, items))
        expect(prompt === items).toBe(isInOrder)
      }),
      runs
    )
  })

  it("equal histories give equal prompts, and a history is left as it was", () => {
    fc.assert(
      fc.property(history, (items) => {
        const before = structuredClone(items)
        expect(Prompt.normalise(items)).toEqual(Prompt.normalise(before))
        expect(items).toEqual(before)
      }),
      { numRuns: 300 }
    )
  })
})

/** Everything in an item that is an object with a type, but the item itself. */
const partsOf = (item: ResponseItem): ReadonlyArray<{ readonly type: string; readonly text?: string }> =>
  item.type === "message"
    ? item.content
    : (item.type === "function_call_output" || item.type === "custom_tool_call_output") &&
        typeof item.output !== "string"
      ? item.output
      : []

describe("media that the model cannot take", () => {
  const said = { image: /^image content omitted/, audio: /^audio content omitted/ }

  it("a text stands for each image and each audio, in its place; all else stays", () => {
    let omitted = 0
    fc.assert(
      fc.property(history, fc.boolean(), fc.boolean(), (items, images, audio) => {
        const whole = Prompt.normalise(items)
        const prompt = Prompt.normalise(whole, { images, audio })
        expect(Prompt.normalise(items, { images, audio })).toEqual(prompt)
        expect(prompt.map(({ type }) => type)).toEqual(whole.map(({ type }) => type))
        for (const [i, item] of prompt.entries()) {
          const original = whole[i] as ResponseItem
          const parts = partsOf(item)
          const changed = partsOf(original).map((part, k) => {
            const lost = (part.type === "input_image" && !images) || (part.type === "input_audio" && !audio)
            if (!lost) return part
            omitted++
            const stands = parts[k]
            expect(Object.keys(stands ?? {})).toEqual(["type", "text"])
            expect(stands?.text).toMatch(part.type === "input_image" ? said.image : said.audio)
            return { type: "input_text", text: stands?.text }
          })
          expect(parts).toEqual(changed)
          if (original.type === "image_generation_call") {
            if (images || original.result === "") expect(item).toBe(original)
            else expect(item).toEqual({ ...original, result: "" })
            continue
          }
          // What holds no such part is the same item still.
          if (changed.every((part, k) => part === partsOf(original)[k])) expect(item).toBe(original)
          else {
            const {
              content: _,
              output: __,
              ...rest
            } = item as { readonly content?: unknown; readonly output?: unknown }
            expect(original).toMatchObject(rest)
          }
        }
        const again = Prompt.normalise(prompt, { images, audio })
        expect(again).toBe(prompt)
      }),
      runs
    )
    expect(omitted).toBeGreaterThan(0)
  })

  it("are taken unless it is said that they are not", () => {
    fc.assert(
      fc.property(history, (items) => {
        expect(Prompt.normalise(items, {})).toEqual(Prompt.normalise(items, { images: true, audio: true }))
        expect(Prompt.normalise(items, { images: undefined })).toEqual(Prompt.normalise(items))
      }),
      { numRuns: 300 }
    )
  })
})

describe("what a provider is sent", () => {
  const key = "internal_chat_message_metadata_passthrough"

  it("no passthrough but to OpenAI, and all else (rollout-format §4.1)", () => {
    let stripped = 0
    fc.assert(
      fc.property(history, (items) => {
        expect(Prompt.stripForProvider(items, { openAi: true })).toBe(items)
        const sent = Prompt.stripForProvider(items, { openAi: false })
        const has = items.some((item) => key in item)
        if (has) stripped++
        expect(sent === items).toBe(!has)
        expect(sent).toEqual(items.map(({ [key]: _, ...rest }: ResponseItem & { [key]?: unknown }) => rest))
        for (const [i, item] of items.entries()) if (!(key in item)) expect(sent[i]).toBe(item)
      }),
      { numRuns: 300 }
    )
    expect(stripped).toBeGreaterThan(0)
  })

  it("§10.20: a model sees every known item but those of the system and the trigger of a compaction", () => {
    const system = anyItem.map((item) => ({ ...item, role: "system" }))
    fc.assert(
      fc.property(fc.oneof(anyItem, system), (item) => {
        const isSystem = item.type === "message" && item.role === "system"
        expect(Prompt.isModelVisible(item)).toBe(item.type !== "compaction_trigger" && !isSystem)
      }),
      runs
    )
    for (const type of ["other", "ghost_snapshot", "hologram", "constructor"]) {
      expect([type, Prompt.isModelVisible({ type })]).toEqual([type, false])
    }
    expect(Object.keys(ResponseItems.variants).length).toBeGreaterThan(10)
  })

  it("§10.20: and nothing else is in a replayed history", () => {
    fc.assert(
      fc.property(fc.array(anyItem, { maxLength: 8 }), (items) => {
        const lines = items.map((payload) => ({ type: "response_item", payload }))
        const { history } = ModelContext.read(Fold.run(ModelContext.fold(), Script.log(Script.header(), lines)))
        expect(history).toEqual(items.filter(Prompt.isModelVisible))
      }),
      { numRuns: 300 }
    )
  })
})
