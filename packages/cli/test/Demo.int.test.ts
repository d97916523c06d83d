import { join } from "node:path"
import { afterAll, expect, it } from "vitest"
import { samples } from "../../core/test/corpus.js"
import * as Home from "../../store-fs/test/Home.js"
import { skein } from "./command.js"

afterAll(Home.removeAll)

const user = (message: string) => Home.event({ type: "user_message", message })
const turn = (id: string) => Home.event({ type: "task_started", turn_id: id, model_context_window: null })

it("the samples: each home with one thread turn by turn, the others on a line, agents; a few screens in all", async () => {
  const { code, err, out } = await skein("demo")
  expect({ code, err }).toEqual({ code: 0, err: "" })
  const lines = out.trimEnd().split("\n")
  expect(lines.length).toBeLessThan(180)
  expect(lines.filter((line) => line.startsWith("━━")).length).toBe(8)
  expect(lines.filter((line) => line.startsWith("● ")).length).toBe(8)
  expect(lines.filter((line) => line === "  agents").length).toBe(2)
  expect(out).toMatch(/├─ [0-9a-f-]{36} {2}completed .* Ohm/)
  expect(lines.at(-1)).toMatch(/^\d+ threads replayed\. Your own: /)
})

it("a home of one's own: many turns and items folded, old threads left out", async () => {
  const long = Array.from({ length: 9 }, (_, i) => [
    turn(`t${i}`),
    ...Array.from({ length: 9 }, (_, k) => user(`u${k}`))
  ])
  const home = Home.home({
    [Home.file(1)]: Home.document(Home.legacyMeta(1), ...long.flat()),
    ...Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [Home.file(i + 2), Home.document(Home.legacyMeta(i + 2), user(`do ${i}`))])
    )
  })
  const { code, out } = await skein("demo", home)
  expect(code).toBe(0)
  expect(out).toContain("  ⋮ 11 older\n")
  expect(out.split("\n").length).toBeLessThan(60)
  const one = await skein("demo", join(home, Home.file(1)))
  expect(one.out).toContain("  ⋮ 5 more turns\n")
  expect(one.out).toContain("  ⋮ 5 more items\n")
  expect(one.out).toContain("\n1 thread replayed.\n")
})

it("what is refused is named, and the rest drawn; the exit code is 1", async () => {
  const home = Home.home({ [Home.file(1)]: "", [Home.file(2)]: Home.document(Home.legacyMeta(2), user("good")) })
  const answer = await skein("demo", home, join(home, "missing.jsonl"), join(samples, "0.42.0"))
  expect(answer.code).toBe(1)
  expect(answer.out).toContain(`✗ ${join(home, Home.file(1))}`)
  expect(answer.out).toContain(`✗ ${join(home, "missing.jsonl")}`)
  expect(answer.out).toContain("\n2 threads replayed, 2 refused.\n")
  expect((await skein("demo", Home.temporary())).out).toBe("0 threads replayed.\n")
})
