/**
 * Events of the running engine that no log keeps but the fold understands: the beginnings of things (thread-view §1.4).
 * In a log such an event is of an unknown kind; here it gets its shape.
 */
import * as Schema from "effect/Schema"
import { ExecSource, ParsedCommand } from "../../record/Command.js"
import type { EventMsg } from "../../record/EventMsg.js"
import { FileChanges } from "../../record/Patch.js"
import { Integer, PathUri } from "../../record/Primitive.js"
import type { Unknown } from "../../record/Record.js"
import * as Refined from "../../record/Refined.js"
import * as Shape from "../../record/Shape.js"

const text = Shape.sparse(Schema.String)
const call_id = Schema.String
const started_at_ms = Shape.defaulted(Integer, 0)

/** A command begins. */
export const ExecCommandBegin = Shape.struct({
  type: Schema.Literal("exec_command_begin"),
  call_id,
  process_id: text,
  turn_id: Schema.String,
  started_at_ms,
  command: Schema.Array(Schema.String),
  cwd: PathUri,
  parsed_cmd: Schema.Array(ParsedCommand),
  source: Shape.defaulted<ExecSource>(ExecSource, "agent"),
  interaction_input: text
})
export type ExecCommandBegin = Shape.TypeOf<typeof ExecCommandBegin>

/** A patch is about to be applied. */
export const PatchApplyBegin = Shape.struct({
  type: Schema.Literal("patch_apply_begin"),
  call_id,
  turn_id: Shape.defaulted(Schema.String, ""),
  auto_approved: Shape.defaulted(Schema.Boolean, false),
  changes: FileChanges
})
export type PatchApplyBegin = Shape.TypeOf<typeof PatchApplyBegin>

/** The user is asked whether a patch may be applied. */
export const ApplyPatchApprovalRequest = Shape.struct({
  type: Schema.Literal("apply_patch_approval_request"),
  call_id,
  turn_id: Shape.defaulted(Schema.String, ""),
  changes: FileChanges
})
export type ApplyPatchApprovalRequest = Shape.TypeOf<typeof ApplyPatchApprovalRequest>

/** A tool of an MCP server is called. */
export const McpToolCallBegin = Shape.struct({
  type: Schema.Literal("mcp_tool_call_begin"),
  call_id,
  invocation: Shape.struct({
    server: Schema.String,
    tool: Schema.String,
    arguments: Shape.nullable(Shape.json)
  }).schema,
  connector_id: text,
  mcp_app_resource_uri: text,
  link_id: text,
  app_name: text,
  action_name: text,
  plugin_id: text
})
export type McpToolCallBegin = Shape.TypeOf<typeof McpToolCallBegin>

/** A search on the web begins. */
export const WebSearchBegin = Shape.struct({ type: Schema.Literal("web_search_begin"), call_id })
export type WebSearchBegin = Shape.TypeOf<typeof WebSearchBegin>

/** An image is being made. */
export const ImageGenerationBegin = Shape.struct({ type: Schema.Literal("image_generation_begin"), call_id })
export type ImageGenerationBegin = Shape.TypeOf<typeof ImageGenerationBegin>

/** The shape of each of these events by its `type`. */
export const variants = {
  exec_command_begin: ExecCommandBegin,
  patch_apply_begin: PatchApplyBegin,
  apply_patch_approval_request: ApplyPatchApprovalRequest,
  mcp_tool_call_begin: McpToolCallBegin,
  web_search_begin: WebSearchBegin,
  image_generation_begin: ImageGenerationBegin
}

/** An event that no log keeps but the fold understands. */
export type LiveEvent = {
  readonly [K in keyof typeof variants]: Shape.TypeOf<(typeof variants)[K]>
}[keyof typeof variants]

/** Any event that the fold can be given: of a log, or of a running engine. */
export type AnyEvent = EventMsg | LiveEvent

const is = Shape.compile(Refined.union(variants)) as (value: unknown) => value is LiveEvent

/** The event that a record of an unknown kind is, if it is one of these and well formed. */
export const of = (unknown: Unknown): LiveEvent | undefined =>
  unknown.level === "event" && Object.hasOwn(variants, unknown.name) && is(unknown.value) ? unknown.value : undefined
