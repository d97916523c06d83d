/** What a host does with promises is recorded as what a host does with effects, whatever it does. */
import * as ModelContext from "@skein/core/fold/ModelContext"
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import type { LiveThread } from "@skein/engine/LiveThread"
import * as Threads from "@skein/engine/Threads"
import type { Turn } from "@skein/engine/Turn"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import { Effect, Exit, Layer, type Scope, Stream } from "effect"
import * as fc from "fast-check"
import { expect, it } from "vitest"
import type * as Promises from "../src/index.js"
import { openSkein } from "../src/index.js"

const world = fc.dictionary(fc.constantFrom("place", "time"), fc.constantFrom("a", "b"), { maxKeys: 2 })
const plain = fc.constantFrom(
  ...(["say", "call", "context", "usage", "mail", "complete", "abort", "fail", "compact", "compactWithin"] as const),
  ...(["newWindow", "rollback", "interrupt", "reopen", "turns"] as const)
)
const command = fc.oneof(
  fc.record({ do: fc.constant("start" as const), world: fc.option(world, { nil: undefined }) }),
  fc.record({ do: fc.constant("look" as const), world }),
  fc.record({ do: fc.constant("steer" as const) }),
  fc.record({ do: plain })
)
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never

const says = (text: string): ResponseItem => ({
  type: "message",
  role: "assistant",
  content: [{ type: "output_text", text }]
})
const calls = (call_id: string): ReadonlyArray<ResponseItem> => [
  { type: "function_call", name: "look", arguments: "{}", call_id },
  { type: "function_call_output", call_id, output: "done" }
]
const settings = { model: "any-model" }
const mail = (n: number) => ({ id: `mail ${n}`, author: "/root/other", content: `mail ${n}`, triggerTurn: n % 2 === 0 })

/** What a host came to: what each command did, and what is stored and folded in the end. */
interface Played {
  readonly outcomes: ReadonlyArray<string>
  readonly lines: ReadonlyArray<unknown>
  readonly context: string
  readonly turns: string
}

/** A text without the ids and times that differ from one run to the next. */
const bare = (value: unknown): string => {
  const ids = new Map<string, string>()
  return JSON.stringify(value, (key, held: unknown) => (/(?:_at|_at_ms|AtMs|At|_ms|Ms)$/.test(key) ? 0 : held))
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => {
      const name = ids.get(id) ?? `#${ids.size}`
      ids.set(id, name)
      return name
    })
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "T")
}

/** A line as it is stored. */
const lineOf = ({ decoded }: ThreadStore.Row): unknown => JSON.parse(new TextDecoder().decode(decoded.line.bytes))

const effectHost = (commands: ReadonlyArray<Command>): Promise<Played> => {
  const play = Effect.gen(function* () {
    const threads = yield* Threads.Threads
    const store = yield* ThreadStore.ThreadStore
    const outcomes: Array<string> = []
    let turn: Turn | undefined
    const { id } = yield* Effect.scoped(threads.start({ settings }))
    const act = (thread: LiveThread, one: Command, n: number): Effect.Effect<unknown, unknown, Scope.Scope> => {
      const within = (use: (turn: Turn) => Effect.Effect<unknown, unknown>) =>
        turn === undefined ? Effect.fail({ _tag: "NoTurn" }) : use(turn)
      switch (one.do) {
        case "start":
          return Effect.map(thread.startTurn(`words ${n}`, settings, { world: one.world }), (begun) => {
            turn = begun
          })
        case "look":
          return within((it) => it.world(one.world))
        case "steer":
          return within((it) => it.steer(`steer ${n}`))
        case "say":
          return within((it) => it.record([says(`say ${n}`)]))
        case "call":
          return within((it) => it.record(calls(`call ${n}`)))
        case "context":
          return within((it) => it.context())
        case "usage":
          return within((it) => it.usage({ input_tokens: n, output_tokens: 1 }))
        case "complete":
          return within((it) => it.complete())
        case "abort":
          return within((it) => it.abort())
        case "fail":
          return within((it) => it.complete({ error: { message: "It broke", codex_error_info: "other" } }))
        case "compactWithin":
          return within((it) => it.compact({ kind: "local", summary: `s ${n}` }, { phase: "mid_turn" }))
        case "compact":
          return thread.compact({ kind: "local", summary: `s ${n}` })
        case "newWindow":
          return thread.newContextWindow()
        case "rollback":
          return thread.rollback({ count: 1 })
        case "mail":
          return thread.receive(mail(n))
        case "interrupt":
          return thread.interrupt
        default:
          return thread.turns
      }
    }
    let n = 0
    for (let rest = commands; rest.length > 0; ) {
      const at = rest.findIndex((one) => one.do === "reopen")
      const part = at < 0 ? rest : rest.slice(0, at)
      rest = at < 0 ? [] : rest.slice(at + 1)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const thread = yield* threads.resume(id, { settings })
          for (const one of part) {
            const exit = yield* Effect.exit(act(thread, one, n++))
            outcomes.push(
              Exit.isSuccess(exit)
                ? "done"
                : exit.cause._tag === "Fail"
                  ? (exit.cause.error as { readonly _tag: string })._tag
                  : "?"
            )
          }
        })
      )
      if (at >= 0) n++
    }
    const rows = yield* Stream.runCollect(store.read(id))
    const { state } = yield* threads.fold(id, ModelContext.fold())
    const { turns } = yield* threads.read(id, { turns: true })
    return {
      outcomes,
      lines: [...rows].map(lineOf),
      context: bare(ModelContext.read(state)),
      turns: bare(turns)
    }
  })
  return Effect.runPromise(
    Effect.scoped(play).pipe(Effect.provide(Layer.provideMerge(Threads.layer(), MemoryStore.layer)), Effect.orDie)
  )
}

const promiseHost = async (commands: ReadonlyArray<Command>): Promise<Played> => {
  await using skein = await openSkein({ store: "memory:" })
  const outcomes: Array<string> = []
  let thread = await skein.start({ settings })
  const { id } = thread
  await thread.close()
  let turn: Promises.Turn.Turn | undefined
  const act = async (one: Command, n: number): Promise<unknown> => {
    const within = (use: (turn: Promises.Turn.Turn) => Promise<unknown>) =>
      turn === undefined ? Promise.reject({ _tag: "NoTurn" }) : use(turn)
    switch (one.do) {
      case "start":
        turn = await thread.startTurn(`words ${n}`, settings, { world: one.world })
        return
      case "look":
        return within((it) => it.world(one.world))
      case "steer":
        return within((it) => it.steer(`steer ${n}`))
      case "say":
        return within((it) => it.record([says(`say ${n}`)]))
      case "call":
        return within((it) => it.record(calls(`call ${n}`)))
      case "context":
        return within((it) => it.context())
      case "usage":
        return within((it) => it.usage({ input_tokens: n, output_tokens: 1 }))
      case "complete":
        return within((it) => it.complete())
      case "abort":
        return within((it) => it.abort())
      case "fail":
        return within((it) => it.complete({ error: { message: "It broke", codex_error_info: "other" } }))
      case "compactWithin":
        return within((it) => it.compact({ kind: "local", summary: `s ${n}` }, { phase: "mid_turn" }))
      case "compact":
        return thread.compact({ kind: "local", summary: `s ${n}` })
      case "newWindow":
        return thread.newContextWindow()
      case "rollback":
        return thread.rollback({ count: 1 })
      case "mail":
        return thread.receive(mail(n))
      case "interrupt":
        return thread.interrupt()
      default:
        return thread.turns()
    }
  }
  thread = await skein.resume(id, { settings })
  for (const [n, one] of commands.entries()) {
    if (one.do === "reopen") {
      await thread.close()
      if (n < commands.length - 1) thread = await skein.resume(id, { settings })
      continue
    }
    try {
      await act(one, n)
      outcomes.push("done")
    } catch (error) {
      outcomes.push((error as { readonly _tag: string })._tag)
    }
  }
  await thread.close()
  const lines: Array<unknown> = []
  for await (const row of skein.records(id)) lines.push(lineOf(row))
  const { state } = await skein.fold(id, ModelContext.fold())
  const { turns } = await skein.read(id, { turns: true })
  return { outcomes, lines, context: bare(ModelContext.read(state)), turns: bare(turns) }
}

it("outcomes, stored records, model context and turns are the same", async () => {
  const started: ReadonlyArray<Command> = [{ do: "start", world: { place: "a" } }]
  let done = 0
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 30, size: "max" }), async (some) => {
      const commands = [...started, ...some]
      const [wanted, given] = [await effectHost(commands), await promiseHost(commands)]
      done += given.outcomes.filter((one) => one === "done").length
      expect(given.outcomes).toEqual(wanted.outcomes)
      expect(bare(given.lines)).toBe(bare(wanted.lines))
      expect(given.context).toBe(wanted.context)
      expect(given.turns).toBe(wanted.turns)
    }),
    { numRuns: 60 }
  )
  expect(done).toBeGreaterThan(300)
}, 120_000)
