/**
 * LangGraph's SQLite checkpointer as a subject, twice: by itself with one checkpoint a turn, which is the least that it
 * can be asked to do, and under a graph of one node as its documentation shows it.
 */
import { join } from "node:path"
import * as Peers from "./Peers.js"
import type { Opened, Reader, Subject } from "./Subject.js"
import type { Said, Turn } from "./Workload.js"
import * as Workload from "./Workload.js"

interface Message {
  readonly id: string
  readonly content: string
  readonly getType: () => string
}
type MessageClass = new (fields: { readonly content: string; readonly id: string }) => Message

interface Config {
  readonly configurable: {
    readonly thread_id?: string | undefined
    readonly checkpoint_ns?: string | undefined
    readonly checkpoint_id?: string | undefined
  }
}
interface Checkpoint {
  readonly id: string
  readonly channel_values: { readonly messages?: ReadonlyArray<Message> }
}
interface Tuple {
  readonly config: Config
  readonly checkpoint: Checkpoint
}
interface Saver {
  readonly db: { readonly pragma: (sql: string, options: object) => unknown; readonly close: () => void }
  readonly put: (config: Config, checkpoint: object, metadata: object) => Promise<Config>
  readonly getTuple: (config: Config) => Promise<Tuple | undefined>
  readonly list: (config: Config, options: { readonly limit?: number | undefined }) => AsyncIterable<Tuple>
}
interface Graph {
  readonly addNode: (name: string, node: (state: unknown) => Promise<object>) => Graph
  readonly addEdge: (from: string, to: string) => Graph
  readonly compile: (options: object) => Compiled
}
interface Compiled {
  readonly invoke: (input: object, config: Config) => Promise<unknown>
  readonly updateState: (config: Config, values: object, asNode?: string) => Promise<Config>
  readonly getState: (
    config: Config
  ) => Promise<{ readonly config: Config; readonly values: { readonly messages?: ReadonlyArray<Message> } }>
}

interface Parts {
  readonly HumanMessage: MessageClass
  readonly AIMessage: MessageClass
  readonly SqliteSaver: { readonly fromConnString: (path: string) => Saver }
  readonly uuid6: (clockseq: number) => string
  readonly StateGraph: new (state: unknown) => Graph
  readonly MessagesAnnotation: unknown
}

const parts = (folder: string): Parts => ({
  ...Peers.load<Pick<Parts, "HumanMessage" | "AIMessage">>(folder, "@langchain/core/messages"),
  ...Peers.load<Pick<Parts, "SqliteSaver">>(folder, "@langchain/langgraph-checkpoint-sqlite"),
  ...Peers.load<Pick<Parts, "uuid6">>(folder, "@langchain/langgraph-checkpoint"),
  ...Peers.load<Pick<Parts, "StateGraph" | "MessagesAnnotation">>(folder, "@langchain/langgraph")
})

const saidOf = (messages: ReadonlyArray<Message> = []): ReadonlyArray<Said> =>
  messages.map((message) => ({ role: message.getType() === "human" ? "user" : "assistant", text: message.content }))

const messagesOf = ({ AIMessage, HumanMessage }: Parts, turn: Turn): ReadonlyArray<Message> => [
  new HumanMessage({ content: turn.user, id: `u${turn.id}` }),
  new AIMessage({ content: turn.assistant, id: `a${turn.id}` })
]

const config = (thread_id: string, checkpoint_id?: string): Config => ({
  configurable: { thread_id, checkpoint_ns: "", ...(checkpoint_id === undefined ? {} : { checkpoint_id }) }
})
const id = Workload.idOf(0)

const facts = (saver: Saver) => () => `synchronous ${saver.db.pragma("synchronous", { simple: true })}`

const openSaver = async (peer: Parts, folder: string): Promise<Opened> => {
  const saver = peer.SqliteSaver.fromConnString(join(folder, "checkpoints.db"))
  let step = 0
  const put = (to: Config, messages: ReadonlyArray<Message>) => {
    step++
    const checkpoint = {
      v: 4,
      id: peer.uuid6(step),
      ts: "2026-11-20T12:00:00.000Z",
      channel_values: { messages },
      channel_versions: { messages: step },
      versions_seen: {}
    }
    return saver.put(to, checkpoint, { source: "loop", step, parents: {} })
  }
  const read = async (from: Config) => (await saver.getTuple(from))?.checkpoint.channel_values.messages
  const sinceSummary = (messages: ReadonlyArray<Message> = []) =>
    messages.slice(
      Math.max(
        0,
        messages.findLastIndex(({ id }) => id.startsWith("summary"))
      )
    )
  return {
    seed: (turns, compacted) => {
      const messages = turns.flatMap((turn) => {
        const at = turn.n + 1
        if (compacted !== true || !Workload.isCompactedAt(at)) return messagesOf(peer, turn)
        const summary = new peer.HumanMessage({ content: Workload.summary(at), id: `summary${at}` })
        return [...messagesOf(peer, turn), summary]
      })
      return put(config(id), messages)
    },
    writer: async () => {
      const messages = [...((await read(config(id))) ?? [])]
      let at = (await saver.getTuple(config(id)))?.config ?? config(id)
      return async (turn) => {
        messages.push(...messagesOf(peer, turn))
        at = await put(at, messages)
      }
    },
    resume: async () => {
      const messages = sinceSummary(await read(config(id)))
      return () => saidOf(messages)
    },
    lastPage: async (turns) => {
      const messages = (await read(config(id)))?.slice(-2 * turns)
      return () => saidOf(messages)
    },
    mark: async () => (await saver.getTuple(config(id)))?.checkpoint.id ?? "",
    fork: async (mark) => {
      const own = Workload.freshId()
      await put(config(own), (await read(config(id, mark))) ?? [])
      return async () => saidOf(await read(config(own)))
    },
    fill: async (threads) => {
      for (let n = 0; n < threads; n++) {
        await put(config(Workload.idOf(n, 3)), messagesOf(peer, Workload.turn(n)))
      }
    },
    // It lists checkpoints, newest first; here every thread has one.
    list: async (limit) => {
      const ids: Array<string> = []
      for await (const { config } of saver.list({ configurable: {} }, { limit })) {
        ids.push(config.configurable.thread_id ?? "")
      }
      return ids
    },
    facts: facts(saver),
    close: async () => saver.db.close()
  }
}

const openGraph = async (peer: Parts, folder: string): Promise<Opened> => {
  const saver = peer.SqliteSaver.fromConnString(join(folder, "checkpoints.db"))
  let answer: Message | undefined
  const graph = new peer.StateGraph(peer.MessagesAnnotation)
    .addNode("model", async () => ({ messages: [answer] }))
    .addEdge("__start__", "model")
    .addEdge("model", "__end__")
    .compile({ checkpointer: saver })
  const thread: Config = { configurable: { thread_id: id } }
  const read = async (from: Config): Promise<Reader> => {
    const { values } = await graph.getState(from)
    return () => saidOf(values.messages)
  }
  return {
    writer: async () => (turn) => {
      const [question, reply] = messagesOf(peer, turn)
      answer = reply
      return graph.invoke({ messages: [question] }, thread)
    },
    seed: (turns) => graph.updateState(thread, { messages: turns.flatMap((turn) => messagesOf(peer, turn)) }, "model"),
    resume: () => read(thread),
    lastPage: async (turns) => {
      const reader = await read(thread)
      return async () => (await reader()).slice(-2 * turns)
    },
    mark: async () => (await graph.getState(thread)).config.configurable.checkpoint_id ?? "",
    // A fork in its own sense: the same thread goes on from an earlier checkpoint.
    fork: async (mark) => {
      const own = await graph.updateState(
        { configurable: { thread_id: id, checkpoint_id: mark } },
        { messages: [] },
        "model"
      )
      return async () => (await read(own))()
    },
    facts: facts(saver),
    close: async () => saver.db.close()
  }
}

/** The subjects, over the folder in which the peer is installed. */
export const subjects = (folder: () => string): ReadonlyArray<Subject> => [
  {
    name: "langgraph-saver",
    label: "LangGraph SqliteSaver alone",
    kind: "peer",
    durability: "os",
    how: "put of one checkpoint a turn; getTuple; for a fork getTuple and put",
    open: (place) => openSaver(parts(folder()), place)
  },
  {
    name: "langgraph-graph",
    label: "LangGraph graph on SqliteSaver",
    kind: "peer",
    durability: "os",
    how: "invoke of a graph of one node; getState; updateState of an earlier checkpoint",
    sampled: [200, 1000, 2000],
    open: (place) => openGraph(parts(folder()), place)
  }
]
