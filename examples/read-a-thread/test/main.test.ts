import { execFileSync } from "node:child_process"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const folder = dirname(dirname(fileURLToPath(import.meta.url)))

it("prints what the model must see next in the bundled sample", () => {
  const tsc = join(folder, "../../node_modules/typescript/bin/tsc")
  execFileSync(process.execPath, [tsc, "-b", folder])
  const lines = execFileSync(process.execPath, [join(folder, "dist/main.js")], { encoding: "utf8" })
    .trimEnd()
    .split("\n")
  expect(lines[0]).toBe("window 0, 14 items from 3 files")
  expect(lines.filter((line) => line.startsWith("user: Please"))).toEqual([
    "user: Please import the audit order (a0).",
    "user: Please count the weight truck (a12).",
    "user: Please merge the discount column (a17)."
  ])
}, 60_000)
