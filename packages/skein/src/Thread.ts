/** A thread that this process holds the right to write to, as a host with promises holds it. */
import type * as Custom from "@skein/core/decide/Custom"
import { Conflict } from "@skein/core/decide/DecisionError"
import { ThreadClosed } from "@skein/engine/EngineError"
import type { LiveThread } from "@skein/engine/LiveThread"
import type { Notification } from "@skein/engine/Notification"
import type { Turn as EngineTurn, StartOptions, TurnSettings, Words } from "@skein/engine/Turn"
import { Effect, Scope } from "effect"
import * as Events from "./internal/Events.js"
import type { Runner, RunOptions } from "./internal/Runner.js"
import * as Runners from "./internal/Runner.js"
import type { Promised, Waiting } from "./Promised.js"
import type { Turn } from "./Turn.js"
import * as Turns from "./Turn.js"

/**
 * A live thread: what `@skein/engine/LiveThread` offers, as promises. A thread that is opened twice has two handles, and
 * is closed, its right to write given back, when both are. A closed handle rejects with `ThreadClosed`.
 */
export interface Thread
  extends Promised<Omit<LiveThread, "startTurn" | "startTurnAfter" | "custom" | "awaitWork" | "events" | "subscribe">>,
    AsyncDisposable {
  /**
   * Starts a turn with what a user says, or, without words, with the mail that waits. Settings stick. One append.
   *
   * Errors: `Conflict` while another turn runs, `InvalidRequest` for nothing said, a setting of no known shape, no model.
   */
  readonly startTurn: (words: Words | undefined, settings?: TurnSettings, options?: StartOptions) => Promise<Turn>

  /**
   * The same for a host that has to do something between the start and what the user says. If `first` rejects, the turn
   * ends without the words, and this rejects with the same.
   */
  readonly startTurnAfter: (
    first: (turn: Turn) => Promise<unknown>,
    words: Words | undefined,
    settings?: TurnSettings,
    options?: StartOptions
  ) => Promise<Turn>

  /** Records an event of a kind that the host defines. Errors: `InvalidRequest` for a value that its schema refuses. */
  readonly custom: <A>(definition: Custom.Definition<A>, value: A) => Promise<void>

  /** Waits until mail starts a turn: it asks for one, and none runs. */
  readonly awaitWork: (waiting?: Waiting) => Promise<void>

  /** What happens from this call on, whenever it is iterated; it ends when the thread is closed here. */
  readonly events: (waiting?: Waiting) => AsyncIterable<Notification>

  /** Lets go of the thread: a turn that runs is ended as interrupted. A second call changes nothing. */
  readonly close: () => Promise<void>
}

/** What the engine knows of a handle. */
const lives = new WeakMap<Thread, LiveThread>()

/** The live thread behind a handle; undefined for what is none. */
export const liveOf = (thread: Thread): LiveThread | undefined => lives.get(thread)

/** What an operation of a thread that is closed rejects with. */
export const refusing = (threadId: string) => (operation: string) => new ThreadClosed({ threadId, operation })

/** The handle of a thread; closing its runner lets go of it. */
export const make = (live: LiveThread, runner: Runner): Thread => {
  const refuse = refusing(live.id)

  /** A turn has a scope of its own within that of its thread. */
  const turnRunner = (): Runner =>
    runner.fork((operation) => {
      if (runner.isClosed()) return refuse(operation)
      return new Conflict({
        field: operation,
        reason: "no-active-turn",
        detail: "this turn is over",
        advice: "Start another one"
      })
    })

  const begin = async <E>(
    operation: string,
    start: (own: Runner) => Effect.Effect<Turn, E, Scope.Scope>,
    options?: RunOptions
  ): Promise<Turn> => {
    if (runner.isClosed()) throw refuse(operation)
    const own = turnRunner()
    try {
      return await runner.run(operation, Scope.extend(start(own), own.scope), options)
    } catch (error) {
      await own.close()
      throw error
    }
  }

  const thread: Thread = {
    ...Runners.promised(live, runner),
    startTurn: (words, settings, options) =>
      begin("startTurn", (own) =>
        Effect.map(live.startTurn(words, settings, options), (turn) => Turns.make(turn, own))
      ),
    startTurnAfter: (first, words, settings, options) =>
      begin(
        "startTurnAfter",
        (own) => {
          const work = (turn: EngineTurn) =>
            Effect.tryPromise({ try: () => first(Turns.make(turn, own)), catch: (thrown) => thrown })
          const started = live.startTurnAfter(work, words, settings, options)
          return Effect.map(started, (turn) => Turns.make(turn, own))
        },
        // The host's own work may take as long as it likes.
        { waits: true }
      ),
    custom: (definition, value) => runner.run("custom", live.custom(definition, value)),
    awaitWork: ({ signal } = {}) => runner.run("awaitWork", live.awaitWork, { signal, waits: true }),
    events: (waiting = {}) => Events.fromNow(live.subscribe, runner, waiting, ({ type }) => type === "thread/closed"),
    close: runner.close,
    [Symbol.asyncDispose]: runner.close
  }
  lives.set(thread, live)
  return thread
}
