/** The names of a home (rollout-format §1.2). */
import { afterAll, describe, expect, it } from "vitest"
import * as SessionIndex from "../src/SessionIndex.js"
import * as Home from "./Home.js"

afterAll(Home.removeAll)

const entry = (n: number, thread_name: string): string =>
  JSON.stringify({ id: Home.id(n), thread_name, updated_at: "2026-07-20T10:11:12.123456789Z" })

describe("a session index", () => {
  it("the last line for an id wins, and an empty name is none", () => {
    const names = SessionIndex.parse(Home.document(entry(1, "a"), entry(2, "b"), entry(1, "c"), entry(2, "")))
    expect(SessionIndex.nameOf(names, Home.id(1))).toBe("c")
    expect(SessionIndex.nameOf(names, Home.id(1).toUpperCase())).toBe("c")
    expect(SessionIndex.nameOf(names, Home.id(2))).toBeUndefined()
    expect(SessionIndex.nameOf(names, Home.id(3))).toBeUndefined()
  })

  it("lines that make no sense are passed over", () => {
    const bad = ["", "not JSON", "null", "[]", `{"id":1,"thread_name":"x"}`, `{"id":"${Home.id(1)}"}`, `{"id":"`]
    expect(SessionIndex.nameOf(SessionIndex.parse([...bad, entry(1, "a"), ...bad].join("\n")), Home.id(1))).toBe("a")
  })

  it("a home without one has no names", async () => {
    expect((await Home.run(SessionIndex.read(Home.home({})))).size).toBe(0)
    const home = Home.home({ "session_index.jsonl": Home.document(entry(1, "a")) })
    expect(SessionIndex.nameOf(await Home.run(SessionIndex.read(home)), Home.id(1))).toBe("a")
  })
})
