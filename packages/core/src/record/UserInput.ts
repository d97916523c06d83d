/** What a user gives to a turn (rollout-format §5.2 and §5.3). */
import * as Schema from "effect/Schema"
import { ImageDetail } from "./Content.js"
import { Path, Unsigned } from "./Primitive.js"
import * as Shape from "./Shape.js"

/** A stretch of a text that stands for something else; the range counts UTF-8 bytes (rollout-format §5.2). */
export const TextElement = Shape.struct({
  byte_range: Shape.struct({ start: Unsigned, end: Unsigned }).schema,
  placeholder: Shape.nullable(Schema.String)
})
export type TextElement = Shape.TypeOf<typeof TextElement>

/** A part of what a user gives to a turn (rollout-format §5.3). */
export const UserInput = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("text"),
    text: Schema.String,
    text_elements: Shape.defaulted(Schema.Array(TextElement.schema), [])
  }),
  Schema.Struct({ type: Schema.Literal("image"), image_url: Schema.String, detail: Shape.sparse(ImageDetail) }),
  Schema.Struct({ type: Schema.Literal("local_image"), path: Path, detail: Shape.sparse(ImageDetail) }),
  Schema.Struct({ type: Schema.Literal("audio"), audio_url: Schema.String }),
  Schema.Struct({ type: Schema.Literal("local_audio"), path: Path }),
  Schema.Struct({ type: Schema.Literal("skill"), name: Schema.String, path: Path }),
  Schema.Struct({ type: Schema.Literal("mention"), name: Schema.String, path: Path })
)
export type UserInput = typeof UserInput.Type
