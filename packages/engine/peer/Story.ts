/**
 * The threads that a Codex is to go on with, driven through the engine: turns with tools, a changing world, compactions,
 * rollbacks, names, a fork, an archive, and a process that dies in the middle of a turn.
 */
import { writeFileSync } from "node:fs"
import { NodeContext } from "@effect/platform-node"
import * as Custom from "@skein/core/decide/Custom"
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import type { TurnItem } from "@skein/core/record/TurnItem"
import * as FsStore from "@skein/store-fs/FsStore"
import { Effect, Either, Layer, Schema } from "effect"
import type { LiveThread } from "../src/LiveThread.js"
import * as Threads from "../src/Threads.js"
import type { Turn } from "../src/Turn.js"
import * as Same from "./Same.js"

/** The two forms in which a log is written. */
export type Form = "legacy" | "paginated"

/** A thread of the story, as the engine left it. */
export interface Written {
  readonly label: string
  readonly id: string
  readonly name: string | undefined
  readonly archived: boolean
  /** Whether no user ever spoke to it. */
  readonly quiet: boolean
  /** What `Turn.context()` gives, or would give in a next turn. */
  readonly context: ReadonlyArray<ResponseItem>
  /** How many turns it has since a rollback, of its own or of what it is a fork of; undefined when there was none. */
  readonly since: number | undefined
  /** What a client of the engine is shown ({@link Same.outline}). */
  readonly shown: ReadonlyArray<string>
}

/** Threads over a home. */
export const host = (home: string) =>
  Threads.layer().pipe(
    Layer.provideMerge(FsStore.layer({ home, durability: "os" })),
    Layer.provide(NodeContext.layer),
    Layer.orDie
  )

/** A message of the model. */
export const says = (text: string, phase?: "commentary" | "final_answer"): ResponseItem => ({
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text }],
  ...(phase === undefined ? {} : { phase })
})

const thought: ResponseItem = {
  type: "reasoning",
  summary: [{ type: "summary_text", text: "**Looking** at the files" }],
  encrypted_content: "b3BhcXVl"
}

const call = (call_id: string, name: string, args: object): ResponseItem => ({
  type: "function_call",
  name,
  arguments: JSON.stringify(args),
  call_id
})

const output = (call_id: string, text: string): ResponseItem => ({
  type: "function_call_output",
  call_id,
  output: text
})

const command = (id: string, aggregated_output: string): TurnItem => ({
  type: "CommandExecution",
  id,
  command: ["bash", "-lc", "ls"],
  cwd: "file:///repo",
  parsed_cmd: [{ type: "list_files", cmd: "ls", path: null }],
  source: "agent",
  status: "completed",
  aggregated_output,
  exit_code: 0,
  duration: { secs: 0, nanos: 5_000_000 }
})

const change = (id: string): TurnItem => ({
  type: "FileChange",
  id,
  changes: { "/repo/a.txt": { type: "add", content: "one\n" } },
  status: "completed"
})

const lookup = (id: string): TurnItem => ({
  type: "McpToolCall",
  id,
  server: "shop",
  tool: "order",
  arguments: { number: 7 },
  status: "completed",
  result: { content: [{ type: "text", text: "sent" }] },
  duration: { secs: 1, nanos: 0 }
})

/** A message to the model that no user said. */
const message = (text: string): ResponseItem => ({
  type: "message",
  role: "developer",
  content: [{ type: "input_text", text }]
})

/** An event of the host's own. */
const seen = Either.getOrThrow(
  Custom.define({ kind: "peer.seen", version: 1, schema: Schema.Struct({ by: Schema.String }) })
)

const settings = { model: "gpt-5.5", cwd: "/repo" }

const world = (place: string) => ({ place, tools: { shell: true } })

/** One turn with a question and an answer. */
const talk = (thread: LiveThread, question: string, within?: (turn: Turn) => Effect.Effect<unknown, unknown>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const turn = yield* thread.startTurn(question)
      if (within !== undefined) yield* within(turn)
      yield* turn.context()
      yield* turn.record([says(`Answer to: ${question}`, "final_answer")])
      yield* turn.usage({ input_tokens: 900, output_tokens: 20 })
      yield* turn.complete()
      return turn.id
    })
  )

/** A turn in which the model uses tools, and the world changes. */
const work = (turn: Turn) =>
  Effect.gen(function* () {
    yield* turn.world(world("Berlin"))
    yield* turn.context()
    yield* turn.record([thought, says("I will look first.", "commentary")])
    yield* turn.record([call("c1", "shell", { command: "ls" }), call("c2", "apply_patch", { path: "a.txt" })])
    yield* turn.itemCompleted(command("c1", "a.txt\n"))
    yield* turn.record([output("c1", "a.txt\n")])
    yield* turn.itemCompleted(change("c2"))
    yield* turn.record([output("c2", "done")])
    yield* turn.steer("And ask the shop as well")
    yield* turn.world(world("Paris"))
    yield* turn.context()
    yield* turn.record([call("c3", "shop__order", { number: 7 })])
    yield* turn.itemCompleted(lookup("c3"))
    yield* turn.record([output("c3", "sent")])
  })

/** The threads, with the one last that is in the middle of a turn: its scope has to stay open. */
const story = (historyMode: Form) =>
  Effect.gen(function* () {
    const threads = yield* Threads.Threads
    const written: Array<Written> = []
    const start = threads.start({ settings, historyMode, cwd: "/repo", instructions: "Be brief." })
    const noted = (label: string, thread: LiveThread, more: Partial<Written> = {}) =>
      Effect.gen(function* () {
        const { input: context } = yield* thread.prompt({ openAi: false })
        const shown = Same.outline(yield* thread.turns, historyMode)
        written.push({
          label,
          id: thread.id,
          name: undefined,
          archived: false,
          quiet: false,
          context,
          since: undefined,
          shown,
          ...more
        })
      })

    const long = yield* start
    yield* threads.rename(long.id, "A long story")
    yield* talk(long, "What is in the repository?", work)
    const second = yield* talk(long, "Now the second thing")
    yield* talk(long, "A thing to forget", (turn) => turn.world(world("Rome")))
    yield* long.rollback({ count: 1 })

    const fork = yield* threads.fork(long.id, { at: { at: "before-turn", turnId: second } })
    yield* talk(fork, "Somewhere else", (turn) => turn.world(world("Oslo")))

    yield* talk(long, "After the rollback", (turn) =>
      turn.compact({ kind: "local", summary: "Things were looked at." }, { phase: "pre_turn" })
    )
    yield* talk(long, "A turn with a compaction within", (turn) =>
      Effect.gen(function* () {
        yield* turn.context()
        yield* turn.record([call("c4", "shell", { command: "ls" }), output("c4", "a.txt\n")])
        yield* turn.itemCompleted(command("c4", "a.txt\n"))
        const world_ = world("Paris")
        yield* turn.compact({ kind: "local", summary: "More was looked at." }, { phase: "mid_turn", world: world_ })
      })
    )
    yield* noted("long", long, { name: "A long story", since: 2 })
    yield* noted("fork", fork, { since: 1 })

    const across = yield* start
    yield* talk(across, "First")
    yield* talk(across, "Second", (turn) => turn.world(world("Berlin")))
    yield* across.compact({ kind: "local", summary: "Two things were asked." })
    yield* talk(across, "Third")
    yield* across.rollback({ count: 2 })
    yield* talk(across, "Instead of the second", (turn) => turn.world(world("Lima")))
    yield* noted("rolled back across a compaction", across, { since: 1 })

    const failed = yield* start
    yield* talk(failed, "Will it work?")
    yield* Effect.scoped(
      Effect.gen(function* () {
        const turn = yield* failed.startTurn("And now?")
        yield* turn.complete({ error: { message: "the model is busy", codex_error_info: "server_overloaded" } })
        const stopped = yield* failed.startTurn("Once more")
        yield* stopped.record([says("Let me", "commentary")])
        yield* stopped.abort()
      })
    )
    yield* failed.newContextWindow({ world: world("Bonn") })
    yield* talk(failed, "In a new window")
    yield* noted("failed, stopped, new window", failed)

    const whole = yield* threads.fork(failed.id)
    yield* talk(whole, "In a fork of all of it")
    yield* noted("fork at the end", whole)

    const parent = yield* start
    yield* talk(parent, "Have somebody look", (turn) =>
      Effect.scoped(
        Effect.gen(function* () {
          yield* turn.context()
          yield* turn.record([call("c6", "spawn_agent", { task_name: "looker" })])
          const child = yield* threads.spawn(parent, {
            taskName: "looker",
            message: "Look",
            callId: "c6",
            turns: "all"
          })
          yield* turn.record([output("c6", "started")])
          const answering = yield* child.startTurn(undefined)
          yield* answering.context()
          yield* answering.record([says("Seen.", "final_answer")])
          yield* answering.complete()
          yield* noted("agent", child, { quiet: true })
        })
      )
    )
    yield* parent.custom(seen, { by: "looker" })
    yield* parent.injectItems([message("Noted by the host.")])
    yield* noted("parent of an agent", parent)

    const archived = yield* Effect.scoped(
      Effect.gen(function* () {
        const thread = yield* start
        yield* talk(thread, "Put me away")
        yield* noted("archived", thread, { archived: true })
        return thread.id
      })
    )
    yield* threads.archive(archived)

    const cut = yield* start
    yield* talk(cut, "Begin")
    const turn = yield* cut.startTurn("Go on until the lights go out", {}, { world: world("Turin") })
    yield* turn.context()
    yield* turn.record([says("I am at it.", "commentary"), call("c5", "shell", { command: "ls" })])
    yield* turn.itemCompleted(command("c5", "a.txt\n"))
    const { input } = yield* turn.context({ openAi: false })
    yield* noted("killed in a turn", cut, { context: input })
    return written
  })

/** Writes the threads into a home and what they come to into a file, and is killed before anything can be closed. */
export const tell = (home: string, form: Form, notes: string): Promise<never> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const written = yield* story(form)
        writeFileSync(notes, JSON.stringify(written))
        process.kill(process.pid, "SIGKILL")
        return yield* Effect.never
      })
    ).pipe(Effect.provide(host(home)))
  )
