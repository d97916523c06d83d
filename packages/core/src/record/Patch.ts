/** Changes of files (rollout-format §5.2). */
import * as Schema from "effect/Schema"
import { Path } from "./Primitive.js"
import * as Shape from "./Shape.js"

/** What became of one file (rollout-format §5.2). */
export const FileChange = Schema.Union(
  Schema.Struct({ type: Schema.Literal("add"), content: Schema.String }),
  Schema.Struct({ type: Schema.Literal("delete"), content: Schema.String }),
  Schema.Struct({ type: Schema.Literal("update"), unified_diff: Schema.String, move_path: Shape.nullable(Path) })
)
export type FileChange = typeof FileChange.Type

/** Changes by the path of their file (rollout-format §5.2). */
export const FileChanges = Schema.Record({ key: Schema.String, value: FileChange })
export type FileChanges = typeof FileChanges.Type

/** How a patch ended (rollout-format §5.2). */
export const PatchStatus = Schema.Literal("completed", "failed", "declined")
export type PatchStatus = typeof PatchStatus.Type
