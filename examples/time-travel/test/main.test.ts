import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, expect, it } from "vitest"

const folder = dirname(dirname(fileURLToPath(import.meta.url)))
const work = mkdtempSync(join(tmpdir(), "skein-time-travel-"))
afterAll(() => rmSync(work, { recursive: true, force: true }))

it.each(["memory:", "sqlite:threads.db", "fs:home"])(
  "shows what was true when, and goes on from there, over %s",
  (store) => {
    execFileSync(process.execPath, [join(folder, "../../node_modules/typescript/bin/tsc"), "-b", folder])
    const out = execFileSync(process.execPath, [join(folder, "dist/main.js"), store], { cwd: work, encoding: "utf8" })
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line) => line.replace(/\d+ records, /, ""))
    ).toEqual([
      "before turn 1: 0 turns, world {}",
      'before turn 2: 1 turns, world {"stock":{"apples":10}}',
      'before turn 3: 2 turns, world {"stock":{"apples":7}}',
      'before turn 4: 3 turns, world {"stock":{"apples":7,"pears":20}}',
      'turn 2 changed: [{"op":"replace","path":"/stock/apples","value":7}]',
      'the fork: {"stock":{"apples":0}}',
      'the thread: {"stock":{"apples":7,"pears":20}}',
      'taken back: 1 turn; the thread: {"stock":{"apples":7}}',
      'at that place of the log still: {"stock":{"apples":7,"pears":20}}'
    ])
  },
  60_000
)
