/** What there is to see of a thread, to compare one process with the next. */
import type { Thread } from "skein"

/** The parts, each as JSON. */
export type Seen = Readonly<Record<"history" | "world" | "window" | "turns" | "tokens", string>>

/** What a process was in the middle of. */
export interface Left {
  readonly threadId: string
  readonly turnId: string
  readonly seen: Seen
}

export const of = async (thread: Thread.Thread): Promise<Seen> => {
  const { history, window, worldState } = await thread.context()
  const turns = await thread.turns()
  // Where the counts were found differs, not what they come to.
  const { length: _, list: __, ...tokens } = await thread.tokenUsage()
  return {
    history: JSON.stringify(history),
    world: JSON.stringify(worldState),
    window: JSON.stringify(window),
    // That a turn runs is not so for a process that only finds it.
    turns: JSON.stringify(turns.map(({ id, items }) => ({ id, items }))),
    tokens: JSON.stringify(tokens)
  }
}
