/** The help of every verb, with examples that the command understands; and when it is coloured. */

import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Examples from "../src/Examples.js"
import { isColoured } from "../src/Output.js"
import * as Verbs from "../src/Verbs.js"
import { ensureBundle, script, skein, spawned } from "./command.js"

// Examples name what lies in the working folder, and one makes a new one there.
const before = process.cwd()
const empty = mkdtempSync(join(tmpdir(), "skein-help-"))
beforeAll(() => process.chdir(empty))
afterAll(() => {
  process.chdir(before)
  rmSync(empty, { recursive: true, force: true })
})

const verbs = Object.keys(Verbs.about) as ReadonlyArray<Verbs.Verb>

/** The words of a command, of which a shell would take the quotes and fill in the names. */
const wordsOf = (command: string): ReadonlyArray<string> =>
  [...command.matchAll(/(?:"[^"]*"|[^\s"])+/g)].map(([word]) =>
    word.replaceAll('"', "").replaceAll("$HOME", empty).replaceAll("$PWD", empty)
  )

/** The lines of a section of a help page. */
const sectionOf = (page: string, heading: string): ReadonlyArray<string> => {
  const lines = page.split("\n")
  const from = lines.indexOf(heading)
  const length = lines.slice(from + 1).findIndex((line) => /^[A-Z]+$/.test(line))
  return from < 0 ? [] : lines.slice(from + 1, length < 0 ? undefined : from + 1 + length).filter((line) => line !== "")
}

describe.each(verbs)("skein %s --help", (verb) => {
  it("has a usage line, what the verb is about, and examples", async () => {
    const { code, err, out } = await skein(verb, "--help")
    expect([code, err]).toEqual([0, ""])
    expect(sectionOf(out, "USAGE")[0]).toMatch(new RegExp(`^\\$ skein ${verb}( |$)`))
    expect(sectionOf(out, "DESCRIPTION").join(" ")).toBe(Verbs.about[verb])
    const shown = sectionOf(out, "EXAMPLES")
    expect(shown.filter((line) => line.startsWith("$ "))).toEqual(
      Examples.of[verb].map(([words]) => `$ skein ${words}`)
    )
    for (const [words, meaning] of Examples.of[verb]) {
      expect(words).toMatch(new RegExp(`^${verb}( |$)`))
      expect(shown).toContain(`  ${meaning}`)
    }
  })

  it.each(Examples.of[verb])("understands: skein %s", async (words) => {
    // What they name is not there: that may be an answer, but nothing that was not understood.
    const { code, err } = await skein(...wordsOf(words))
    expect(err).not.toMatch(/option|argument|usage/i)
    expect(code).not.toBe(2)
  })
})

it("the wizard of the parser is refused where nobody can answer it", async () => {
  await ensureBundle()
  const { signal, status, stderr } = spawnSync(process.execPath, [script, "verify", "--wizard"], {
    input: "",
    encoding: "utf8",
    timeout: 20_000
  })
  expect({ signal, status }).toEqual({ signal: null, status: 2 })
  expect(stderr).toContain("--wizard")
})

it("skein --help names every verb, and has examples", async () => {
  const { code, out } = await skein("--help")
  expect(code).toBe(0)
  const commands = sectionOf(out, "COMMANDS").map((line) => /^\s+- (\S+)\s+(.*)$/.exec(line)?.slice(1))
  expect(commands).toEqual(verbs.map((verb) => [verb, Verbs.about[verb]]))
  expect(sectionOf(out, "EXAMPLES").filter((line) => line.startsWith("$ skein "))).toHaveLength(Examples.overall.length)
})

describe("colours", () => {
  beforeAll(ensureBundle, 60_000)

  it.each([
    [true, {}, true],
    [false, {}, false],
    [undefined, {}, false],
    [true, { NO_COLOR: "1" }, false],
    [true, { NO_COLOR: "" }, true],
    [true, { TERM: "dumb" }, false],
    [false, { FORCE_COLOR: "1" }, true],
    [false, { FORCE_COLOR: "" }, true],
    [true, { FORCE_COLOR: "0" }, false],
    [true, { FORCE_COLOR: "false" }, false],
    [true, { FORCE_COLOR: "1", NO_COLOR: "1" }, false]
  ])("terminal %s, %j: %s", (isTTY, env, coloured) => {
    expect(isColoured({ isTTY }, env)).toBe(coloured)
  })

  it("a pipe gets none, unless they are forced", () => {
    const marks = (text: string): number => text.split("\u001b[").length - 1
    expect(marks(spawned("--help").stdout)).toBe(0)
    const forced = (env: NodeJS.ProcessEnv) =>
      spawnSync("node", [script, "--help"], { encoding: "utf8", env: { ...process.env, NO_COLOR: "", ...env } }).stdout
    expect(marks(forced({ FORCE_COLOR: "1" }))).toBeGreaterThan(0)
    expect(marks(forced({ FORCE_COLOR: "1", NO_COLOR: "1" }))).toBe(0)
  })
})
