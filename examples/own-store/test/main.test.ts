import { execFileSync } from "node:child_process"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const folder = dirname(dirname(fileURLToPath(import.meta.url)))

it("writes a thread and its fork, and lists both", () => {
  const tsc = join(folder, "../../node_modules/typescript/bin/tsc")
  execFileSync(process.execPath, [tsc, "-b", folder])
  const lines = execFileSync(process.execPath, [join(folder, "dist/main.js")], { encoding: "utf8" })
  expect(lines.trimEnd().split("\n")).toEqual([
    "0001 the login: Fix the login (1 turns)",
    "0002 -: Fix the login (2 turns)"
  ])
}, 60_000)
