import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Truncation from "../../src/fold/Truncation.js"
import type { ToolOutputPart } from "../../src/record/Content.js"
import type { ResponseItem } from "../../src/record/ResponseItem.js"
import * as Items from "./ItemArbitrary.js"
import { charactersTouched } from "./Work.js"

const encoder = new TextEncoder()
const bytesOf = (text: string): number => encoder.encode(text).length

const kind = fc.constantFrom<"tokens" | "bytes">("tokens", "bytes")
const budget = fc.record({ kind, amount: fc.nat({ max: 40 }) })
const marker = /…(\d+) (tokens|chars) truncated…/u

const part = (text: string): ToolOutputPart => ({ type: "input_text", text })
const image: ToolOutputPart = { type: "input_image", image_url: "data:image/png;base64,AA==" }
const encrypted: ToolOutputPart = { type: "encrypted_content", encrypted_content: "gAAA" }
const audio: ToolOutputPart = { type: "input_audio", audio_url: "data:audio/wav;base64,AA==" }

describe("replay-semantics §1.4.1, budget", () => {
  it("is a fifth more than the limit, rounded up", () => {
    for (const [limit, amount] of [
      [0, 0],
      [1, 2],
      [4, 5],
      [5, 6],
      [10_000, 12_000],
      [10_001, 12_002]
    ] as const) {
      expect(Truncation.budgetOf({ kind: "tokens", limit })).toEqual({ kind: "tokens", amount })
    }
    fc.assert(
      fc.property(fc.nat(), (limit) => {
        const { amount } = Truncation.budgetOf({ kind: "bytes", limit })
        expect(BigInt(amount)).toBe((BigInt(limit) * 6n + 4n) / 5n)
      })
    )
  })

  it("holds 10 000 tokens for the models of the catalogue and 10 000 bytes for others", () => {
    const fits = (policy: Truncation.Policy, bytes: number) => {
      const text = "a".repeat(bytes)
      return Truncation.truncateOutput(text, policy) === text
    }
    expect(fits(Truncation.catalogue, 48_000)).toBe(true)
    expect(fits(Truncation.catalogue, 48_001)).toBe(false)
    expect(fits(Truncation.unknownModel, 12_000)).toBe(true)
    expect(fits(Truncation.unknownModel, 12_001)).toBe(false)
  })

  it("counts UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(Truncation.utf8Length(text)).toBe(bytesOf(text))
        expect(Truncation.tokensOf(text)).toBe(Math.ceil(bytesOf(text) / 4))
      })
    )
    expect(Truncation.utf8Length("\ud800a\udc00")).toBe(7)
  })
})

describe("replay-semantics §1.4.1, a text", () => {
  it("keeps both ends and says what went", () => {
    const cut = (text: string, kind: "tokens" | "bytes", amount: number) =>
      Truncation.truncateText(text, { kind, amount })
    expect(cut("abcdefghij", "bytes", 10)).toBe("abcdefghij")
    expect(cut("abcdefghij", "bytes", 5)).toBe("ab…5 chars truncated…hij")
    expect(cut("abcdefghij", "bytes", 1)).toBe("…9 chars truncated…j")
    expect(cut("abcdefghij", "bytes", 0)).toBe("…10 chars truncated…")
    expect(cut("abcdefghij", "tokens", 2)).toBe("abcd…1 tokens truncated…ghij")
    expect(cut("abcdefghij", "tokens", 0)).toBe("…3 tokens truncated…")
    expect(cut("世世世世", "bytes", 8)).toBe("世…2 chars truncated…世")
    expect(cut("😀😀😀", "bytes", 7)).toBe("…2 chars truncated…😀")
    expect(cut("😀😀😀", "tokens", 1)).toBe("…2 tokens truncated…")
    expect(cut("", "bytes", 0)).toBe("")
  })

  it("is itself exactly when it is within the budget", () => {
    fc.assert(
      fc.property(Items.text(60), budget, (text, { kind, amount }) => {
        const room = kind === "tokens" ? amount * 4 : amount
        const within = bytesOf(text) <= room
        const result = Truncation.truncateText(text, { kind, amount })
        expect(Truncation.cut(text, { kind, amount }) === undefined).toBe(within)
        if (within) expect(result).toBe(text)
        else expect(result).toMatch(marker)
      })
    )
  })

  it("is a prefix and a suffix of whole code points, each as long as its half of the budget lets it be", () => {
    fc.assert(
      fc.property(Items.text(60), budget, (text, { kind, amount }) => {
        const where = Truncation.cut(text, { kind, amount })
        fc.pre(where !== undefined)
        if (where === undefined) return
        const room = kind === "tokens" ? amount * 4 : amount
        const half = Math.floor(room / 2)
        const head = text.slice(0, where.head)
        const tail = text.slice(where.tail)
        const [next] = text.slice(where.head)
        const before = [...text.slice(0, where.tail)].at(-1)
        expect(head.isWellFormed() && tail.isWellFormed()).toBe(true)
        expect(bytesOf(head)).toBeLessThanOrEqual(half)
        expect(bytesOf(head + next)).toBeGreaterThan(half)
        expect(bytesOf(tail)).toBeLessThanOrEqual(room - half)
        expect(bytesOf(before + tail)).toBeGreaterThan(room - half)
        expect(where.head).toBeLessThanOrEqual(where.tail)
        const gone = [...text.slice(where.head, where.tail)].length
        const tokens = Math.ceil((bytesOf(text) - room) / 4)
        expect(where.marker).toBe(kind === "tokens" ? `…${tokens} tokens truncated…` : `…${gone} chars truncated…`)
        expect(Truncation.truncateText(text, { kind, amount })).toBe(head + where.marker + tail)
      })
    )
  })

  it("does not read a text that must be within the budget by its length", () => {
    const text = "a".repeat(16_000)
    expect(charactersTouched(() => Truncation.truncateOutput(text, Truncation.catalogue))).toBe(0)
  })

  it("reads a long text a fixed number of times", () => {
    const text = "a😀".repeat(1 << 18)
    const touched = charactersTouched(() => Truncation.truncateOutput(text, Truncation.unknownModel))
    expect(touched).toBeLessThan(8 * text.length)
  })
})

describe("replay-semantics §1.4.1, a list", () => {
  const policy = (kind: "tokens" | "bytes", limit: number): Truncation.Policy => ({ kind, limit })

  it("is the same list within the budget", () => {
    const output = [part("abc"), image, encrypted, part("def"), part("")]
    expect(Truncation.truncateOutput(output, policy("bytes", 5))).toBe(output)
    expect(Truncation.truncateOutput(output, policy("tokens", 1))).toBe(output)
  })

  it("lets its texts draw on one budget in order", () => {
    const output = [part("abc"), image, part("defghijk"), encrypted, part("l"), part("m")]
    expect(Truncation.truncateOutput(output, policy("bytes", 5))).toEqual([
      part("abc"),
      image,
      part("d…5 chars truncated…jk"),
      encrypted,
      part("[omitted 2 text items ...]")
    ])
    expect(Truncation.truncateOutput(output, policy("tokens", 1))).toEqual([
      part("abc"),
      image,
      part("de…1 tokens truncated…jk"),
      encrypted,
      part("[omitted 2 text items ...]")
    ])
  })

  it("counts each text up to whole tokens", () => {
    const output = [part("a"), part("b"), part("c")]
    expect(Truncation.truncateOutput(output, policy("tokens", 1))).toEqual([
      part("a"),
      part("b"),
      part("[omitted 1 text items ...]")
    ])
    expect(Truncation.truncateOutput(output, policy("bytes", 2))).toBe(output)
  })

  it("lets every text go behind the first that did not fit, whatever it would cost", () => {
    expect(Truncation.truncateOutput([part("abcde"), part("fghijk"), part("")], policy("bytes", 5))).toEqual([
      part("abcde"),
      part("…5 chars truncated…k"),
      part("[omitted 1 text items ...]")
    ])
    expect(Truncation.truncateOutput([part("abcdef"), part(""), part("g"), part("")], policy("bytes", 5))).toEqual([
      part("abcdef"),
      part(""),
      part("[omitted 2 text items ...]")
    ])
  })

  it("loses audio and nothing else but texts", () => {
    expect(Truncation.truncateOutput([audio, part("a"), image], policy("bytes", 5))).toEqual([part("a"), image])
    expect(Truncation.truncateOutput([image, encrypted, part("a")], policy("bytes", 0))).toEqual([
      image,
      encrypted,
      part("[omitted 1 text items ...]")
    ])
  })

  it("keeps text within the budget and a marker", () => {
    const parts = fc.array(fc.oneof(Items.text(12).map(part), fc.constantFrom(image, encrypted)), { maxLength: 8 })
    fc.assert(
      fc.property(parts, kind, fc.nat({ max: 20 }), (output, kind, limit) => {
        const { amount } = Truncation.budgetOf({ kind, limit })
        const result = Truncation.truncateOutput(output, { kind, limit })
        if (typeof result === "string") throw new Error("a list stays a list")
        const texts = result.flatMap((each) => (each.type === "input_text" ? [each.text] : []))
        const note = texts.at(-1)?.match(/^\[omitted (\d+) text items \.\.\.\]$/)
        const kept = note ? texts.slice(0, -1) : texts
        const cost = (text: string) => {
          const bytes = bytesOf(text.replace(marker, ""))
          return kind === "tokens" ? Math.ceil(bytes / 4) : bytes
        }
        expect(kept.reduce((sum, text) => sum + cost(text), 0)).toBeLessThanOrEqual(amount)
        expect(kept.length + Number(note?.[1] ?? 0)).toBe(output.filter((each) => each.type === "input_text").length)
        expect(result.filter((each) => each.type !== "input_text")).toEqual(
          output.filter((each) => each.type !== "input_text")
        )
        for (const text of kept.slice(0, -1)) expect(text).not.toMatch(marker)
      })
    )
  })
})

describe("replay-semantics §1.4, which items are truncated", () => {
  const long = "a".repeat(100)
  const policy: Truncation.Policy = { kind: "bytes", limit: 10 }

  it("outputs of function and custom tool calls", () => {
    for (const item of [
      { type: "function_call_output", id: "fco_1", call_id: "c", output: long },
      { type: "custom_tool_call_output", call_id: "c", name: "patch", output: long }
    ] as const) {
      expect(Truncation.truncateItem(item, policy)).toEqual({ ...item, output: "aaaaaa…88 chars truncated…aaaaaa" })
      expect(Truncation.truncateItem(item, Truncation.catalogue)).toBe(item)
      expect(item.output).toBe(long)
    }
  })

  it("and no others", () => {
    const others: ReadonlyArray<ResponseItem> = [
      Items.user(long),
      Items.assistant(long),
      { type: "function_call", name: "f", arguments: long, call_id: "c" },
      { type: "custom_tool_call", name: "f", input: long, call_id: "c" }
    ]
    for (const item of others) expect(Truncation.truncateItem(item, policy)).toBe(item)
  })
})
