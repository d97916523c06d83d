/** From a history to what is sent to a model. */
import * as Prompts from "@skein/core/fold/Prompt"
import * as Truncation from "@skein/core/fold/Truncation"
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import type { Prompt, PromptOptions } from "../Turn.js"
import type { State } from "./State.js"

/** The prompt of a history. Cost: two passes over it. */
export const of = (history: ReadonlyArray<ResponseItem>, state: State, options: PromptOptions = {}): Prompt => {
  const { audio, images, openAi = true, truncation } = options
  const meta = state.context.head.meta
  const normal = Prompts.normalise(history, { audio, images })
  const cut = truncation === undefined ? normal : normal.map((item) => Truncation.truncateItem(item, truncation))
  return {
    input: Prompts.stripForProvider(cut, { openAi }),
    instructions: meta?.base_instructions?.text,
    tools: meta?.dynamic_tools ?? []
  }
}
