import { execFileSync } from "node:child_process"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import * as Draw from "../src/Draw.js"

const folder = dirname(dirname(fileURLToPath(import.meta.url)))

it("is killed in the middle of a turn, and goes on where it was; plain in a pipe", () => {
  execFileSync(process.execPath, [join(folder, "../../node_modules/typescript/bin/tsc"), "-b", folder])
  const out = execFileSync(process.execPath, [join(folder, "dist/main.js")], { encoding: "utf8" })
  const lines = out.trimEnd().split("\n")
  const starting = (start: string) => lines.filter((line) => line.startsWith(start))

  expect(out).not.toContain("\u001b")
  expect(starting("2  It is killed")[0]).toMatch(/kill -9 \d+$/)
  expect(starting("  ✓ ").map((line) => line.split(/\s+/)[2])).toEqual([
    "history",
    "world",
    "window",
    "turns",
    "tokens"
  ])
  expect(out).not.toContain("✗")
  expect(out).toContain("asked again: 0\n")
  expect(out).toContain("8 items of history became 3, in window 1\n")
  expect(out).toContain("the model is told that it was interrupted: true\n")

  const thread = lines.slice(lines.findIndex((line) => line.startsWith("● Where is my parcel?")))
  const turns = thread.slice(
    0,
    thread.findIndex((line) => line.includes("the model is in window"))
  )
  expect(turns.filter((line) => line.startsWith("  ├ turn"))).toEqual([
    "  ├ turn 1 completed",
    "  ├ turn 2 completed",
    "  ├ turn 3 completed",
    "  ├ turn 4 interrupted",
    "  ├ turn 5 completed"
  ])
  expect(turns.join("\n")).not.toContain("Cancel everything")
  expect(turns.filter((line) => line.includes("window ")).length).toBe(2)
  expect(thread.join("\n")).toContain("opened a claim")
  expect(lines.at(-1)).toMatch(/^ {2}└─ \/root\/courier \(Ohm\) [0-9a-f-]{36}$/)
}, 60_000)

it("draws in colours on a terminal, unless NO_COLOR is set", () => {
  expect(Draw.styleOf({ isTTY: false }).good("yes")).toBe("yes")
  const before = process.env.NO_COLOR
  try {
    delete process.env.NO_COLOR
    expect(Draw.styleOf({ isTTY: true }).good("yes")).toBe("\u001b[32myes\u001b[0m")
    process.env.NO_COLOR = "1"
    expect(Draw.styleOf({ isTTY: true }).good("yes")).toBe("yes")
  } finally {
    if (before === undefined) delete process.env.NO_COLOR
    else process.env.NO_COLOR = before
  }
})
