/** From a model to the lines that its writers write, in the order of replay-semantics §9. */

import type { Doing } from "./internal/Agents.js"
import * as Agents from "./internal/Agents.js"
import * as Branch from "./internal/Branch.js"
import * as Clock from "./internal/Clock.js"
import * as Compacting from "./internal/Compacting.js"
import * as Context from "./internal/Context.js"
import { isOld, isTurn } from "./internal/Facts.js"
import type { Pen } from "./internal/Pen.js"
import * as Pens from "./internal/Pen.js"
import { event, releaseOf, rootTurnOf } from "./internal/Pen.js"
import * as Steps from "./internal/Steps.js"
import type { Agent, Compaction, Entry, Model, Turn } from "./ThreadModel.js"

/** A file of a thread: its name without folders, and its lines without line feeds. */
export interface File {
  readonly name: string
  readonly lines: ReadonlyArray<string>
}

/** A line of the effective log and where it stands. */
export interface Place {
  readonly file: number
  readonly line: number
}

/** A thread as it was written. */
export interface Written {
  readonly threadId: string
  /** What it does, when another thread started it. */
  readonly agent: Agent | undefined
  /** Oldest first. */
  readonly files: ReadonlyArray<File>
  /** The lines that the newest file stands for: its header, then what it inherits, then its own. */
  readonly log: ReadonlyArray<Place>
  /** The agents with a log that it started, in order. */
  readonly agents: ReadonlyArray<Written>
}

/** Writes a model out. Pure: the same model gives the same bytes, for its ids and times come from a counter. */
export const write = (model: Model): Written => {
  const pen = Pens.make(model, Clock.make())
  Pens.openFile(pen, pen.threadId)
  Context.header(pen)
  for (const one of model.entries) entry(pen, one)
  return Pens.written(pen)
}

const entry = (pen: Pen, one: Entry) => {
  if (isTurn(one)) return turn(pen, one)
  if ("standalone" in one) return standalone(pen, one.standalone)
  if ("rollback" in one) {
    event(pen, "thread_rolled_back", { num_turns: one.rollback })
    return Branch.takeBack(pen, one.rollback)
  }
  if ("revert" in one) return Branch.branch(pen, one.revert, "revert")
  return pen.isPaginated ? Branch.branch(pen, one.fork, "fork") : Branch.copied(pen, one.fork)
}

const turn = (pen: Pen, { by, compact, end, mail, steps, user, world }: Turn) => {
  pen.form = by ?? pen.form
  perform(pen, {
    before: () => {
      if (compact !== undefined) {
        Compacting.compact(pen, compact, false)
        Compacting.compacted(pen)
      }
      if (world !== undefined) pen.state = { ...pen.state, note: world }
    },
    opening: () => (user === undefined ? Steps.incoming(pen, mail ?? "") : Steps.userText(pen, user)),
    steps,
    end
  })
}

const standalone = (pen: Pen, compaction: Compaction) => {
  start(pen)
  Compacting.compact(pen, compaction, false)
  Compacting.compacted(pen)
  complete(pen, null)
}

/** Writes a turn; gives what the model said last in it. `before` writes what comes in front of its context. */
const perform = (
  pen: Pen,
  { before, end, opening, steps }: Doing & { readonly before?: () => void }
): string | null => {
  start(pen)
  before?.()
  Context.context(pen)
  if (!isOld(pen.form)) Context.turnContext(pen)
  opening(pen)
  if (isOld(pen.form)) Context.turnContext(pen)
  let last: string | null = null
  for (const each of steps ?? []) {
    if ("spawn" in each) Agents.spawn(pen, each, perform)
    else Steps.step(pen, each)
    if ("say" in each) last = each.say
    if (Steps.isResponse(each)) Context.tokens(pen)
  }
  if (end === "unfinished") return last
  if (end === "interrupted") Steps.interrupted(pen, { completed_at: pen.clock.seconds(), duration_ms: 40 })
  else if (end === "failed") complete(pen, null, releaseOf(pen) === "0.142.4" ? undefined : failure)
  else complete(pen, last)
  return last
}

const start = (pen: Pen) => {
  pen.starts.push({ at: pen.log.length, state: pen.state })
  pen.turnId = pen.clock.uuid()
  pen.spentHere = 0
  pen.isOpen = true
  // What 0.20.0 put between its items says nothing, but it stands there.
  if (pen.form === "0.20.0") return Pens.append(pen, { record_type: "state" })
  if (isOld(pen.form)) return
  event(pen, "task_started", {
    turn_id: pen.turnId,
    ...(releaseOf(pen) === "0.169.0" ? { root_turn_id: rootTurnOf(pen) } : {}),
    started_at: pen.clock.seconds(),
    model_context_window: 258_400,
    collaboration_mode_kind: "default"
  })
}

const complete = (pen: Pen, last: string | null, error?: object): void => {
  pen.isOpen = false
  if (isOld(pen.form)) return
  event(pen, "task_complete", {
    turn_id: pen.turnId,
    last_agent_message: last,
    ...(error === undefined ? {} : { error }),
    completed_at: pen.clock.seconds(),
    duration_ms: 40
  })
}

const failure = { message: "The server is overloaded.", codex_error_info: "server_overloaded" }
