import { execFileSync } from "node:child_process"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const folder = dirname(dirname(fileURLToPath(import.meta.url)))

it("agents work at once, answer by mail, are stopped, and are put away as a tree", () => {
  execFileSync(process.execPath, [join(folder, "../../node_modules/typescript/bin/tsc"), "-b", folder])
  const out = execFileSync(process.execPath, [join(folder, "dist/main.js")], { encoding: "utf8" })
  const lines = out.trimEnd().split("\n")
  expect(
    lines
      .slice(0, 2)
      .map((line) => line.replace(/.*Sender: /, ""))
      .sort()
  ).toEqual(["/root/chapter_one Payload: 7 words", "/root/chapter_two Payload: 9 words"])
  expect(lines.slice(2, 9)).toEqual([
    "/root: completed",
    "  started /root/chapter_one",
    "  started /root/chapter_two",
    "  started /root/critic",
    "  interacted /root/critic",
    "  interrupted /root/critic",
    "  says: The book has 16 words so far."
  ])
  expect(lines.filter((line) => line.startsWith("/root/")).sort()).toEqual([
    "/root/chapter_one: completed",
    "/root/chapter_two: completed",
    "/root/critic: interrupted"
  ])
  expect(lines.at(-1)).toBe("archived 4 threads, 0 left")
}, 60_000)
