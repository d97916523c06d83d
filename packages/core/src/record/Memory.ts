/** Where an answer draws on memory of other threads (rollout-format §5.2). */
import * as Schema from "effect/Schema"
import { Unsigned32 } from "./Integer.js"
import * as Shape from "./Shape.js"

/** The lines of memory that an answer cites (rollout-format §5.2). */
export const MemoryCitation = Shape.struct({
  entries: Schema.Array(
    Shape.struct({ path: Schema.String, lineStart: Unsigned32, lineEnd: Unsigned32, note: Schema.String }).schema
  ),
  rolloutIds: Schema.Array(Schema.String)
})
export type MemoryCitation = Shape.TypeOf<typeof MemoryCitation>
