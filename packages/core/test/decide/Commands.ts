/**
 * Threads at random, driven by decisions: each command decides on the folded state and appends what came of it. What the
 * thread was before each of its turns is kept, so that laws about going back have something to be held to.
 */
import { Either } from "effect"
import fc from "fast-check"
import * as Compaction from "../../src/decide/Compaction.js"
import * as Delegation from "../../src/decide/Delegation.js"
import * as Item from "../../src/decide/Item.js"
import * as Mail from "../../src/decide/Mail.js"
import * as ModelItem from "../../src/decide/ModelItem.js"
import * as Rollback from "../../src/decide/Rollback.js"
import * as TurnLifecycle from "../../src/decide/TurnLifecycle.js"
import * as World from "../../src/decide/World.js"
import type { ThreadState } from "../../src/fold/ThreadState.js"
import * as ThreadView from "../../src/fold/view/ThreadView.js"
import type { HistoryMode } from "../../src/record/SessionMeta.js"
import { Host, right } from "./Host.js"

/** Something done within a turn. */
export type Step =
  | { readonly step: "say"; readonly text: string }
  | { readonly step: "think" }
  | { readonly step: "call" }
  | { readonly step: "steer"; readonly text: string }
  | { readonly step: "input"; readonly text: string }
  | { readonly step: "mail" }
  | { readonly step: "drain" }
  | { readonly step: "world"; readonly note: number }
  | { readonly step: "compact" }

/** Something done with a thread. */
export type Command =
  | {
      readonly command: "turn"
      readonly text: string
      readonly model: string
      readonly world: number | undefined
      readonly compact: boolean
      readonly byMail: boolean
      readonly steps: ReadonlyArray<Step>
      readonly end: "complete" | "interrupt" | "fail" | "replace"
    }
  | { readonly command: "standalone" }
  | { readonly command: "rollback"; readonly count: number }
  | { readonly command: "inject" }
  | { readonly command: "mail"; readonly trigger: boolean }
  | { readonly command: "select"; readonly select: "proactive" | "explicitRequestOnly" | null }

const text = fc.constantFrom("a", "b", "fix the login", "<environment_context>mine</environment_context>", "é😀")

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: text.map((text) => ({ step: "say" as const, text })) },
  { weight: 1, arbitrary: fc.constant({ step: "think" as const }) },
  { weight: 2, arbitrary: fc.constant({ step: "call" as const }) },
  { weight: 1, arbitrary: text.map((text) => ({ step: "steer" as const, text })) },
  { weight: 1, arbitrary: text.map((text) => ({ step: "input" as const, text })) },
  { weight: 1, arbitrary: fc.constant({ step: "mail" as const }) },
  { weight: 2, arbitrary: fc.constant({ step: "drain" as const }) },
  { weight: 1, arbitrary: fc.nat(3).map((note) => ({ step: "world" as const, note })) },
  { weight: 1, arbitrary: fc.constant({ step: "compact" as const }) }
)

/** Any command. */
export const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      command: fc.constant("turn" as const),
      text,
      model: fc.constantFrom("m1", "m2"),
      world: fc.option(fc.nat(3), { nil: undefined }),
      compact: fc.nat(5).map((n) => n === 5),
      byMail: fc.nat(5).map((n) => n === 5),
      steps: fc.array(step, { maxLength: 5 }),
      end: fc.constantFrom(
        "complete" as const,
        "complete" as const,
        "interrupt" as const,
        "fail" as const,
        "replace" as const
      )
    })
  },
  { weight: 1, arbitrary: fc.constant({ command: "standalone" as const }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 4 }).map((count) => ({ command: "rollback" as const, count })) },
  { weight: 1, arbitrary: fc.constant({ command: "inject" as const }) },
  { weight: 1, arbitrary: fc.boolean().map((trigger) => ({ command: "mail" as const, trigger })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("proactive" as const, "explicitRequestOnly" as const, null)
      .map((select) => ({ command: "select" as const, select }))
  }
)

/** Any commands. Shrinks to fewer of them. */
export const commands = (maxLength = 10): fc.Arbitrary<ReadonlyArray<Command>> => fc.array(command, { maxLength })

/** A thread that commands are done to. */
export class Driven {
  readonly host: Host
  /** What the thread was in front of each turn, and how long its log. */
  readonly before = new Map<string, { readonly state: ThreadState; readonly length: number }>()
  /** Called behind each append that belongs to one command. */
  onRollback: ((removed: Rollback.Rollback, was: ThreadState) => void) | undefined

  constructor(mode: HistoryMode = "legacy", counter = 0) {
    this.host = new Host(mode, {}, counter)
  }

  do(command: Command): void {
    const { host } = this
    switch (command.command) {
      case "turn":
        this.turn(command)
        break
      case "standalone": {
        this.start("compact")
        host.do(
          Compaction.compact(
            { variant: { kind: "local", summary: "s" }, phase: "standalone_turn", itemId: host.id() },
            host.read,
            host.facts
          )
        )
        host.complete()
        break
      }
      case "rollback":
        this.rollback(command.count)
        break
      case "inject": {
        const items = [
          { type: "message" as const, role: "developer", content: [{ type: "input_text" as const, text: "injected" }] }
        ]
        host.do(ModelItem.record({ items }, host.state, host.facts))
        break
      }
      case "mail":
        this.mail(command.trigger)
        break
      case "select": {
        const facts = { override: undefined, declared: "v2" as const, collab: true, source: "cli" }
        const state = { ...host.state, context: host.context }
        const found = right(Delegation.atTurn({ ...facts, select: command.select }, state, host.facts))
        host.append(found.drafts)
        break
      }
    }
  }

  start(kind: "regular" | "compact", onActive: "refuse" | "replace" = "refuse"): string {
    const { host } = this
    const turnId = host.id()
    const drafts = right(TurnLifecycle.start({ turnId, kind, onActive }, host.state, host.facts))
    // What ends the turn before comes in the same batch, and in front of the start.
    host.append(drafts.slice(0, -1))
    this.before.set(turnId, { state: host.state, length: host.log.length })
    host.append(drafts.slice(-1))
    return turnId
  }

  mail(triggerTurn: boolean): void {
    const { host } = this
    const id = host.id()
    const message = { id, author: "/root/worker", recipient: "/root", content: `mail ${id}`, triggerTurn }
    host.do(Mail.enqueue(message, host.state, host.facts))
  }

  world(at: "turn" | "step", note: number): void {
    const { host } = this
    const sections = right(World.sectionsOf({ env: { cwd: "/" }, ...(note === 0 ? {} : { note: { is: note } }) }))
    const told = right(World.look({ sections, at }, host.read))
    host.append(World.drafts(told, right(TurnLifecycle.running(host.state)), host.facts))
  }

  turn({ byMail, compact, end, model, steps, text, world }: Extract<Command, { readonly command: "turn" }>): void {
    const { host } = this
    this.start("regular")
    if (compact) {
      const variant = { kind: "local" as const, summary: "s" }
      host.do(Compaction.compact({ variant, phase: "pre_turn", itemId: host.id() }, host.read, host.facts))
    }
    if (world !== undefined) this.world("turn", world)
    host.do(TurnLifecycle.settings({ model }, host.state, host.facts))
    if (byMail) {
      this.mail(true)
      host.do(Mail.drain(host.state, host.facts))
    } else {
      host.do(TurnLifecycle.input({ content: [{ type: "text", text }], id: host.id() }, host.state, host.facts))
    }
    for (const one of steps) this.step(one)
    if (end === "interrupt") host.do(TurnLifecycle.abort({ reason: "interrupted" }, host.state, host.facts))
    else if (end === "fail") {
      host.do(TurnLifecycle.complete({ error: { message: "no" } }, host.state, host.facts))
    } else if (end === "replace") {
      this.start("regular", "replace")
      host.complete()
    } else host.complete()
  }

  step(one: Step): void {
    const { host } = this
    switch (one.step) {
      case "say":
        host.say(one.text)
        break
      case "think": {
        const items = [{ type: "reasoning" as const, summary: [{ type: "summary_text" as const, text: "hm" }] }]
        host.do(ModelItem.record({ items }, host.state, host.facts))
        break
      }
      case "call": {
        const call_id = host.id()
        const call = {
          type: "custom_tool_call" as const,
          id: `ctc_${call_id}`,
          call_id,
          name: "apply_patch",
          input: "*"
        }
        host.do(ModelItem.record({ items: [call] }, host.state, host.facts))
        const changes = { "/a.txt": { type: "add" as const, content: "x" } }
        const item = {
          type: "FileChange" as const,
          id: call_id,
          changes,
          status: "completed" as const,
          stdout: "ok",
          stderr: ""
        }
        host.do(Item.completed({ item }, host.state, host.facts))
        const output = { type: "custom_tool_call_output" as const, call_id, output: "ok" }
        host.do(ModelItem.record({ items: [output] }, host.state, host.facts))
        break
      }
      case "steer": {
        const input = { content: [{ type: "text" as const, text: one.text }], id: host.id() }
        host.do(TurnLifecycle.steer(input, host.state, host.facts))
        break
      }
      case "input": {
        const input = { content: [{ type: "text" as const, text: one.text }], id: host.id() }
        host.do(TurnLifecycle.input(input, host.state, host.facts))
        break
      }
      case "mail":
        this.mail(false)
        break
      case "drain":
        host.do(Mail.drain(host.state, host.facts))
        break
      case "world":
        this.world("step", one.note)
        break
      case "compact": {
        const sections = right(World.sectionsOf({ env: { cwd: "/" } }))
        const at = { at: "compaction" as const, phase: "mid_turn" as const, tokenBudget: false }
        const told = right(World.look({ sections, at }, host.read))
        host.do(
          Compaction.compact(
            {
              variant: { kind: "local", summary: "s" },
              phase: "mid_turn",
              itemId: host.id(),
              context: { items: told.items, world: told.update }
            },
            host.read,
            host.facts
          )
        )
        break
      }
    }
  }

  rollback(count: number): void {
    const { host } = this
    const was = host.state
    const decision = Rollback.decide({ count }, was, host.facts)
    // More turns than there are is an error, which other tests look at.
    if (Either.isLeft(decision)) return
    if (decision.right.kind === "append") host.append(decision.right.drafts)
    else host.revert(decision.right.end, decision.right.drafts)
    this.onRollback?.(decision.right, was)
  }

  /** The turns that are shown. */
  get turns() {
    return ThreadView.turns(this.host.state.view)
  }
}
