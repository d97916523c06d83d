import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, expect, it } from "vitest"

const folder = dirname(dirname(fileURLToPath(import.meta.url)))
const work = mkdtempSync(join(tmpdir(), "skein-promise-host-"))
afterAll(() => rmSync(work, { recursive: true, force: true }))

const run = (...args: ReadonlyArray<string>): ReadonlyArray<string> =>
  execFileSync(process.execPath, [join(folder, "dist/main.js"), ...args], { cwd: work, encoding: "utf8" })
    .trimEnd()
    .split("\n")

it.each([[], ["fs:home"]])(
  "answers, and goes on with its thread in the next run %s",
  (...store) => {
    execFileSync(process.execPath, [join(folder, "../../node_modules/typescript/bin/tsc"), "-b", folder])
    const first = "completed: userMessage → I have read 2 items."
    expect(run("Where is my parcel?", ...store)).toEqual([first])
    expect(run("And now?", ...store)).toEqual([first, "completed: userMessage → I have read 4 items."])
  },
  60_000
)
