/** Quoting of the words of a command (thread-view §1.6). */
import { describe, expect, it } from "vitest"
import * as CommandLine from "../../../src/fold/view/CommandLine.js"

describe("quoting of a word", () => {
  it.each([
    ["", "''"],
    ["ls", "ls"],
    ["a+b-c.d/e:f@g]h_i0Z", "a+b-c.d/e:f@g]h_i0Z"],
    ["a b", "'a b'"],
    ["a=b", "'a=b'"],
    ["[a", "'[a'"],
    ["é", "'é'"],
    ["it's", `"it's"`],
    ['say "hi"', `'say "hi"'`],
    [`it's "so"`, `"it's \\"so\\""`],
    ["a\\b", '"a\\\\b"'],
    ["$HOME", "'$HOME'"],
    ["'$", `"'"'$'`],
    ["$'", `'$'"'"`],
    ["a'$b", `"a'"'$b'`],
    ["`'", "'`'\"'\""],
    ["!\\", `'!'"\\\\"`],
    ["^", "'^'"],
    ["^^", "'^''^'"],
    ["^a b", "'^a b'"],
    ["^'", `'^'"'"`],
    ["a^", "a'^'"],
    ["a^b", "a'^b'"],
    ["a b^c", "'a b''^c'"],
    ["\\^\\", `"\\\\"'^'"\\\\"`],
    ["a\nb", "'a\nb'"]
  ])("%j", (word, quoted) => {
    expect(CommandLine.quote(word)).toBe(quoted)
  })

  it("joins words by one space, and gives up on NUL", () => {
    expect(CommandLine.join(["/bin/bash", "-lc", "ls && cat data.csv"])).toBe("/bin/bash -lc 'ls && cat data.csv'")
    expect(CommandLine.join([])).toBe("")
    expect(CommandLine.join(["ls", "a\0b"])).toBe("<command included NUL byte>")
  })
})
