/**
 * Skein as a subject: the engine, which is what stands beside a framework for agents, and the store alone, which is what
 * stands beside a place to put messages.
 */
import { join } from "node:path"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as ReplayLog from "@skein/core/fold/ReplayLog"
import type { Turn as ShownTurn } from "@skein/core/fold/view/Turn"
import type { Draft } from "@skein/core/record/Record"
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import type { LiveThread } from "@skein/engine/LiveThread"
import * as Threads from "@skein/engine/Threads"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import type { Position } from "@skein/store/Position"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as NodeStore from "@skein/store-fs/NodeStore"
import * as MemoryStore from "@skein/store-memory/MemoryStore"
import * as SqliteIndex from "@skein/store-sqlite/SqliteIndex"
import * as SqliteStore from "@skein/store-sqlite/SqliteStore"
import * as Script from "@skein/testing/Script"
import { Effect, Exit, Layer, ManagedRuntime, Scope } from "effect"
import type { Durability, Opened, Reader, Subject } from "./Subject.js"
import * as Workload from "./Workload.js"

/** Where the threads lie. */
export type Kind = "memory" | "sqlite" | "fs"

/** The layer of a store over a folder. */
export const layerOf = (kind: Kind, folder: string, durability: Durability): Layer.Layer<ThreadStore.ThreadStore> => {
  const level = durability === "fsync" ? "fsync" : "os"
  if (kind === "memory") return MemoryStore.layer
  if (kind === "sqlite") {
    return Layer.orDie(SqliteStore.layer({ filename: join(folder, "threads.db"), durability: level }))
  }
  return Layer.orDie(
    Layer.unwrapScoped(
      Effect.map(SqliteIndex.make({ filename: join(folder, "index.db") }), (index) =>
        NodeStore.layer({ home: folder, durability: level, index })
      )
    )
  )
}

const id = Workload.idOf(0)
const timestamp = "2026-11-20T12:00:00.000Z"

/** A runtime with both services over one store. */
const running = async (kind: Kind, folder: string, durability: Durability) => {
  const store = layerOf(kind, folder, durability)
  const runtime = ManagedRuntime.make(Layer.provideMerge(Threads.layer(), store))
  const services = await runtime.runPromise(Effect.all({ store: ThreadStore.ThreadStore, threads: Threads.Threads }))
  return { ...services, run: runtime.runPromise, close: () => runtime.dispose() }
}

type Running = Awaited<ReturnType<typeof running>>

const textOf = (parts: ReadonlyArray<object>): string =>
  parts.map((part) => ("text" in part && typeof part.text === "string" ? part.text : "")).join("")

const ofItems =
  (items: ReadonlyArray<ResponseItem>): Reader =>
  () =>
    items.flatMap((item) => {
      if (item.type !== "message" || (item.role !== "user" && item.role !== "assistant")) return []
      return [{ role: item.role, text: textOf(item.content) }]
    })

const ofTurns =
  (turns: ReadonlyArray<ShownTurn>): Reader =>
  () =>
    turns.flatMap(({ items }) =>
      items.flatMap((item): ReadonlyArray<Workload.Said> => {
        if (item.type === "userMessage") return [{ role: "user", text: textOf(item.content) }]
        if (item.type === "agentMessage") return [{ role: "assistant", text: item.text }]
        return []
      })
    )

const says = (role: "user" | "assistant", text: string): ResponseItem => ({
  type: "message",
  role,
  content: [{ type: role === "user" ? "input_text" : "output_text", text }]
})

const draft = ({ payload, type }: Script.Line): Draft => ({ timestamp, type, payload }) as unknown as Draft
const header = (threadId: string, more: object = {}): Draft<"session_meta"> =>
  draft(Script.header({ id: threadId, session_id: threadId, timestamp, ...more })) as Draft<"session_meta">

/** The records of a turn, as a host writes them that has no engine. */
const records = ({ assistant, id: turnId, user }: Workload.Turn): ReadonlyArray<Draft> =>
  [
    Script.started(turnId),
    Script.turnContext(turnId),
    Script.user(user),
    Script.userEvent(user),
    Script.assistant(assistant),
    { type: "event_msg", payload: { type: "agent_message", message: assistant, phase: null, memory_citation: null } },
    Script.completed(turnId)
  ].map(draft)

/** The model's context from the end of a log: what a host reads that has no engine. */
const contextOf = (store: ThreadStore.ThreadStoreService, threadId: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const log = yield* store.open(threadId)
      const scan = ModelContext.backward()
      const rest = yield* EffectiveLog.backward(
        log,
        (decoded) => {
          if (EffectiveLog.isRecord(decoded)) scan.add(decoded)
          return !scan.settled()
        },
        scan.wants
      )
      return scan.finish(rest === undefined, {
        ...ReplayLog.emptyHead,
        compactions: undefined,
        whole: rest === undefined
      }).history as ReadonlyArray<ResponseItem>
    })
  )

const lastTurns = ({ run, store }: Running, count: number): Promise<Reader> =>
  run(Effect.map(store.turns(id, { pageSize: count, direction: "desc" }), ({ items }) => ofTurns([...items].reverse())))

const fill = ({ run, store }: Running, threads: number): Promise<void> =>
  run(
    Effect.forEach(
      Array.from({ length: threads }, (_, n) => n),
      (n) => store.create(header(Workload.idOf(n, 3)), records({ ...Workload.turn(n), id: Workload.idOf(n, 1) })),
      { discard: true }
    )
  )

const list = ({ run, store }: Running, limit: number | undefined): Promise<ReadonlyArray<string>> =>
  run(
    Effect.gen(function* () {
      const ids: Array<string> = []
      let cursor: string | undefined
      do {
        const page = yield* store.summaries({ pageSize: limit ?? 1000, cursor })
        for (const row of page.items) ids.push(row.id)
        cursor = limit === undefined ? page.nextCursor : undefined
      } while (cursor !== undefined)
      return ids
    })
  )

/** Something that holds until it is let go: a live thread belongs to a scope. */
const held = async <A, E>({ run }: Running, effect: Effect.Effect<A, E, Scope.Scope>) => {
  const scope = await run(Scope.make())
  const value = await run(Scope.extend(effect, scope))
  return { value, release: () => run(Scope.close(scope, Exit.void)) }
}

const openEngine = async (kind: Kind, folder: string, durability: Durability): Promise<Opened> => {
  const all = await running(kind, folder, durability)
  const { run, store, threads } = all
  let held_: { readonly value: LiveThread; readonly release: () => Promise<void> } | undefined
  let last = ""
  const there = async () => {
    held_ ??= await held(
      all,
      Effect.orElse(threads.resume(id), () => threads.start({ id, settings: { model: "m" } }))
    )
    return held_.value
  }
  const release = async () => {
    await held_?.release()
    held_ = undefined
  }
  return {
    writer: async () => {
      const thread = await there()
      return (turn) => {
        last = turn.id
        return run(
          Effect.scoped(
            Effect.gen(function* () {
              const one = yield* thread.startTurn(turn.user, {}, { turnId: turn.id })
              yield* one.context()
              yield* one.record([says("assistant", turn.assistant)])
              yield* one.complete()
            })
          )
        )
      }
    },
    compact: async (summary) => {
      const thread = await there()
      await run(thread.compact({ kind: "remote", output: [says("user", summary)] }))
    },
    // One that lives already would only have to be asked.
    prepare: release,
    resume: async () => {
      const thread = await there()
      const { input } = await run(thread.prompt())
      return ofItems(input)
    },
    lastPage: (count) => lastTurns(all, count),
    mark: async () => last,
    fork: async (turnId) => {
      const own = Workload.freshId()
      const fork = await held(all, threads.fork(id, { id: own, at: { at: "after-turn", turnId } }))
      return async () => {
        const { input } = await run(fork.value.prompt())
        await fork.release()
        return ofItems(input)()
      }
    },
    fill: (count) => fill(all, count),
    list: (limit) => list(all, limit),
    facts: () => `durability ${store.supports.durability}`,
    close: async () => {
      await release()
      await all.close()
    }
  }
}

const openStore = async (kind: Kind, folder: string, durability: Durability): Promise<Opened> => {
  const all = await running(kind, folder, durability)
  const { run, store } = all
  return {
    writer: async () => {
      await run(Effect.ignore(store.create(header(id))))
      return (turn) => run(store.append(id, records(turn)))
    },
    compact: (summary) => run(store.append(id, [draft(Script.compacted([Script.user(summary)]))])),
    resume: async () => ofItems(await run(contextOf(store, id))),
    lastPage: (count) => lastTurns(all, count),
    mark: async () => {
      const { head } = await run(store.head(id))
      return JSON.stringify(head)
    },
    fork: async (mark) => {
      const at = JSON.parse(mark) as Position
      const own = Workload.freshId()
      await run(store.fork(id, { at, header: header(own, { forked_from_id: id }) }))
      return async () => ofItems(await run(contextOf(store, own)))()
    },
    fill: (count) => fill(all, count),
    list: (limit) => list(all, limit),
    facts: () => `durability ${store.supports.durability}`,
    close: all.close
  }
}

const labels = { memory: "memory", sqlite: "SQLite", fs: "files" }

const subject = (what: "engine" | "store", kind: Kind, durability: Durability): Subject => ({
  name: `skein-${what}-${kind}${kind === "memory" ? "" : `-${durability}`}`,
  label: `Skein ${what}, ${labels[kind]}${kind === "memory" ? "" : `, ${durability}`}`,
  kind: "ours",
  durability,
  how:
    what === "engine"
      ? "startTurn, context, record, complete; resume and prompt; fork after a turn"
      : "one append of a turn's records; a backward scan for the context; fork at a position",
  open: (folder) => (what === "engine" ? openEngine : openStore)(kind, folder, durability)
})

/** Each of the two over each store, at each level that it has. */
export const subjects: ReadonlyArray<Subject> = (["engine", "store"] as const).flatMap((what) => [
  subject(what, "memory", "process"),
  subject(what, "sqlite", "os"),
  subject(what, "sqlite", "fsync"),
  subject(what, "fs", "os"),
  subject(what, "fs", "fsync")
])
