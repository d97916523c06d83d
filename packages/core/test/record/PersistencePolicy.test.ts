import { assert, describe, it } from "vitest"
import { decide, type Entry, liveEvents, type NeverPersisted } from "../../src/decide/PersistencePolicy.js"
import * as Sampling from "../../src/decide/Sampling.js"
import * as EventMsg from "../../src/record/EventMsg.js"
import * as Label from "../../src/record/Label.js"
import * as LegacyEvent from "../../src/record/LegacyEvent.js"
import * as ResponseItem from "../../src/record/ResponseItem.js"
import * as RetiredEvent from "../../src/record/RetiredEvent.js"
import * as TurnItem from "../../src/record/TurnItem.js"
import * as Examples from "./Examples.js"

const decided = (kind: string, payload: unknown): string => {
  const entry = { kind, payload } as Entry
  return `${decide(entry, "legacy")} ${decide(entry, "paginated")}`
}

const item = (type: string, more: object = {}) =>
  decided("event_msg", { type: "item_completed", item: { type, ...more } })

describe("what is kept in legacy and in paginated threads (rollout-format §6)", () => {
  it("records that are neither items nor events: always", () => {
    for (const json of Examples.records) {
      const line = JSON.parse(json) as { readonly type: string; readonly payload: unknown }
      assert.strictEqual(decided(line.type, line.payload), "keep keep", line.type)
    }
    assert.strictEqual(decided("token_usage_record", {}), "keep keep")
    assert.strictEqual(decided("retained_context", {}), "keep keep")
  })

  it("items: all but the request to compact", () => {
    for (const type of Object.keys(ResponseItem.variants)) {
      assert.strictEqual(decided("response_item", { type }), type === "compaction_trigger" ? "drop drop" : "keep keep")
    }
  })

  it("events: by the section that lists them", () => {
    for (const type of Object.keys(EventMsg.sharedVariants)) {
      assert.strictEqual(decided("event_msg", { type }), "keep keep", type)
    }
    for (const type of Object.keys(LegacyEvent.variants)) {
      assert.strictEqual(decided("event_msg", { type }), "keep drop", type)
    }
    for (const type of [...Object.keys(RetiredEvent.variants), "item_started"]) {
      assert.strictEqual(decided("event_msg", { type }), "drop drop", type)
    }
  })

  it("turn items: plans and sleeps always, completed sub-agents too, the others in paginated threads", () => {
    for (const type of Object.keys(TurnItem.variants)) {
      if (type === "Extension" || type === "SubAgentActivity") continue
      assert.strictEqual(item(type), type === "Plan" ? "keep keep" : "drop keep", type)
    }
    assert.strictEqual(item("Extension", { kind: "clock.sleep" }), "keep keep")
    assert.strictEqual(item("Extension", { kind: "web.search" }), "drop keep")
    assert.strictEqual(item("Extension", { kind: "image_gen.generation" }), "drop keep")
    assert.strictEqual(item("SubAgentActivity", { kind: "started" }), "drop keep")
    assert.strictEqual(item("SubAgentActivity", { kind: "completed" }), "keep keep")
  })

  it("the page's 44 live events and 16 retired ones are distinct (rollout-format §5.5)", () => {
    const retired = Object.keys(RetiredEvent.variants) as ReadonlyArray<NeverPersisted>
    assert.strictEqual(liveEvents.length, 44)
    assert.strictEqual(retired.length, 16)
    assert.strictEqual(new Set<NeverPersisted>([...liveEvents, ...retired]).size, 60)
    assert.deepStrictEqual(
      liveEvents.filter((name) => EventMsg.isKnown(name)),
      ["item_started"]
    )
  })
})

describe("labels (rollout-format §8)", () => {
  const label = (kind: string, payload: unknown) => Label.of({ kind, payload } as Entry)

  it("records, items and events go by their type, two events excepted", () => {
    assert.strictEqual(label("inter_agent_communication_metadata", {}), "inter_agent_communication_metadata")
    assert.strictEqual(label("response_item", { type: "tool_search_call" }), "response.tool_search_call")
    assert.strictEqual(Label.ofItem("other"), "response.other")
    assert.strictEqual(label("event_msg", { type: "token_count" }), "event.token_count")
    assert.strictEqual(label("event_msg", { type: "task_started" }), "event.turn_started")
    assert.strictEqual(label("event_msg", { type: "task_complete" }), "event.turn_complete")
    assert.strictEqual(Label.ofEvent("turn_diff"), "event.turn_diff")
  })

  it("turn items go by their type in snake_case, extensions without their kind", () => {
    const snake = (type: string) => type.replace(/[A-Z]/g, (letter, i) => (i === 0 ? "" : "_") + letter.toLowerCase())
    for (const type of Object.keys(TurnItem.variants)) {
      const name = label("event_msg", { type: "item_completed", item: { type, kind: "clock.sleep" } })
      assert.strictEqual(name, `event.item_completed.${snake(type)}`)
    }
    assert.strictEqual(Label.turnItems.CollabAgentToolCall, "collab_agent_tool_call")
  })
})

describe("sampling (rollout-format §8)", () => {
  it.each([
    ["00000000-0000-0000-0000-000000000007", 0n],
    ["019c0000-0000-7000-8000-000000000025", 0n],
    ["019c0000-0000-7000-8000-000000000000", 61n]
  ])("%s leaves %s", (threadId, remainder) => {
    assert.strictEqual(Sampling.hash(threadId) % 100n, remainder)
    assert.strictEqual(Sampling.isSampled(threadId), remainder === 0n)
  })

  it("goes by the id, not by its spelling", () => {
    assert.isTrue(Sampling.isSampled("{019C000000007000800000000000002 5}".replace(" ", "")))
  })
})
