/** Parts of messages and of tool outputs (rollout-format §4.2 and §4.3). */
import * as Schema from "effect/Schema"
import * as Refined from "./Refined.js"
import * as Shape from "./Shape.js"

/** How closely a model is to look at an image (rollout-format §4.2). */
export const ImageDetail = Schema.Literal("auto", "low", "high", "original")
export type ImageDetail = typeof ImageDetail.Type

/** What an assistant message is within its turn; any other value rejects the line (rollout-format §4.2). */
export const MessagePhase = Schema.Literal("commentary", "final_answer")
export type MessagePhase = typeof MessagePhase.Type

/** Text that the model reads. */
export const InputText = Shape.struct({ type: Schema.Literal("input_text"), text: Schema.String })
export type InputText = Shape.TypeOf<typeof InputText>

/** An image that the model sees, as a `data:` URL or an address. */
export const InputImage = Shape.struct({
  type: Schema.Literal("input_image"),
  image_url: Schema.String,
  detail: Shape.sparse(ImageDetail)
})
export type InputImage = Shape.TypeOf<typeof InputImage>

/** Sound that the model hears. */
export const InputAudio = Shape.struct({ type: Schema.Literal("input_audio"), audio_url: Schema.String })
export type InputAudio = Shape.TypeOf<typeof InputAudio>

/** Text that the model wrote. */
export const OutputText = Shape.struct({ type: Schema.Literal("output_text"), text: Schema.String })
export type OutputText = Shape.TypeOf<typeof OutputText>

/** Text that only the provider can read. */
export const EncryptedContent = Shape.struct({
  type: Schema.Literal("encrypted_content"),
  encrypted_content: Schema.String
})
export type EncryptedContent = Shape.TypeOf<typeof EncryptedContent>

/** A part of a message; an unknown part type rejects the line (rollout-format §4.2). */
export type ContentItem = InputText | InputImage | InputAudio | OutputText
export const ContentItem: Schema.Schema<ContentItem> = Refined.union({
  input_text: InputText,
  input_image: InputImage,
  input_audio: InputAudio,
  output_text: OutputText
})

/** A part of a message between agents (rollout-format §4.2). */
export type AgentContent = InputText | EncryptedContent
export const AgentContent: Schema.Schema<AgentContent> = Refined.union({
  input_text: InputText,
  encrypted_content: EncryptedContent
})

/** A part of a tool output in its array form (rollout-format §4.3). */
export type ToolOutputPart = InputText | InputImage | InputAudio | EncryptedContent
export const ToolOutputPart: Schema.Schema<ToolOutputPart> = Refined.union({
  input_text: InputText,
  input_image: InputImage,
  input_audio: InputAudio,
  encrypted_content: EncryptedContent
})

/** What a tool gave back: text, or parts; an object or `null` rejects the line (rollout-format §4.3). */
export type ToolOutput = string | ReadonlyArray<ToolOutputPart>
export const ToolOutput: Schema.Schema<ToolOutput> = Schema.Union(Schema.String, Schema.Array(ToolOutputPart))
