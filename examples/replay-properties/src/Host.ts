/** A host of one's own, small: it lets a model call tools, and never ends a turn with a call that has no output. */
import type { Thread } from "skein"

/** What a tool comes to; undefined: it was never heard of again. */
export type Tool = (name: string) => string | undefined

/** One turn. `calls` are the tools that the model asks for. */
export const answer = async (
  thread: Thread.Thread,
  words: string,
  calls: ReadonlyArray<string>,
  tool: Tool
): Promise<void> => {
  await using turn = await thread.startTurn(words)
  for (const [n, name] of calls.entries()) {
    const call_id = `${turn.id} ${n}`
    await turn.record([{ type: "function_call", name, arguments: "{}", call_id }])
    const output = tool(name) ?? "The tool gave no answer."
    await turn.record([{ type: "function_call_output", call_id, output }])
  }
  await turn.record([{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Done." }] }])
  await turn.complete()
}
