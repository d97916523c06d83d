/** A canonical item of each kind, and arbitrary ones. */
import fc from "fast-check"
import * as E from "./Events.js"

type Item = Readonly<Record<string, unknown>> & { readonly type: string; readonly id: string }

const samples: ReadonlyArray<Item> = [
  { type: "UserMessage", id: "u", content: [{ type: "text", text: "hi", text_elements: [] }] },
  { type: "HookPrompt", id: "h", fragments: [{ text: "t", hookRunId: "r" }] },
  { type: "AgentMessage", id: "a", content: [{ type: "Text", text: "x" }] },
  { type: "Plan", id: "p", text: "1." },
  { type: "Reasoning", id: "r", summary_text: ["s"], raw_content: ["c"] },
  { ...E.command("c"), type: "CommandExecution", id: "c" },
  {
    type: "DynamicToolCall",
    id: "d",
    tool: "t",
    arguments: { a: 1 },
    status: "completed",
    content_items: [{ type: "inputText", text: "ok" }],
    success: true,
    duration: { secs: 0, nanos: 5_000_000 }
  },
  {
    type: "CollabAgentToolCall",
    id: "k",
    tool: "wait",
    status: "completed",
    sender_thread_id: E.threadId,
    receiver_thread_ids: [E.agentA],
    agents_states: { [E.agentA]: { completed: "ok" } }
  },
  { type: "SubAgentActivity", id: "s", kind: "started", agent_thread_id: E.agentA, agent_path: "/root/worker" },
  { type: "WebSearch", id: "w", query: "q", action: { type: "search", query: "q" } },
  { type: "ImageView", id: "v", path: "file:///i.png" },
  { type: "Extension", kind: "clock.sleep", id: "e", durationMs: 1000 },
  { type: "ImageGeneration", id: "g", status: "completed", result: "iVBO" },
  { type: "EnteredReviewMode", id: "en", target: { type: "uncommittedChanges" }, user_facing_hint: "look" },
  { type: "ExitedReviewMode", id: "ex", review_output: null },
  { type: "FileChange", id: "f", changes: { "n.txt": { type: "add", content: "x" } }, status: "completed" },
  {
    type: "McpToolCall",
    id: "m",
    server: "s",
    tool: "t",
    arguments: { q: 1 },
    status: "completed",
    result: { content: [] },
    duration: { secs: 0, nanos: 7_000_000 }
  },
  { type: "ContextCompaction", id: "x" }
]

/** An item of a kind. */
export const sample = (type: string): Item => {
  const found = samples.find((item) => item.type === type)
  if (found === undefined) throw new Error(`no sample of ${type}`)
  return found
}

const text = fc.string({ minLength: 1, maxLength: 6 })
const said = text.filter((one) => one.trim() !== "")

/** Content that survives the way through a legacy event: at most one text, then images, then local images (I12). */
const content = fc
  .tuple(
    fc.option(said, { nil: undefined }),
    fc.array(fc.record({ detail: fc.option(fc.constantFrom("low", "high"), { nil: undefined }) }), { maxLength: 2 }),
    fc.array(fc.constant("/a.png"), { maxLength: 2 })
  )
  .map(([first, images, local]) => [
    ...(first === undefined ? [] : [{ type: "text", text: first, text_elements: [] }]),
    ...images.map(({ detail }) => ({ type: "image", image_url: "data:1", detail: detail ?? null })),
    ...local.map((path) => ({ type: "local_image", path }))
  ])

const agentStatus = fc.constantFrom("running", { completed: "ok" }, { errored: "no" }, "not_found", "interrupted")
const isBad = (status: unknown): boolean =>
  status === "not_found" || (typeof status === "object" && status !== null && "errored" in status)

const collab = fc
  .tuple(fc.constantFrom("spawn_agent", "send_input", "resume_agent", "wait", "close_agent"), agentStatus)
  .map(([tool, status]) => ({
    ...sample("CollabAgentToolCall"),
    tool,
    status: isBad(status) ? "failed" : "completed",
    agents_states: { [E.agentA]: status },
    ...(tool === "spawn_agent" || tool === "send_input" ? { prompt: "go" } : {}),
    ...(tool === "spawn_agent" ? { model: "m", reasoning_effort: "low" } : {})
  }))

const mcp = fc
  .boolean()
  .map((good) =>
    good
      ? sample("McpToolCall")
      : { ...sample("McpToolCall"), status: "failed", result: undefined, error: { message: "no" } }
  )

/** A finished item under the preconditions of I12; give it an id of its own. */
export const completedItem: fc.Arbitrary<Item> = fc.oneof(
  { weight: 3, arbitrary: content.map((parts) => ({ ...sample("UserMessage"), content: parts })) },
  { weight: 3, arbitrary: text.map((one) => ({ ...sample("AgentMessage"), content: [{ type: "Text", text: one }] })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.array(text, { minLength: 1, maxLength: 3 }), fc.array(text, { maxLength: 2 }))
      .map(([summary_text, raw_content]) => ({ ...sample("Reasoning"), summary_text, raw_content }))
  },
  text.map((one) => ({ ...sample("Plan"), text: one })),
  fc.constantFrom("completed", "failed", "declined").map((status) => ({ ...sample("CommandExecution"), status })),
  fc.boolean().map((success) => ({
    ...sample("DynamicToolCall"),
    success,
    status: success ? "completed" : "failed"
  })),
  collab,
  mcp,
  fc.constantFrom(
    ...[
      "HookPrompt",
      "SubAgentActivity",
      "WebSearch",
      "ImageView",
      "Extension",
      "ImageGeneration",
      "FileChange",
      "ContextCompaction"
    ].map(sample)
  )
)
