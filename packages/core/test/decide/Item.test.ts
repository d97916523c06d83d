/** Which records an item becomes: rollout-format §5.3 and §6, thread-view §1.9, I11. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Draft } from "../../src/decide/Draft.js"
import * as Drafts from "../../src/decide/Draft.js"
import * as Item from "../../src/decide/Item.js"
import * as ModelItem from "../../src/decide/ModelItem.js"
import * as TurnLifecycle from "../../src/decide/TurnLifecycle.js"
import * as Fold from "../../src/fold/Fold.js"
import * as SnapshotItem from "../../src/fold/view/SnapshotItem.js"
import * as ThreadView from "../../src/fold/view/ThreadView.js"
import type { StoredRecord } from "../../src/record/Record.js"
import * as Record from "../../src/record/Record.js"
import type { ResponseItem } from "../../src/record/ResponseItem.js"
import type { TurnItem } from "../../src/record/TurnItem.js"
import * as TurnItems from "../../src/record/TurnItem.js"
import * as s from "../fold/script.js"
import { sample } from "../fold/view/Items.js"
import { commands, Driven } from "./Commands.js"
import { epoch, Host, kinds, payloadOf, reason, right } from "./Host.js"

const item = (type: string) => sample(type) as TurnItem

const running = (mode: "legacy" | "paginated" = "legacy") => {
  const host = new Host(mode)
  host.do(TurnLifecycle.start({ turnId: "t" }, host.state, host.facts))
  return host
}

const completed = (host: Host, one: TurnItem, more: Partial<Item.Command> = {}) =>
  Item.completed({ item: one, ...more }, host.state, host.facts)

describe("a finished item", () => {
  it("legacy: the snapshot, and behind it what older readers need and nothing that they would drop", () => {
    const host = running()
    const table = Object.keys(TurnItems.variants).map((type) => [
      type,
      ...kinds(right(completed(host, item(type)))).slice(1)
    ])
    expect(table).toEqual([
      ["UserMessage", "user_message (fanout)"],
      ["HookPrompt"],
      ["AgentMessage", "agent_message (fanout)"],
      ["Plan"],
      ["Reasoning", "agent_reasoning (fanout)"],
      ["CommandExecution"],
      ["DynamicToolCall"],
      ["CollabAgentToolCall"],
      ["SubAgentActivity", "sub_agent_activity (fanout)"],
      ["WebSearch", "web_search_end (fanout)"],
      ["ImageView"],
      ["Extension"],
      ["ImageGeneration", "image_generation_end (fanout)"],
      ["EnteredReviewMode", "entered_review_mode (fanout)"],
      ["ExitedReviewMode", "exited_review_mode (fanout)"],
      ["FileChange", "patch_apply_end (fanout)"],
      ["McpToolCall", "mcp_tool_call_end (fanout)"],
      ["ContextCompaction", "context_compacted (fanout)"]
    ])
  })

  it("paginated: the snapshot alone", () => {
    const host = running("paginated")
    for (const type of Object.keys(TurnItems.variants)) {
      expect(kinds(right(completed(host, item(type))))).toEqual(["item_completed"])
    }
  })

  it("what 0.169.0 reads from the snapshot in a legacy log is not told twice", () => {
    const done = { ...item("SubAgentActivity"), kind: "completed" } as TurnItem
    expect(kinds(right(completed(running(), done)))).toEqual(["item_completed"])
  })

  it("raw thinking is told to older readers only where that is asked for", () => {
    const events = (rawReasoning: boolean) => kinds(right(completed(running(), item("Reasoning"), { rawReasoning })))
    expect(events(true)).toEqual(["item_completed", "agent_reasoning (fanout)", "agent_reasoning_raw_content (fanout)"])
    expect(events(false)).toHaveLength(2)
  })

  it("C12, C13: with its times; one that began nobody knows when began now", () => {
    const host = running()
    const facts = { ...host.facts, now: epoch + 5.5 }
    const at = (startedAtMs?: number) =>
      right(Item.completed({ item: item("Plan"), startedAtMs }, host.state, facts))[0]?.payload
    expect(at(7)).toMatchObject({ started_at_ms: 7, completed_at_ms: epoch + 5, turn_id: "t" })
    expect(at()).toMatchObject({ started_at_ms: epoch + 5, completed_at_ms: epoch + 5 })
  })

  it("I11: the view shows it as its live notification does, in both forms", () => {
    for (const mode of ["legacy", "paginated"] as const) {
      for (const type of Object.keys(TurnItems.variants)) {
        const host = running(mode)
        const drafts = host.do(completed(host, item(type), { startedAtMs: 7 }))
        const { completed_at_ms } = payloadOf<{ readonly completed_at_ms: number }>(drafts, 0)
        const live = SnapshotItem.toView(item(type), { startedAtMs: 7, completedAtMs: completed_at_ms })
        expect(ThreadView.turns(host.state.view)[0]?.items).toEqual([live])
      }
    }
  })

  it("late for a turn that is over, it goes there; for one that there is not it is refused", () => {
    const host = running()
    host.complete()
    host.begin("u")
    host.do(completed(host, item("CommandExecution"), { turnId: "t" }))
    expect(ThreadView.turns(host.state.view)[0]?.items).toHaveLength(1)
    expect(reason(completed(host, item("Plan"), { turnId: "x" }))).toEqual(["NotFound", "turn", "turn"])
  })

  it.each<[string, unknown, string, string, string]>([
    ["no item", null, "InvalidRequest", "malformed", "item"],
    ["an item of no kind", { type: "Smell", id: "i" }, "InvalidRequest", "malformed", "item"],
    ["an item without id", { type: "Plan", id: "", text: "1." }, "InvalidRequest", "empty", "item.id"]
  ])("refuses %s", (_, value, tag, why, field) => {
    const found = reason(completed(running(), value as TurnItem))
    expect([found[0], found[1]]).toEqual([tag, why])
    expect(found[2].startsWith(field)).toBe(true)
  })

  it("refuses any without a turn or a header", () => {
    expect(reason(completed(new Host(), item("Plan")))).toEqual(["Conflict", "no-active-turn", "turn"])
    expect(reason(completed(Host.of(s.log(s.started("t"))), item("Plan")))).toEqual(["Conflict", "no-header", "thread"])
  })
})

describe("an item that begins", () => {
  it("is told and not recorded; C2 to C11: with the events that older clients know", () => {
    const host = running()
    const { event, events } = right(
      Item.started({ item: item("CommandExecution"), startedAtMs: 7 }, host.state, host.facts)
    )
    expect(event).toMatchObject({ type: "item_started", turn_id: "t", started_at_ms: 7 })
    expect(events.map(({ type }) => type)).toEqual(["exec_command_begin"])
  })

  it("is refused as a finished one is", () => {
    const host = new Host()
    expect(reason(Item.started({ item: item("Plan") }, host.state, host.facts))[1]).toBe("no-active-turn")
  })
})

describe("items of the history", () => {
  const record = (host: Host, ...items: ReadonlyArray<ResponseItem>) =>
    ModelItem.record({ items }, host.state, host.facts)
  const message = (text: string, more: object = {}): ResponseItem => ({
    type: "message",
    role: "assistant",
    content: [{ type: "output_text", text }],
    ...more
  })

  it("rollout-format §4.1: carry the id of their turn; one that they have stays", () => {
    const host = running()
    const stamped = (one: ResponseItem) =>
      payloadOf<{ readonly internal_chat_message_metadata_passthrough?: unknown }>(right(record(host, one)), -1)
        .internal_chat_message_metadata_passthrough
    const developer = { type: "message" as const, role: "developer", content: [] }
    expect(stamped(developer)).toEqual({ turn_id: "t" })
    const passthrough = (turn_id: string) => ({ internal_chat_message_metadata_passthrough: { turn_id } })
    expect(stamped({ ...developer, ...passthrough("other") })).toEqual({ turn_id: "other" })
    expect(stamped({ ...developer, ...passthrough("") })).toEqual({ turn_id: "t" })
    expect(stamped({ type: "additional_tools", role: "developer", tools: [] })).toBeUndefined()
  })

  it("show what they say, in front of themselves", () => {
    const host = running()
    const search = { type: "web_search_call" as const, action: { type: "search" as const, query: "q" } }
    const thought = { type: "reasoning" as const, summary: [{ type: "summary_text" as const, text: "hm" }] }
    const call = { type: "function_call" as const, name: "f", arguments: "{}", call_id: "c" }
    expect(kinds(right(record(host, thought, search, call, message("a"))))).toEqual([
      "item_completed",
      "agent_reasoning (fanout)",
      "reasoning",
      "item_completed",
      "web_search_end (fanout)",
      "web_search_call",
      "function_call",
      "item_completed",
      "agent_message (fanout)",
      "message"
    ])
  })

  it("and what they show have one id, made up where there is none; a paginated log gives one to each", () => {
    const ids = (mode: "legacy" | "paginated") => {
      const host = running(mode)
      const call = { type: "function_call" as const, name: "f", arguments: "{}", call_id: "c" }
      const drafts = right(record(host, message("a"), message("b", { id: "msg_1" }), call))
      return drafts.flatMap(({ payload }) => {
        const { id, item } = payload as { readonly id?: string; readonly item?: { readonly id: string } }
        return item === undefined ? ("role" in payload || "name" in payload ? [id] : []) : [item.id]
      })
    }
    const [legacy, paginated] = [ids("legacy"), ids("paginated")]
    expect(legacy[0]).toMatch(/^msg_/)
    expect(legacy[1]).toBe(legacy[0])
    expect(legacy.slice(2)).toEqual(["msg_1", "msg_1", undefined])
    expect(paginated[4]).toMatch(/^fc_/)
  })

  it.each<[string, ResponseItem["type"], object, string]>([
    ["a page", "web_search_call", { action: { type: "open_page", url: "u" } }, "u"],
    ["a text in a page", "web_search_call", { action: { type: "find_in_page", url: "u", pattern: "p" } }, "'p' in u"],
    ["a text", "web_search_call", { action: { type: "find_in_page", pattern: "p" } }, "'p'"],
    ["several queries", "web_search_call", { action: { type: "search", queries: ["q", "r"] } }, "q"],
    ["something else", "web_search_call", { action: { type: "other" } }, ""],
    ["nothing", "web_search_call", {}, ""]
  ])("a search for %s is shown as what it looked for", (_, type, more, query) => {
    expect(ModelItem.shownAs({ type, ...more } as ResponseItem)).toMatchObject({ type: "WebSearch", query })
  })

  it("that say nothing show nothing: an empty answer, a message of the developer, an output", () => {
    expect(ModelItem.shownAs(message(""))).toBeUndefined()
    expect(ModelItem.shownAs({ type: "message", role: "developer", content: [] })).toBeUndefined()
    expect(ModelItem.shownAs({ type: "function_call_output", call_id: "c", output: "o" })).toBeUndefined()
  })

  it("§10.20: a request to compact is no record; without a turn items are injected and shown nowhere", () => {
    const host = new Host()
    host.turn("u")
    const turns = ThreadView.turns(host.state.view)
    expect(right(record(host, { type: "compaction_trigger" }))).toEqual([])
    expect(kinds(host.do(record(host, message("injected"))))).toEqual(["message"])
    expect(ThreadView.turns(host.state.view)).toEqual(turns)
    expect(host.context.history).toHaveLength(3)
  })

  it("are refused when there are none, of unknown kinds, and where they are no JSON", () => {
    const host = running()
    expect(reason(record(host))).toEqual(["InvalidRequest", "empty", "items"])
    expect(reason(record(host, { type: "smell" } as never))).toEqual(["InvalidRequest", "unsupported", "items.0"])
    expect(reason(record(host, message("a"), { type: "message", role: 1 } as never))).toEqual([
      "InvalidRequest",
      "malformed",
      "items.1"
    ])
    const circle: Record<string, unknown> = { type: "additional_tools", role: "developer", tools: [] }
    circle["tools"] = [circle]
    expect(reason(record(host, circle as never))).toEqual(["InvalidRequest", "malformed", "items.0"])
    const deep = JSON.parse(`${"[".repeat(200)}${"]".repeat(200)}`) as never
    expect(reason(record(host, { type: "additional_tools", role: "developer", tools: deep }))[1]).toBe("malformed")
  })
})

describe("the enriched form", () => {
  const view = (log: ReadonlyArray<StoredRecord>) => ThreadView.turns(Fold.run(ThreadView.fold(), log))
  const isFanout = (record: StoredRecord) => ThreadView.isFanout(record)
  /** The line without its mark, as a program would write it that knows of none. */
  const unmarked = (record: StoredRecord): StoredRecord => {
    if (!isFanout(record) || record.kind === "unknown") return record
    return Record.reread({ timestamp: record.timestamp, type: record.kind, payload: record.payload } as Draft)
  }
  /** Ids of turns that nobody started tell the place of their record. */
  const driven = (all: ReadonlyArray<Parameters<Driven["do"]>[0]>) => {
    const one = new Driven()
    for (const command of all) one.do(command)
    return one.host.log
  }

  it("shows the same with, without and with unmarked events for older readers", () => {
    fc.assert(
      fc.property(commands(6), (all) => {
        const log = driven(all.filter(({ command }) => command !== "rollback"))
        const shown = view(log)
        expect(view(log.filter((record) => !isFanout(record)))).toEqual(shown)
        expect(view(log.map(unmarked))).toEqual(shown)
      }),
      { numRuns: 200 }
    )
  })

  it("shows the items of the paginated form", () => {
    fc.assert(
      fc.property(commands(6), (all) => {
        const left = all.filter(({ command }) => command !== "rollback")
        const items = (mode: "legacy" | "paginated") => {
          const one = new Driven(mode)
          for (const command of left) one.do(command)
          return one.turns.map((turn) => turn.items.map((item) => ({ ...item, id: "" })))
        }
        expect(items("legacy")).toEqual(items("paginated"))
      }),
      { numRuns: 100 }
    )
  })
})

describe("drafts", () => {
  it("number what is appended to a paginated log, and nothing else", () => {
    const host = running()
    const drafts = right(completed(host, item("Plan")))
    expect(Drafts.numbered(drafts, 7).map(({ ordinal }) => ordinal)).toEqual([7])
    expect(drafts[0]?.ordinal).toBeUndefined()
  })

  it("make up the same ids from the same facts, and others for other names", () => {
    const { facts } = new Host()
    expect(Drafts.freshId(facts, "a")).toBe(Drafts.freshId(facts, "a"))
    expect(Drafts.freshId(facts, "a")).not.toBe(Drafts.freshId(facts, "b"))
    expect(Drafts.freshId({ ...facts, fresh: facts.turnId }, "a")).not.toBe(Drafts.freshId(facts, "a"))
  })
})
