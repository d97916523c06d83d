/** The agents of a process: which of them live, and what they do to each other (replay-semantics §8). */
import * as AgentPath from "@skein/core/decide/AgentPath"
import * as Agents from "@skein/core/decide/Agents"
import * as Mail from "@skein/core/decide/Mail"
import * as TurnLifecycle from "@skein/core/decide/TurnLifecycle"
import type { AgentStatus } from "@skein/core/record/SubAgent"
import { Effect, Either } from "effect"
import type { CommandError } from "../EngineError.js"
import type { MailOptions } from "../Turn.js"
import * as Facts from "./Facts.js"
import type { Live } from "./Live.js"
import * as Lives from "./Live.js"
import * as Plan from "./Plan.js"

/** The threads that live in this process. */
export interface Family {
  readonly all: () => ReadonlyArray<Live>
}

/** Where a thread stands in its tree. */
export const pathOf = (live: Live): string => live.state().context.head.meta?.agent_path ?? AgentPath.root

const sessionOf = (live: Live): string | undefined => live.state().turn.thread?.sessionId

/** The agents of a thread's tree that live, by their paths. Cost: the threads that are loaded. */
export const living = (family: Family, of: Live): ReadonlyMap<string, Live> => {
  const session = sessionOf(of)
  const found = new Map<string, Live>()
  for (const live of family.all()) if (sessionOf(live) === session) found.set(pathOf(live), live)
  return found
}

const ids = (agents: ReadonlyMap<string, Live>): ReadonlyMap<string, string> =>
  new Map([...agents].map(([path, live]) => [path, live.id]))

/** Takes mail into a thread. It hangs on nothing that the thread holds, so it waits for nobody. */
export const receive = (live: Live, message: Mail.Message): Effect.Effect<void, CommandError> =>
  live.run("receive", (state, at) => Either.map(Mail.enqueue(message, state, at), Plan.drafts), { retry: true })

/** Ends the turn that runs in a thread, if one does. Gives its id. */
export const interrupt = (live: Live): Effect.Effect<string | undefined, CommandError> =>
  live.run("interrupt", (state, at) => {
    const { active } = state.turn
    if (active === undefined) return Either.right({ drafts: [], answer: () => undefined })
    return Either.map(
      TurnLifecycle.abort({ reason: "interrupted", marker: Lives.markerOf(state) }, state, at),
      (drafts) => ({ drafts, answer: () => active.id })
    )
  })

/** Records in a turn what its agent did to another one. */
const activity = (live: Live, turnId: string, what: Agents.Activity): Effect.Effect<void, CommandError> =>
  live.run("activity", (state, at) =>
    Either.flatMap(TurnLifecycle.running(state, turnId), () =>
      Either.map(Agents.activity(what, state, at), Plan.drafts)
    )
  )

/** Fails unless the turn runs, in a thread that is open. */
const running = (live: Live, turnId: string, operation: string): Effect.Effect<unknown, CommandError> =>
  live.within(operation, () => TurnLifecycle.running(live.state(), turnId))

/** Sends mail from a turn. It is taken in there first, then noted here: two threads, two appends. */
export const send = (
  family: Family,
  from: Live,
  turnId: string,
  { callId, content, encrypted, to, triggerTurn = false }: MailOptions
): Effect.Effect<{ readonly path: string; readonly threadId: string }, CommandError> =>
  Effect.gen(function* () {
    const author = pathOf(from)
    const { fresh, turnId: other } = yield* Facts.now
    yield* running(from, turnId, "send")
    const agents = living(family, from)
    yield* Agents.target(triggerTurn ? "followup" : "message", to, author, ids(agents))
    const { message, to: address } = yield* Mail.address(
      to,
      { id: fresh, author, content, encrypted, triggerTurn },
      ids(agents)
    )
    const { path, threadId } = address
    const target = agents.get(path)
    if (target !== undefined) yield* receive(target, message)
    yield* activity(from, turnId, { callId: callId ?? other, kind: "interacted", threadId, path })
    return address
  })

/** Stops another agent from a turn. */
export const stop = (
  family: Family,
  from: Live,
  turnId: string,
  to: string,
  callId: string | undefined
): Effect.Effect<void, CommandError> =>
  Effect.gen(function* () {
    yield* running(from, turnId, "interrupt")
    const agents = living(family, from)
    const { path, threadId } = yield* Agents.target("interrupt", to, pathOf(from), ids(agents))
    const target = agents.get(path)
    if (target !== undefined) yield* interrupt(target)
    if (threadId === undefined) return
    const { fresh } = yield* Facts.now
    yield* activity(from, turnId, { callId: callId ?? fresh, kind: "interrupted", threadId, path })
  })

/** Tells the parent of an agent how its turn ended, if both live: best effort (replay-semantics §8). */
export const report = (family: Family, child: Live, status: AgentStatus): Effect.Effect<void> =>
  Effect.gen(function* () {
    const path = pathOf(child)
    const { fresh } = yield* Facts.now
    const message = Mail.completion({ id: fresh, path, status })
    const parent = message === undefined ? undefined : living(family, child).get(message.recipient)
    if (message !== undefined && parent !== undefined && parent !== child) yield* receive(parent, message)
  }).pipe(Effect.ignore)
