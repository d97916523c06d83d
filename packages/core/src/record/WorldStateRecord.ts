/** What the model was told of its surroundings: the payload of `world_state` (rollout-format §7.3). */
import * as Schema from "effect/Schema"
import * as Shape from "./Shape.js"

/** All sections, or a merge patch (RFC 7386) against the sections before. */
export const WorldStateRecord = Shape.struct({ full: Schema.Boolean, state: Shape.json })
export type WorldStateRecord = Shape.TypeOf<typeof WorldStateRecord>
