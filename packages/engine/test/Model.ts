/**
 * A thread as plain data: what a host may expect of it, without records, folds or stores. The engine is held to it.
 *
 * History is a list of texts, each with what it is. Going back is taking the copy that was made when the turn began.
 */
import * as Boundary from "@skein/core/fold/Boundary"

/** What an entry of the history is. */
export type Kind = "user" | "summary" | "assistant" | "call" | "output" | "context" | "mail" | "marker"

/** An entry of the history. */
export interface Entry {
  readonly kind: Kind
  readonly text: string
}

/** The part of a thread that a rollback takes back. */
interface Past {
  readonly history: ReadonlyArray<Entry>
  readonly world: Readonly<Record<string, string>> | undefined
  readonly reference: boolean
  readonly window: number
}

interface Turn {
  readonly id: string
  readonly items: Array<string>
  status: "inProgress" | "completed" | "interrupted" | "failed"
  readonly before: Past
}

interface Mail {
  readonly text: string
  readonly triggers: boolean
}

/** Whether a command came to something. */
export type Outcome = "done" | "nothing" | "refused"

/** A thread. */
export class Model {
  turns: Array<Turn> = []
  active: Turn | undefined
  past: Past = { history: [], world: undefined, reference: false, window: 0 }
  mail: Array<Mail> = []
  inputs: Array<string> = []
  phase: "current" | "next" = "current"
  selection: string | undefined
  customs = 0
  /** Whether a turn runs whose process is gone. */
  broken = false

  /** A thread that is the same and another one. */
  copy(): Model {
    const copy = new Model()
    copy.turns = this.turns.map((turn) => ({ ...turn, items: [...turn.items] }))
    copy.active = this.active === undefined ? undefined : copy.turns[this.turns.indexOf(this.active)]
    copy.past = this.past
    copy.mail = [...this.mail]
    copy.inputs = [...this.inputs]
    copy.phase = this.phase
    copy.selection = this.selection
    copy.customs = this.customs
    copy.broken = this.broken
    return copy
  }

  /** The turns that clients are shown, without those that hold nothing. */
  get shown() {
    return this.turns
      .filter(({ items }) => items.length > 0)
      .map(({ id, items, status }) => ({ id, items: [...items], status }))
  }

  /** Whether mail that waits starts a turn. */
  get startsTurn(): boolean {
    return (this.active === undefined || this.broken) && this.mail.some(({ triggers }) => triggers)
  }

  private push(kind: Kind, text: string): void {
    this.past = { ...this.past, history: [...this.past.history, { kind, text }] }
    if (kind === "user" || kind === "output") this.phase = "current"
  }

  private say(text: string): void {
    this.push("user", text)
    this.active?.items.push("userMessage")
  }

  private flushInputs(): void {
    for (const text of this.inputs) this.say(text)
    this.inputs = []
  }

  private end(status: Turn["status"]): void {
    if (this.active === undefined) return
    this.flushInputs()
    if (status === "interrupted") this.push("marker", "")
    this.active.status = status
    this.active = undefined
  }

  /** What comes in front of the next thing that is written. */
  private repair(): void {
    if (this.broken) this.end("interrupted")
    this.broken = false
  }

  /** The process goes away. */
  crash(): void {
    this.broken = this.active !== undefined
  }

  private tell(world: Readonly<Record<string, string>>, all: boolean): void {
    const before = all ? undefined : this.past.world
    const told = Object.entries(world).filter(([key, value]) => before === undefined || before[key] !== value)
    if (told.length > 0) this.push("context", told.map(([key, value]) => fragment(key, value)).join("|"))
    this.past = { ...this.past, world }
  }

  private drain(): void {
    if (this.phase === "next") return
    this.flushInputs()
    for (const { text } of this.mail) this.push("mail", text)
    this.mail = []
  }

  start(
    id: string,
    words: string | undefined,
    world: Past["world"],
    replace: boolean,
    select: string | undefined
  ): Outcome {
    if (words === undefined && this.mail.length === 0) return "refused"
    if (this.active !== undefined && !this.broken && !replace) return "refused"
    this.repair()
    if (this.active !== undefined) this.endReplaced()
    const turn: Turn = { id, items: [], status: "inProgress", before: this.past }
    this.turns.push(turn)
    this.active = turn
    this.phase = "current"
    if (select !== undefined) this.selection = select
    if (world !== undefined) this.tell(world, !this.past.reference)
    this.past = { ...this.past, reference: true }
    if (words === undefined) this.drain()
    else this.say(words)
    return "done"
  }

  private endReplaced(): void {
    if (this.active === undefined) return
    this.flushInputs()
    this.active.status = "interrupted"
    this.active = undefined
  }

  get running(): boolean {
    return this.active !== undefined && !this.broken
  }

  context(): Outcome {
    if (!this.running) return "refused"
    const isEmpty = this.inputs.length === 0 && this.mail.length === 0
    if (isEmpty || this.phase === "next") return "nothing"
    this.drain()
    return "done"
  }

  answer(text: string, isFinal: boolean): Outcome {
    if (!this.running) return "refused"
    this.push("assistant", text)
    this.active?.items.push("agentMessage")
    if (isFinal && this.inputs.length === 0 && !this.mail.some(({ triggers }) => triggers)) this.phase = "next"
    return "done"
  }

  call(): Outcome {
    if (!this.running) return "refused"
    this.push("call", "")
    this.push("output", "")
    return "done"
  }

  look(world: Readonly<Record<string, string>>): Outcome {
    if (!this.running) return "refused"
    const before = this.past.world
    const isSame = before !== undefined && JSON.stringify(sorted(before)) === JSON.stringify(sorted(world))
    this.tell(world, false)
    return isSame ? "nothing" : "done"
  }

  steer(text: string): Outcome {
    if (!this.running) return "refused"
    this.inputs.push(text)
    this.phase = "current"
    return "done"
  }

  receive(text: string, triggers: boolean): Outcome {
    this.repair()
    this.mail.push({ text, triggers })
    return "done"
  }

  custom(): Outcome {
    this.repair()
    this.customs++
    return "done"
  }

  finish(status: "completed" | "failed" | "interrupted"): Outcome {
    if (!this.running) return "refused"
    this.end(status)
    return "done"
  }

  private compacted(left: ReadonlyArray<Entry>, world: Past["world"], goesOn: boolean): void {
    const context: ReadonlyArray<Entry> =
      world === undefined || Object.keys(world).length === 0
        ? []
        : [
            {
              kind: "context",
              text: Object.entries(world)
                .map(([key, value]) => fragment(key, value))
                .join("|")
            }
          ]
    const user = left.findLastIndex(({ kind }) => kind === "user")
    const summary = left.findLastIndex(({ kind }) => kind === "summary")
    const at = user >= 0 ? user : summary >= 0 ? summary : left.length
    this.past = {
      history: goesOn ? [...left.slice(0, at), ...context, ...left.slice(at)] : left,
      world: goesOn ? world : undefined,
      reference: goesOn,
      window: this.past.window + 1
    }
    this.active?.items.push("contextCompaction")
  }

  private summarised(summary: string): ReadonlyArray<Entry> {
    return [
      ...this.past.history.filter(({ kind }) => kind === "user"),
      { kind: "summary", text: `${Boundary.summaryLine}\n${summary}` }
    ]
  }

  compactWithin(summary: string, world: Past["world"]): Outcome {
    if (!this.running) return "refused"
    this.compacted(this.summarised(summary), world, true)
    return "done"
  }

  /** A compaction as a turn of its own; undefined: one that keeps nothing. */
  compact(id: string, summary: string | undefined, world: Past["world"]): Outcome {
    if (this.running) return "refused"
    this.repair()
    const turn: Turn = { id, items: [], status: "inProgress", before: this.past }
    this.turns.push(turn)
    this.active = turn
    this.phase = "current"
    if (summary === undefined) {
      this.compacted([], world, true)
      this.past = { ...this.past, reference: false }
    } else this.compacted(this.summarised(summary), undefined, false)
    this.active = undefined
    turn.status = "completed"
    return "done"
  }

  rollback(count: number): Outcome {
    const counted = this.turns
    if (this.running || !Number.isInteger(count) || count < 1 || count > counted.length) return "refused"
    this.repair()
    const first = this.turns[this.turns.length - count]
    if (first === undefined) return "refused"
    this.turns = this.turns.slice(0, this.turns.length - count)
    this.past = first.before
    this.inputs = []
    return "done"
  }
}

const sorted = (world: Readonly<Record<string, string>>) => Object.entries(world).sort(([a], [b]) => (a < b ? -1 : 1))

/** What a section without words of its own reads like. */
export const fragment = (key: string, value: string): string =>
  `<environment_context>\n${JSON.stringify({ [key]: value })}\n</environment_context>`
