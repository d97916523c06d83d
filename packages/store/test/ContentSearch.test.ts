import * as Jsonl from "@skein/core/record/Jsonl"
import * as Script from "@skein/testing/Script"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as ContentSearch from "../src/ContentSearch.js"

const find = (text: string, term: string) => ContentSearch.find(text, ContentSearch.term(term))

/** What a snippet marks as found. */
const found = (text: string, term: string): string | undefined => {
  const match = find(text, term)
  return match?.snippet.slice(match.range.start, match.range.end)
}

/** Letters whose lower case is longer, shorter in bytes, or depends on what is around them, and others. */
const letter = fc.constantFrom(
  "a",
  "A",
  "k",
  "K",
  "\u212a",
  "i",
  "İ",
  "ß",
  "ẞ",
  "Σ",
  "σ",
  "ς",
  "é",
  "É",
  "😀",
  " ",
  "\n",
  '"',
  "\\",
  "0"
)
const text = fc.array(letter, { maxLength: 12 }).map((letters) => letters.join(""))

describe("terms and texts", () => {
  it("§11.60: letter case does not matter, in any script", () => {
    expect(found("It FAILS again", "fails")).toBe("FAILS")
    expect(found("ÉCOLE", "école")).toBe("ÉCOLE")
    expect(found("ПРИВЕТ мир", "привет МИР")).toBe("ПРИВЕТ мир")
    expect(found("ΟΔΟΣΑ", "οδος")).toBe("ΟΔΟΣ")
    expect(found("x Στίγμας", "ΣΤΊΓΜΑΣ")).toBe("Στίγμας")
  })

  it("§11.60: quotes, backslashes and white space", () => {
    expect(found('say "hi" now', '"hi"')).toBe('"hi"')
    expect(found("C:\\repo\\new", "\\repo\\N")).toBe("\\repo\\n")
    expect(find("one\n\n  two", "one two")?.snippet).toBe("one two")
    expect(find("one two", " one\ttwo ")?.snippet).toBe("one two")
    expect(find("a.b", "a+b")).toBeUndefined()
    expect(find("a", "")).toBeUndefined()
  })

  it("§11.60: letters whose lower case is longer keep their places", () => {
    expect(found("İİİ x İ", "x")).toBe("x")
    expect(found("İİİxİ", "xİ")).toBe("xİ")
    expect(found("aİb", "i")).toBe("İ")
  })

  it("§11.60: a match is where the term stands, and every text holds its own parts", () => {
    fc.assert(
      fc.property(text, text, text, (before, term, behind) => {
        const flat = ContentSearch.term(term).text
        if (flat === "") return
        const match = find(`${before} ${term} ${behind}`, term)
        expect(match).toBeDefined()
        if (match === undefined) return
        const marked = match.snippet.slice(match.range.start, match.range.end)
        expect(marked).not.toBe("")
        expect(ContentSearch.find(marked, ContentSearch.term(term))).toBeDefined()
      }),
      { numRuns: 500 }
    )
  })

  it("a line that holds a match is never passed over", () => {
    const line = (said: string) => Jsonl.encode(Script.userEvent(said))
    fc.assert(
      fc.property(text, text, (said, wanted) => {
        const term = ContentSearch.term(wanted)
        if (ContentSearch.find(said, term) === undefined) return
        expect(ContentSearch.mayHold(line(said), term)).toBe(true)
      }),
      { numRuns: 2000 }
    )
  })

  it("a line whose writer escaped plain letters is not passed over", () => {
    const mayHold = (said: string, wanted: string) =>
      ContentSearch.mayHold(new TextEncoder().encode(`{"message":"${said}"}`), ContentSearch.term(wanted))
    expect(mayHold("\\u0068ello", "hello")).toBe(true)
    expect(mayHold("\\u0048ello", "hello")).toBe(true)
    expect(mayHold("route \\u00366", "66")).toBe(true)
    expect(mayHold("\\u212aelvin", "kelvin")).toBe(true)
    expect(mayHold("\\u0130x", "i")).toBe(true)
    expect(mayHold("bye", "hello")).toBe(false)
    expect(mayHold("\\u001b[0m \\u003c “bye”", "hello")).toBe(false)
  })
})

describe("snippets", () => {
  const long = `${"b".repeat(100)}needle${"e".repeat(200)}`

  it("§11.60: 49 characters in front of the match, as the reference answers, and 96 behind it", () => {
    const match = find(long, "NEEDLE")
    expect(match?.snippet).toBe(`... ${"b".repeat(49)}needle${"e".repeat(96)} ...`)
    expect(found(long, "NEEDLE")).toBe("needle")
  })

  it("§11.60: nothing is cut off where nothing was left out", () => {
    const fits = `${"b".repeat(49)}needle${"e".repeat(96)}`
    expect(find(fits, "needle")?.snippet).toBe(fits)
    expect(find(`b${fits}`, "needle")?.snippet).toBe(`... ${fits}`)
    expect(find(`${fits}e`, "needle")?.snippet).toBe(`${fits} ...`)
    expect(find(`b b${fits.slice(1)}`, "needle")?.snippet).toBe(`... ${fits}`)
    expect(find(`b ${fits.slice(1)} e`, "needle")?.snippet).toBe(`... ${fits.slice(1)} ...`)
  })

  it("a long match is shown whole", () => {
    const match = find("x".repeat(300), "x".repeat(200))
    expect(match).toEqual({ snippet: `${"x".repeat(296)} ...`, range: { start: 0, end: 200 } })
  })

  it("§11.90: no surrogate pair is cut in two, and ranges count in UTF-16", () => {
    const pairs = find(`${"😀".repeat(40)}x needle ${"😀".repeat(60)}`, "needle")
    expect(pairs?.snippet.isWellFormed()).toBe(true)
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), fc.boolean(), (before, behind, odd) => {
        const said = `${odd ? "x" : ""}${"😀".repeat(before)}needle${"😀".repeat(behind)}`
        const match = find(said, "needle")
        expect(match?.snippet.isWellFormed()).toBe(true)
        expect(match?.snippet.slice(match.range.start, match.range.end)).toBe("needle")
      })
    )
  })

  it("§11.90: several matches of one text, in order and without overlap", () => {
    const matches = ContentSearch.all("aa aaa", ContentSearch.term("aa"))
    expect(matches.map(({ range }) => range)).toEqual([
      { start: 0, end: 2 },
      { start: 3, end: 5 }
    ])
    expect(ContentSearch.all("aaaa", ContentSearch.term("a"), 3)).toHaveLength(3)
  })
})

describe("what was said (thread-store §6)", () => {
  const texts = (...lines: ReadonlyArray<Script.Lines>) => Script.log(...lines).map(ContentSearch.textOf)

  it("§11.61: messages of users and agents, and nothing else", () => {
    expect(
      texts(
        Script.header(),
        Script.user("u"),
        Script.assistant("a"),
        Script.developer("d"),
        Script.userEvent("e"),
        Script.compacted(undefined, {}, "s"),
        Script.started("t")
      )
    ).toEqual([undefined, "u", "a", undefined, "e", undefined, undefined])
  })

  it("a line that is passed over by its head says nothing", () => {
    const heads = [
      { type: "response_item", inner: "function_call_output" },
      { type: "event_msg", inner: "token_count" },
      { type: "event_msg", inner: "item_completed", item: "CommandExecution" },
      { type: "world_state", inner: undefined }
    ]
    for (const head of heads) expect(ContentSearch.wants({ ordinal: undefined, ...head })).toBe(false)
    const wanted = [
      { type: "response_item", inner: "message" },
      { type: "response_item", inner: undefined },
      { type: "event_msg", inner: "user_message" },
      { type: "event_msg", inner: "item_completed", item: undefined },
      { type: "event_msg", inner: "item_completed", item: "AgentMessage" }
    ]
    for (const head of wanted) expect(ContentSearch.wants({ ordinal: undefined, ...head })).toBe(true)
  })
})
