/** What a command is and how it ended (rollout-format §5.3). */
import * as Schema from "effect/Schema"
import { Path } from "./Primitive.js"
import * as Shape from "./Shape.js"

/** What a command does, as far as its text tells (rollout-format §5.3). */
export const ParsedCommand = Schema.Union(
  Schema.Struct({ type: Schema.Literal("read"), cmd: Schema.String, name: Schema.String, path: Path }),
  Schema.Struct({ type: Schema.Literal("list_files"), cmd: Schema.String, path: Shape.nullable(Schema.String) }),
  Schema.Struct({
    type: Schema.Literal("search"),
    cmd: Schema.String,
    query: Shape.nullable(Schema.String),
    path: Shape.nullable(Schema.String)
  }),
  Schema.Struct({ type: Schema.Literal("unknown"), cmd: Schema.String })
)
export type ParsedCommand = typeof ParsedCommand.Type

/** Who ran a command (rollout-format §5.3). */
export const ExecSource = Schema.Literal("agent", "user_shell", "unified_exec_startup", "unified_exec_interaction")
export type ExecSource = typeof ExecSource.Type

/** How a command stands (rollout-format §5.3). */
export const CommandStatus = Schema.Literal("in_progress", "completed", "failed", "declined")
export type CommandStatus = typeof CommandStatus.Type
