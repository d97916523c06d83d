/**
 * A host for tests: it holds a thread's folded state, gives decisions what they need, and appends what they give. Time
 * and ids come from a counter, so the same commands give the same log.
 */
import { Either } from "effect"
import type { DecisionError } from "../../src/decide/DecisionError.js"
import type { Decision, Draft } from "../../src/decide/Draft.js"
import * as Drafts from "../../src/decide/Draft.js"
import * as ModelItem from "../../src/decide/ModelItem.js"
import * as NewThread from "../../src/decide/NewThread.js"
import * as TurnLifecycle from "../../src/decide/TurnLifecycle.js"
import * as Fold from "../../src/fold/Fold.js"
import type { ModelContext } from "../../src/fold/ModelContext.js"
import * as ModelContexts from "../../src/fold/ModelContext.js"
import type { ThreadState } from "../../src/fold/ThreadState.js"
import * as ThreadStates from "../../src/fold/ThreadState.js"
import type { StoredRecord } from "../../src/record/Record.js"
import * as Record from "../../src/record/Record.js"
import type { HistoryMode } from "../../src/record/SessionMeta.js"

/** 2026-11-20T12:00:00.000Z. */
export const epoch = 1_795_176_000_000

/** A UUIDv7 by its number. */
export const uuid = (n: number): string => {
  const time = (epoch + n).toString(16).padStart(12, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n.toString(16).padStart(12, "0")}`
}

/** The value of a decision that has to succeed. */
export const right = <A>(decision: Decision<A>): A => {
  if (Either.isLeft(decision)) throw decision.left
  return decision.right
}

/** The error of a decision that has to fail. */
export const left = (decision: Decision<unknown>): DecisionError => {
  if (Either.isRight(decision)) throw new Error(`decided: ${JSON.stringify(decision.right)}`)
  return decision.left
}

/** What a test asks of an error. */
export const reason = (decision: Decision<unknown>): readonly [tag: string, reason: string, field: string] => {
  const { _tag, field, reason } = left(decision)
  return [_tag, reason, field]
}

export const fold = ThreadStates.fold({ keep: "all" })

/** What the model meets. */
export const context = (state: ThreadState): ModelContext => ModelContexts.read(state.context)

/** What a draft says, as a test takes it to be. */
export const payloadOf = <P>(drafts: ReadonlyArray<Draft>, at: number): P => {
  const draft = drafts.at(at)
  if (draft === undefined) throw new Error(`there is no draft ${at}`)
  return draft.payload as P
}

/** The kinds of drafts, in short. */
export const kinds = (drafts: ReadonlyArray<Draft>): ReadonlyArray<string> =>
  drafts.map(({ extras, payload, type }) => {
    const mark = (extras as { readonly skein?: { readonly kind?: string } } | undefined)?.skein?.kind
    const inner = "type" in payload ? String(payload.type) : type
    return mark === undefined ? inner : `${inner} (${mark})`
  })

export class Host {
  state: ThreadState = fold.initial
  log: ReadonlyArray<StoredRecord> = []
  #counter = 0

  constructor(
    readonly mode: HistoryMode = "legacy",
    command: NewThread.Command = {},
    counter = 0
  ) {
    this.#counter = counter
    const facts = { ...this.facts, threadId: this.id(), windowId: this.id() }
    this.append([right(NewThread.header({ historyMode: mode, ...command }, facts))])
  }

  /** A thread that goes on from a log. */
  static of(log: ReadonlyArray<StoredRecord>, counter = 500_000): Host {
    const host = new Host()
    host.log = log
    host.state = Fold.run(fold, log)
    host.#counter = counter
    return host
  }

  /** A new id. */
  id(): string {
    return uuid(++this.#counter)
  }

  /** Everything that any decision asks for. */
  get facts() {
    return {
      now: epoch + ++this.#counter * 40,
      fresh: uuid(++this.#counter),
      turnId: uuid(++this.#counter),
      windowId: uuid(++this.#counter),
      oldWindowId: uuid(++this.#counter)
    }
  }

  get context(): ModelContext {
    return context(this.state)
  }

  /** State with the replayed context in it, as deciders of history take it. */
  get read() {
    return { ...this.state, context: this.context }
  }

  /** The turn that runs. */
  get active(): string {
    const id = this.state.turn.active?.id
    if (id === undefined) throw new Error("no turn runs")
    return id
  }

  append(drafts: ReadonlyArray<Draft>): ReadonlyArray<Draft> {
    const numbered = this.mode === "paginated" ? Drafts.numbered(drafts, this.log.length) : drafts
    const records = numbered.map(Record.reread)
    this.log = [...this.log, ...records]
    this.state = Fold.run(fold, records, this.state)
    return drafts
  }

  /** Goes on from a position of the log, as a store does with another segment. */
  revert(end: number, drafts: ReadonlyArray<Draft>): void {
    this.log = this.log.slice(0, end)
    this.state = Fold.run(fold, this.log)
    this.append(drafts)
  }

  /** Appends what was decided. */
  do(decision: Decision): ReadonlyArray<Draft> {
    return this.append(right(decision))
  }

  /** A turn up to and with what the user says. */
  begin(text: string, model = "m"): string {
    const turnId = this.id()
    this.do(TurnLifecycle.start({ turnId }, this.state, this.facts))
    this.do(TurnLifecycle.settings({ model }, this.state, this.facts))
    const input = { content: [{ type: "text" as const, text }], id: this.id() }
    this.do(TurnLifecycle.input(input, this.state, this.facts))
    return turnId
  }

  complete(): void {
    this.do(TurnLifecycle.complete({}, this.state, this.facts))
  }

  /** A whole turn: the user says something, the agent answers. */
  turn(text: string, model = "m"): string {
    const turnId = this.begin(text, model)
    this.say(`answer to ${text}`)
    this.complete()
    return turnId
  }

  /** The agent says something. */
  say(text: string): void {
    const items = [{ type: "message" as const, role: "assistant", content: [{ type: "output_text" as const, text }] }]
    this.do(ModelItem.record({ items }, this.state, this.facts))
  }
}
