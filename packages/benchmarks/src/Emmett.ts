/** Emmett's event stores as subjects: a stream for each conversation, two events a turn. */
import { join } from "node:path"
import * as Peers from "./Peers.js"
import type { Opened, Subject } from "./Subject.js"
import type { Said, Turn } from "./Workload.js"
import * as Workload from "./Workload.js"

interface Event {
  readonly type: "Said"
  readonly data: Said
}
interface Store {
  readonly appendToStream: (
    name: string,
    events: ReadonlyArray<Event>
  ) => Promise<{ readonly nextExpectedStreamVersion: bigint }>
  readonly readStream: (
    name: string,
    options?: { readonly from?: bigint; readonly to?: bigint }
  ) => Promise<{ readonly currentStreamVersion: bigint; readonly events: ReadonlyArray<Event> }>
  readonly close?: () => Promise<unknown>
}

const eventsOf = ({ assistant, user }: Turn): ReadonlyArray<Event> => [
  { type: "Said", data: { role: "user", text: user } },
  { type: "Said", data: { role: "assistant", text: assistant } }
]

/** Its SQLite store now and then finds itself busy when it commits; nothing is written then, and it is asked again. */
const again = async <A>(task: () => Promise<A>, tries = 5): Promise<A> => {
  try {
    return await task()
  } catch (error) {
    if (tries === 0 || (error as { readonly code?: string }).code !== "SQLITE_BUSY") throw error
    return again(task, tries - 1)
  }
}

/** @param first The number of a stream's first event. */
const opened = (store: Store, first: bigint): Opened => {
  const name = Workload.idOf(0)
  let version = 0n
  const said = (events: ReadonlyArray<Event>) => () => events.map(({ data }) => data)
  const end = async () => {
    if (version === 0n) version = (await store.readStream(name)).currentStreamVersion
    return version
  }
  return {
    writer: async () => async (turn) => {
      version = (await again(() => store.appendToStream(name, eventsOf(turn)))).nextExpectedStreamVersion
    },
    prepare: end,
    resume: async () => said((await store.readStream(name)).events),
    // Where a stream ends is known: the caller keeps its version, as a host that goes on with it has to.
    lastPage: async (turns) => {
      const from = (await end()) - BigInt(2 * turns) + first
      return said((await store.readStream(name, { from })).events)
    },
    mark: async () => String(await end()),
    fork: async (mark) => {
      const own = Workload.freshId()
      const { events } = await store.readStream(name, { to: BigInt(mark) })
      await store.appendToStream(
        own,
        events.map(({ data, type }) => ({ type, data }))
      )
      return async () => said((await store.readStream(own)).events)()
    },
    close: async () => store.close?.()
  }
}

interface Sqlite {
  readonly getSQLiteEventStore: (options: { readonly fileName: string }) => Store
  readonly sqliteConnection: (options: { readonly fileName: string }) => {
    readonly query: (sql: string) => Promise<ReadonlyArray<object>>
    readonly close: () => void
  }
}

const pragma = async ({ sqliteConnection }: Sqlite, fileName: string): Promise<string> => {
  const connection = sqliteConnection({ fileName })
  const rows = await connection.query("PRAGMA synchronous")
  connection.close()
  return rows.map((row) => Object.entries(row).map(([key, value]) => `${key} ${value}`)).join()
}

/** The subjects, over the folder in which the peer is installed. */
export const subjects = (folder: () => string): ReadonlyArray<Subject> => [
  {
    name: "emmett-memory",
    label: "Emmett in memory",
    kind: "peer",
    durability: "process",
    how: "appendToStream of two events a turn; readStream; for a fork both",
    open: async () => {
      const { getInMemoryEventStore } = Peers.load<{ readonly getInMemoryEventStore: () => Store }>(
        folder(),
        "@event-driven-io/emmett"
      )
      return opened(getInMemoryEventStore(), 0n)
    }
  },
  {
    name: "emmett-sqlite",
    label: "Emmett SQLite",
    kind: "peer",
    durability: "fsync",
    how: "the same; it opens a connection for each operation",
    open: async (place) => {
      const sqlite = Peers.load<Sqlite>(folder(), "@event-driven-io/emmett-sqlite")
      const fileName = join(place, "events.db")
      return {
        ...opened(sqlite.getSQLiteEventStore({ fileName }), 1n),
        facts: () => pragma(sqlite, fileName)
      }
    }
  }
]
