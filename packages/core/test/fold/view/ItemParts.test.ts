/** Parts of items, under the names that the view has for them (thread-view §1.3, §1.6). */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Parts from "../../../src/fold/view/ItemParts.js"
import type { AgentStatus } from "../../../src/record/SubAgent.js"
import * as E from "./Events.js"

describe("names", () => {
  it("who ran a command", () => {
    const all = ["agent", "user_shell", "unified_exec_startup", "unified_exec_interaction"] as const
    expect(all.map(Parts.commandSource)).toEqual(["agent", "userShell", "unifiedExecStartup", "unifiedExecInteraction"])
  })

  it("how a thing stands", () => {
    const all = ["in_progress", "completed", "failed", "declined"] as const
    expect(all.map(Parts.status)).toEqual(["inProgress", "completed", "failed", "declined"])
  })

  it("how an agent stands, and which of that fails a call", () => {
    const rows: ReadonlyArray<readonly [from: AgentStatus, status: string, message: string | null, fails: boolean]> = [
      ["pending_init", "pendingInit", null, false],
      ["running", "running", null, false],
      ["interrupted", "interrupted", null, false],
      ["shutdown", "shutdown", null, false],
      ["not_found", "notFound", null, true],
      [{ completed: "ok" }, "completed", "ok", false],
      [{ completed: null }, "completed", null, false],
      [{ errored: "no" }, "errored", "no", true]
    ]
    for (const [from, status, message, fails] of rows) {
      expect(Parts.agentState(from)).toEqual({ status, message })
      expect(Parts.isFailure(from)).toBe(fails)
    }
    expect(Parts.agentStates({ [E.agentA.toUpperCase()]: "running" })).toEqual({
      [E.agentA]: { status: "running", message: null }
    })
    expect(Parts.agentStates(undefined)).toEqual({})
  })

  it("what a search did", () => {
    expect(Parts.searchAction({ type: "search" })).toEqual({ type: "search", query: null, queries: null })
    expect(Parts.searchAction({ type: "search", query: "q", queries: ["a"] })).toEqual({
      type: "search",
      query: "q",
      queries: ["a"]
    })
    expect(Parts.searchAction({ type: "open_page", url: "u" })).toEqual({ type: "openPage", url: "u" })
    expect(Parts.searchAction({ type: "open_page" })).toEqual({ type: "openPage", url: null })
    expect(Parts.searchAction({ type: "find_in_page" })).toEqual({ type: "findInPage", url: null, pattern: null })
    expect(Parts.searchAction({ type: "find_in_page", url: "u", pattern: "p" })).toEqual({
      type: "findInPage",
      url: "u",
      pattern: "p"
    })
    expect(Parts.searchAction({ type: "other" })).toEqual({ type: "other" })
  })

  it("what a command does", () => {
    const cwd = { path: "/a", convention: "posix" as const }
    const parsed = [
      { type: "read", cmd: "cat x", name: "x", path: "x" },
      { type: "list_files", cmd: "ls b", path: "b" },
      { type: "list_files", cmd: "ls" },
      { type: "search", cmd: "rg" },
      { type: "search", cmd: "rg q s", query: "q", path: "s" },
      { type: "unknown", cmd: "true" }
    ] as const
    const others = [
      { type: "listFiles", command: "ls b", path: "b" },
      { type: "listFiles", command: "ls", path: null },
      { type: "search", command: "rg", query: null, path: null },
      { type: "search", command: "rg q s", query: "q", path: "s" },
      { type: "unknown", command: "true" }
    ]
    const read = { type: "read", command: "cat x", name: "x", path: "/a/x" }
    expect(Parts.commandActions(parsed, cwd, {})).toEqual([read, ...others])
    expect(Parts.commandActions(parsed, cwd, { paths: "posix" })).toEqual([read, ...others])
    expect(Parts.commandActions(parsed, cwd, { paths: "windows" })).toEqual(others)
    const windows = { path: "C:\\a", convention: "windows" as const }
    expect(Parts.commandActions(parsed.slice(0, 1), windows, { paths: "windows" })).toMatchObject([
      { path: "C:\\a\\x" }
    ])
  })

  it("spans of time, stretches of text, cited memory", () => {
    expect(Parts.milliseconds({ secs: 2, nanos: 999_999 })).toBe(2000)
    expect(Parts.milliseconds({ secs: 2, nanos: 1_000_000 })).toBe(2001)
    expect([Parts.milliseconds(null), Parts.milliseconds(undefined)]).toEqual([null, null])
    expect(
      Parts.textElements([{ byte_range: { start: 1, end: 2 } }, { byte_range: { start: 3, end: 4 }, placeholder: "p" }])
    ).toEqual([
      { byteRange: { start: 1, end: 2 }, placeholder: null },
      { byteRange: { start: 3, end: 4 }, placeholder: "p" }
    ])
    expect(Parts.textElements(undefined)).toEqual([])
    expect([Parts.citation(null), Parts.citation(undefined)]).toEqual([null, null])
  })

  it("the app of a tool: there is one when there is a connector; its resource is told either way", () => {
    expect(Parts.app({})).toEqual({ appContext: null })
    expect(Parts.app({ connector: null, resource: "ui://x" })).toEqual({
      appContext: null,
      mcpAppResourceUri: "ui://x"
    })
    expect(Parts.app({ connector: "c", resource: null, link: "l", app: "a", action: "b" })).toEqual({
      appContext: { connectorId: "c", linkId: "l", resourceUri: null, appName: "a", actionName: "b" }
    })
    expect(Parts.app({ connector: "c" })).toEqual({
      appContext: { connectorId: "c", linkId: null, resourceUri: null, appName: null, actionName: null }
    })
  })
})

describe("paths of changed files", () => {
  it("are in the order of their bytes", () => {
    const path = fc
      .array(fc.constantFrom("a", "b", "/", "é", "\ud7ff", "\ue000", "\uffff", "😀", "\u{10000}", "\u{10ffff}"), {
        maxLength: 5
      })
      .map((characters) => characters.join(""))
    fc.assert(
      fc.property(path, path, (one, other) => {
        expect(Math.sign(Parts.byCodePoint(one, other))).toBe(
          Math.sign(Buffer.compare(Buffer.from(one), Buffer.from(other)))
        )
      }),
      { numRuns: 2000 }
    )
  })
})
