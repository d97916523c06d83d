/**
 * What is decided has the shape of what real writers write: of each kind of record no key that none of them writes, and
 * every key that all of them write.
 */
import { describe, expect, it } from "vitest"
import * as Agents from "../../src/decide/Agents.js"
import type { Draft } from "../../src/decide/Draft.js"
import * as Item from "../../src/decide/Item.js"
import * as Mail from "../../src/decide/Mail.js"
import * as ModelItem from "../../src/decide/ModelItem.js"
import * as PersistencePolicy from "../../src/decide/PersistencePolicy.js"
import * as TokenCount from "../../src/decide/TokenCount.js"
import type { HistoryMode } from "../../src/record/SessionMeta.js"
import { corpus, needsCorpus } from "../corpus.js"
import { Driven } from "./Commands.js"
import type { Shape } from "./Shapes.js"
import { kindOf, shapesOf } from "./Shapes.js"

/** A thread with one of everything that decisions write. */
const everything = (mode: HistoryMode): ReadonlyArray<Draft> => {
  const driven = new Driven(mode)
  const { host } = driven
  const drafts: Array<Draft> = []
  const append = host.append.bind(host)
  host.append = (more) => {
    drafts.push(...more)
    return append(more)
  }
  const usage = {
    input_tokens: 1200,
    cached_input_tokens: 0,
    cache_write_input_tokens: 0,
    output_tokens: 60,
    reasoning_output_tokens: 0,
    total_tokens: 1260
  }
  driven.do({
    command: "turn",
    text: "a",
    model: "m",
    world: 1,
    compact: false,
    byMail: false,
    steps: [{ step: "think" }, { step: "call" }, { step: "world", note: 2 }, { step: "say", text: "b" }],
    end: "complete"
  })
  driven.start("regular")
  host.do(TokenCount.counted({ usage, contextWindow: 258_400 }, host.state, host.facts))
  const search = {
    type: "web_search_call" as const,
    status: "completed",
    action: { type: "search" as const, query: "q" }
  }
  host.do(ModelItem.record({ items: [search] }, host.state, host.facts))
  const call = { type: "function_call" as const, id: "fc_1", name: "exec_command", arguments: "{}", call_id: "c" }
  host.do(ModelItem.record({ items: [call] }, host.state, host.facts))
  const started = { callId: "c", kind: "started" as const, threadId: host.id(), path: "/root/w" }
  host.do(Agents.activity({ ...started, model: "m", reasoningEffort: "low" }, host.state, host.facts))
  host.do(Item.completed({ item: { type: "Plan", id: "p", text: "1." } }, host.state, host.facts))
  const output = { type: "function_call_output" as const, call_id: "c", output: "ok" }
  host.do(ModelItem.record({ items: [output] }, host.state, host.facts))
  driven.mail(false)
  host.do(Mail.drain(host.state, host.facts))
  driven.step({ step: "compact" })
  host.complete()
  driven.do({ command: "standalone" })
  driven.do({
    command: "turn",
    text: "a",
    model: "m",
    world: 1,
    compact: false,
    byMail: false,
    steps: [],
    end: "interrupt"
  })
  if (mode === "legacy") driven.do({ command: "rollback", count: 1 })
  return drafts
}

const isOurs = ({ extras }: Draft): boolean => {
  const kind = (extras as { readonly skein?: { readonly kind?: string } } | undefined)?.skein?.kind
  return kind === "mail" || kind === "input" || kind === "waiting" || kind === "mode" || kind === "window"
}

const problems = (
  drafts: ReadonlyArray<Draft>,
  versions: ReadonlyArray<ReadonlyMap<string, Shape>>
): { readonly unknown: ReadonlySet<string>; readonly wrong: ReadonlySet<string> } => {
  const unknown = new Set<string>()
  const wrong = new Set<string>()
  const look = (kind: string, value: object) => {
    const shapes = versions.flatMap((shapes) => shapes.get(kind) ?? [])
    if (shapes.length === 0) unknown.add(kind)
    else {
      const keys = Object.keys(value)
      for (const key of keys) if (!shapes.some(({ ever }) => ever.has(key))) wrong.add(`${kind} has ${key}`)
      for (const key of shapes[0]?.always ?? []) {
        if (shapes.every(({ always }) => always.has(key)) && !keys.includes(key)) wrong.add(`${kind} has no ${key}`)
      }
    }
  }
  for (const draft of drafts) {
    if (isOurs(draft)) continue
    const { payload, type } = draft
    look(kindOf(type, payload as never), payload)
    if (type === "event_msg" && payload.type === "item_completed") look(`item:${payload.item.type}`, payload.item)
  }
  return { unknown, wrong }
}

/**
 * What a coding agent always says of a turn, and a host that is none need not. Readers take each of them for unset
 * (rollout-format §7.1).
 */
const unsaid = [
  "turn_context has no permission_profile",
  "turn_context has no collaboration_mode",
  "turn_context has no multi_agent_version",
  "turn_context has no realtime_active"
]

describe.skipIf(corpus === undefined)(`the shape of what is written${needsCorpus}`, () => {
  it("legacy: as 0.142.4, 0.145.0 and 0.169.0", () => {
    const versions = ["0.142.4", "0.145.0", "0.169.0"].map((version) => shapesOf(version, "legacy"))
    const drafts = everything("legacy").filter(
      ({ payload, type }) =>
        type !== "event_msg" || PersistencePolicy.decide({ kind: type, payload: payload as never }, "legacy") === "keep"
    )
    // Among the legacy files of 0.169.0, which gives items a start, there is none with a plan.
    const ahead = "event_msg/item_completed:Plan has started_at_ms"
    expect(problems(drafts, versions)).toEqual({ unknown: new Set(), wrong: new Set([...unsaid, ahead]) })
  })

  it("paginated, and the snapshots of the enriched form: as 0.145.0 and 0.169.0", () => {
    const versions = ["0.145.0", "0.169.0"].map((version) => shapesOf(version, "paginated"))
    const wrong = new Set(["turn_context has no approvals_reviewer", ...unsaid])
    expect(problems(everything("paginated"), versions)).toEqual({ unknown: new Set(), wrong })
    const snapshots = everything("legacy").filter(
      ({ payload, type }) => type === "event_msg" && (payload as { readonly type: string }).type === "item_completed"
    )
    expect(problems(snapshots, versions)).toEqual({ unknown: new Set(), wrong: new Set() })
  })
})
