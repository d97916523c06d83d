/** What every subject is given to keep: a conversation that grows, turn by turn, the same on every run. */

/** Something that somebody said. */
export interface Said {
  readonly role: "user" | "assistant"
  readonly text: string
}

/** A question and its answer. */
export interface Turn {
  readonly n: number
  readonly id: string
  readonly user: string
  readonly assistant: string
}

const words =
  "thread record fold window state view lease store segment host turn agent item event patch merge plan read write test build query index page cache line byte path tree node graph list naïve größer 日本 🙂".split(
    " "
  )

/** The same numbers for the same seed (Park and Miller's generator). */
const generator = (seed: number) => {
  let state = (seed * 7919 + 1) % 2147483647
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

const prose = (random: () => number, length: number): string => {
  let text = ""
  while (text.length < length) text += `${words[Math.floor(random() * words.length)]}${random() < 0.05 ? ".\n" : " "}`
  return text.trim()
}

/** The id of the n-th thing of a kind, a UUIDv7. */
export const idOf = (n: number, kind = 0): string =>
  `019c2b10-7a00-7${kind.toString(16).padStart(3, "0")}-8000-${n.toString(16).padStart(12, "0")}`

/** How often a conversation is compacted, and behind how many of the turns in front of that first. */
export const compaction = { every: 100, first: 50 } as const

/** What stands for everything up to a turn. */
export const summary = (turns: number): string => `Summary of ${turns} turns: ${prose(generator(turns + 7), 900)}`

/** Whether a conversation that is compacted is so behind that many turns. */
export const isCompactedAt = (turns: number): boolean => turns % compaction.every === compaction.first

/** What the model sees after so many turns of a conversation that is compacted. */
export const window = (turns: number): ReadonlyArray<Said> => {
  const at = Math.floor((turns - compaction.first) / compaction.every) * compaction.every + compaction.first
  return at < compaction.first ? said(0, turns) : [{ role: "user", text: summary(at) }, ...said(at, turns)]
}

let made = 0
/** An id that no other process and no earlier call has. */
export const freshId = (): string => idOf(process.pid * 65536 + made++, 2)

/** The turn with that number, from 0: a question of about 120 characters, an answer of about 480. */
export const turn = (n: number): Turn => {
  const random = generator(n + 1)
  random()
  return {
    n,
    id: idOf(n, 1),
    user: `Question ${n}: ${prose(random, 110)}`,
    assistant: `Answer ${n}: ${prose(random, 460)}`
  }
}

/** What was said in the turns from one number up to, and without, another. */
export const said = (from: number, to: number): ReadonlyArray<Said> => {
  const all: Array<Said> = []
  for (let n = from; n < to; n++) {
    const { assistant, user } = turn(n)
    all.push({ role: "user", text: user }, { role: "assistant", text: assistant })
  }
  return all
}
