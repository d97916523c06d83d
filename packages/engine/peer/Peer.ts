/** What a Codex makes of the threads of a home that Skein wrote, and what Skein makes of them behind it. */
import * as Fold from "@skein/core/fold/Fold"
import * as LegacyView from "@skein/core/fold/view/LegacyView"
import * as ThreadView from "@skein/core/fold/view/ThreadView"
import * as Turns from "@skein/core/fold/view/Turn"
import * as ViewState from "@skein/core/fold/view/ViewState"
import { Effect } from "effect"
import * as Threads from "../src/Threads.js"
import * as Host from "../test/Host.js"
import type { Codex, Shown } from "./Codex.js"
import * as Codexes from "./Codex.js"
import type { Input, ModelServer } from "./ModelServer.js"
import * as Same from "./Same.js"
import type { Form, Written } from "./Story.js"
import { host } from "./Story.js"

/** What is asked, in this order. */
export const questions = ["list", "read", "resume", "continue", "skein"] as const

/** What was not as it should be, by question. */
export type Findings = Readonly<Record<(typeof questions)[number], ReadonlyArray<string>>>

/** What the model says, and what it is asked. */
export const answer = "Said by the model of Codex."
const question = "What is the state of the work?"

/**
 * Turns as Codex shows a log of this form: of a legacy one those events that such logs keep, folded by its rules; else
 * the snapshots as they are (thread-view §1.1).
 */
const viewOf = (form: Form) =>
  form === "legacy"
    ? Fold.make(ViewState.initial, (state, record) =>
        LegacyView.isCounted(record) ? LegacyView.step(state, record) : state
      )
    : ThreadView.fold()

/** The turns that Codex has to show of each thread. Cost: the logs. */
export const expected = (
  home: string,
  form: Form,
  written: ReadonlyArray<Written>
): Promise<ReadonlyMap<string, ReadonlyArray<Turns.Turn>>> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const threads = yield* Threads.Threads
      const all = new Map<string, ReadonlyArray<Turns.Turn>>()
      for (const { id, since } of written) {
        const { state } = yield* threads.fold(id, viewOf(form))
        const turns = ViewState.turns(state).map(Turns.whenIdle)
        // From files alone Codex shows of a reverted thread what is behind the revert (since-july), and of a fork of one
        // its own turns. What its model reads is whole.
        all.set(id, form === "paginated" && since !== undefined ? turns.slice(-since) : turns)
      }
      return all
    }).pipe(Effect.provide(host(home)))
  )

/** A release that shows a turn that failed as one that was completed (since-july). */
const hidesFailure = (version: string): boolean => Number(version.split(".")[1]) < 150

/** What a test of one release looks at. */
export interface Case {
  readonly version: string
  readonly binary: string
  readonly home: string
  readonly form: Form
  readonly model: ModelServer
  readonly written: ReadonlyArray<Written>
  readonly turns: ReadonlyMap<string, ReadonlyArray<Turns.Turn>>
}

/** Has a Codex list, read, resume and continue every thread of a home, which it changes; then Skein resumes them. */
export const check = async (test: Case): Promise<Findings> => {
  const { binary, home, model, written } = test
  const found: { [K in (typeof questions)[number]]: Array<string> } = {
    list: [],
    read: [],
    resume: [],
    continue: [],
    skein: []
  }
  const attempt = async (
    what: keyof Findings,
    label: string,
    task: () => Promise<ReadonlyArray<string | undefined>>
  ) => {
    try {
      for (const odd of await task()) if (odd !== undefined) found[what].push(`${label}: ${odd}`)
    } catch (error) {
      found[what].push(`${label}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** What the model was asked first, by thread. */
  const sent = new Map<string, Input>()
  const codex = await Codexes.open(binary, home, model.url)
  await attempt("list", "all", () => lists(codex, test))
  for (const thread of written) {
    const { id, label } = thread
    const read = async () =>
      sameTurns(test, thread, await codex.ask("thread/read", { threadId: id, includeTurns: true }))
    // This form is read from a database, which holds a thread once it was resumed (since-july).
    if (test.form === "legacy") await attempt("read", label, read)
    if (thread.archived)
      await attempt("resume", label, () => codex.ask("thread/unarchive", { threadId: id }).then(() => []))
    await attempt("resume", label, async () =>
      sameTurns(test, thread, await codex.ask("thread/resume", { threadId: id }))
    )
    if (test.form === "paginated") await attempt("read", label, read)
    await attempt("continue", label, async () => {
      model.taken()
      const turn = await codex.turn(id, question)
      const [input = []] = model.taken()
      sent.set(id, input)
      const at = Same.openers(thread.context, input)
      return [
        Same.input(thread.context, input.slice(at, at + thread.context.length)),
        turn.status === "completed" ? undefined : `the turn is ${turn.status}: ${JSON.stringify(turn.error)}`
      ]
    })
  }
  await codex.close()
  for (const thread of written) {
    await attempt("skein", thread.label, () => back(test, thread, sent.get(thread.id) ?? []))
  }
  return found
}

/**
 * Every thread is in one list, once, under its name. Of paginated threads Codex has no name from files alone (thread-store
 * §2.1), and lists those alone that have words of a user in their own file.
 */
const lists = async (codex: Codex, { form, written }: Case): Promise<ReadonlyArray<string | undefined>> => {
  const sourceKinds = ["cli", "vscode", "exec", "appServer", "subAgent", "subAgentOther", "unknown"]
  const page = async (archived: boolean) => {
    const query = { modelProviders: [], sourceKinds, limit: 100, archived }
    return (await codex.ask<{ readonly data: ReadonlyArray<Shown> }>("thread/list", query)).data
  }
  const active = await page(false)
  const away = await page(true)
  return written.map((thread) => {
    const [here, there] = thread.archived ? [away, active] : [active, away]
    const rows = here.filter(({ id }) => id === thread.id)
    const wanted = form === "paginated" && thread.quiet ? 0 : 1
    if (rows.length !== wanted) return `${thread.label} is listed ${rows.length} times`
    if (there.some(({ id }) => id === thread.id)) return `${thread.label} is in the wrong list`
    const name = form === "legacy" ? thread.name : undefined
    return wanted === 0 || (rows[0]?.name ?? undefined) === name ? undefined : `${thread.label} has another name`
  })
}

/** Where the turns differ that Codex shows: from what such a log tells it, and from what the engine showed. */
const sameTurns = (
  { form, turns, version }: Case,
  { id, shown, since }: Written,
  { thread }: { readonly thread: Shown }
): ReadonlyArray<string | undefined> => {
  const ours = turns.get(id) ?? []
  const told = hidesFailure(version)
    ? ours.map((turn) => (turn.status === "failed" ? { ...turn, status: "completed", error: null } : turn))
    : ours
  const live = form === "paginated" && since !== undefined ? shown.slice(-since) : shown
  return [Same.turns(told, thread.turns), Same.turns(live, Same.outline(thread.turns, form))]
}

/** Skein goes on where Codex stopped: its fold agrees with what Codex sent, and its next turn is recorded. */
const back = ({ home }: Case, { id }: Written, input: Input): Promise<ReadonlyArray<string | undefined>> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const threads = yield* Threads.Threads
        const thread = yield* threads.resume(id)
        const before = yield* thread.prompt({ openAi: false })
        const shown = (yield* thread.turns).at(-1)
        const items = shown?.items.map((item) =>
          item.type === "agentMessage" ? item.text : item.type === "userMessage" ? item.content : item.type
        )
        const turn = yield* thread.startTurn("And back again")
        yield* turn.context()
        yield* turn.record([
          { type: "message", role: "assistant", content: [{ type: "output_text", text: "I am back." }] }
        ])
        yield* turn.complete()
        const { cold, live } = yield* Host.both(thread)
        return [
          Same.input(
            [...before.input],
            [
              ...input.slice(Same.openers(before.input, input)),
              { type: "message", role: "assistant", content: [{ type: "output_text", text: answer }] }
            ]
          ),
          Same.turns(
            { status: shown?.status, items },
            { status: "completed", items: [[{ type: "text", text: question, text_elements: [] }], answer] }
          ),
          Same.turns(live, cold)
        ]
      })
    ).pipe(Effect.provide(host(home)))
  )
