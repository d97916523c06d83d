/** What people write themselves: an array dumped as JSON, a file of lines, a table of messages. */
import { existsSync, mkdirSync, readdirSync } from "node:fs"
import { appendFile, copyFile, open, readFile, truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import Database from "better-sqlite3"
import type { Durability, Opened, Subject } from "./Subject.js"
import type { Said, Turn } from "./Workload.js"
import * as Workload from "./Workload.js"

/** A message of an array that knows its summaries. */
interface Kept extends Said {
  readonly summary?: true
}

/** What the model sees of a conversation whose summaries stand in it: from the newest one on. */
const sinceSummary = (messages: ReadonlyArray<Kept>): ReadonlyArray<Said> =>
  messages.slice(
    Math.max(
      0,
      messages.findLastIndex(({ summary }) => summary)
    )
  )

const saidOf = ({ assistant, user }: Turn): readonly [Said, Said] => [
  { role: "user", text: user },
  { role: "assistant", text: assistant }
]

/**
 * The whole conversation as one JSON array, written anew after each turn. It is written in place and not synced: after
 * a crash in the middle of a write there is none.
 */
const openDump = async (folder: string): Promise<Opened> => {
  const path = (name: string) => join(folder, `${name}.json`)
  const read = async (name: string): Promise<Array<Kept>> => JSON.parse(await readFile(path(name), "utf8"))
  const threads = join(folder, "threads")
  let messages: Array<Kept> = []
  return {
    compact: async (summary) => {
      messages.push({ role: "user", text: summary, summary: true })
      await writeFile(path("thread"), JSON.stringify(messages))
    },
    writer: async () => {
      messages = existsSync(path("thread")) ? await read("thread") : []
      return (turn) => {
        messages.push(...saidOf(turn))
        return writeFile(path("thread"), JSON.stringify(messages))
      }
    },
    resume: async () => {
      const messages = sinceSummary(await read("thread"))
      return () => messages
    },
    lastPage: async (turns) => {
      const messages = (await read("thread")).slice(-2 * turns)
      return () => messages
    },
    mark: async () => String((await read("thread")).length),
    fork: async (mark) => {
      const name = Workload.freshId()
      await writeFile(path(name), JSON.stringify((await read("thread")).slice(0, Number(mark))))
      return () => read(name)
    },
    fill: async (count) => {
      mkdirSync(threads, { recursive: true })
      for (let n = 0; n < count; n++) {
        await writeFile(join(threads, `${Workload.idOf(n, 3)}.json`), JSON.stringify(saidOf(Workload.turn(n))))
      }
    },
    // The name says when it began, the file what it is about: each that is shown is read.
    list: async (limit) => {
      const names = readdirSync(threads).sort().reverse().slice(0, limit)
      const rows = []
      for (const name of names) {
        const [first] = JSON.parse(await readFile(join(threads, name), "utf8")) as ReadonlyArray<Said>
        rows.push({ id: name.slice(0, -".json".length), preview: first?.text })
      }
      return rows.map(({ id }) => id)
    },
    close: async () => {}
  }
}

/** A message a line, appended. */
const openLines = async (folder: string, durability: Durability): Promise<Opened> => {
  const path = (name: string) => join(folder, `${name}.jsonl`)
  const parse = (text: string): ReadonlyArray<Said> =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line))
  const read = async (name: string) => parse(await readFile(path(name), "utf8"))
  const lines = (turn: Turn) =>
    saidOf(turn)
      .map((said) => `${JSON.stringify(said)}\n`)
      .join("")
  const threads = join(folder, "threads")
  const file = await open(path("thread"), "a+")
  return {
    writer: async () => async (turn) => {
      await file.write(lines(turn))
      if (durability === "fsync") await file.datasync()
    },
    resume: async () => {
      const messages = await read("thread")
      return () => messages
    },
    lastPage: async (turns) => {
      const { size } = await file.stat()
      let from = size
      let found: ReadonlyArray<string> = []
      // One line more than is shown: the first one may have been cut.
      while (found.length <= 2 * turns && from > 0) {
        from = Math.max(0, from - 64 * 1024)
        const bytes = Buffer.alloc(size - from)
        await file.read(bytes, 0, bytes.length, from)
        found = bytes.toString().trimEnd().split("\n")
      }
      const page = parse(found.slice(-2 * turns).join("\n"))
      return () => page
    },
    mark: async () => String((await file.stat()).size),
    fork: async (mark) => {
      const name = Workload.freshId()
      await copyFile(path("thread"), path(name))
      await truncate(path(name), Number(mark))
      return () => read(name)
    },
    fill: async (count) => {
      mkdirSync(threads, { recursive: true })
      for (let n = 0; n < count; n++) {
        await appendFile(join(threads, `${Workload.idOf(n, 3)}.jsonl`), lines(Workload.turn(n)))
      }
    },
    list: async (limit) => {
      const names = readdirSync(threads).sort().reverse().slice(0, limit)
      const rows = []
      for (const name of names) {
        const [first] = parse(await readFile(join(threads, name), "utf8"))
        rows.push({ id: name.slice(0, -".jsonl".length), preview: first?.text })
      }
      return rows.map(({ id }) => id)
    },
    close: () => file.close()
  }
}

/** A row a message, a transaction a turn. */
const openTable = async (folder: string, durability: Durability): Promise<Opened> => {
  const db = new Database(join(folder, "messages.db"))
  db.pragma("journal_mode = WAL")
  db.pragma(`synchronous = ${durability === "fsync" ? "FULL" : "NORMAL"}`)
  db.exec(`CREATE TABLE IF NOT EXISTS threads (pk INTEGER PRIMARY KEY, id TEXT UNIQUE, made INTEGER, preview TEXT);
    CREATE INDEX IF NOT EXISTS made ON threads (made DESC, id DESC);
    CREATE TABLE IF NOT EXISTS messages (thread INTEGER, n INTEGER, role TEXT, text TEXT, PRIMARY KEY (thread, n)) WITHOUT ROWID`)
  const make = db.prepare("INSERT OR IGNORE INTO threads (pk, id, made, preview) VALUES (?, ?, ?, ?)")
  const insert = db.prepare("INSERT INTO messages VALUES (?, ?, ?, ?)")
  const count = db.prepare("SELECT coalesce(max(n) + 1, 0) AS n FROM messages WHERE thread = ?")
  const select = db.prepare("SELECT role, text FROM messages WHERE thread = ? ORDER BY n")
  const page = db.prepare("SELECT role, text FROM messages WHERE thread = ? ORDER BY n DESC LIMIT ?")
  const copy = db.prepare("INSERT INTO messages SELECT ?, n, role, text FROM messages WHERE thread = 1 AND n < ?")
  const newest = db.prepare(
    "SELECT id, made, preview FROM threads WHERE pk >= 1000000 ORDER BY made DESC, id DESC LIMIT ?"
  )
  const next = (thread: number) => (count.get(thread) as { readonly n: number }).n
  const all = (thread: number) => select.all(thread) as ReadonlyArray<Said>
  const append = db.transaction((thread: number, from: number, turn: Turn) => {
    for (const [i, { role, text }] of saidOf(turn).entries()) insert.run(thread, from + i, role, text)
  })
  return {
    writer: async () => {
      make.run(1, Workload.idOf(0), 0, "")
      let at = next(1)
      return async (turn) => {
        append.immediate(1, at, turn)
        at += 2
      }
    },
    resume: async () => {
      const messages = all(1)
      return () => messages
    },
    lastPage: async (turns) => {
      const messages = (page.all(1, 2 * turns) as Array<Said>).reverse()
      return () => messages
    },
    mark: async () => String(next(1)),
    fork: async (mark) => {
      const thread = db
        .transaction(() => {
          const { lastInsertRowid } = make.run(null, Workload.freshId(), 0, "")
          copy.run(lastInsertRowid, Number(mark))
          return lastInsertRowid
        })
        .immediate()
      return () => all(Number(thread))
    },
    fill: async (threads) => {
      for (let n = 0; n < threads; n++) {
        db.transaction(() => {
          make.run(1_000_000 + n, Workload.idOf(n, 3), n, Workload.turn(n).user)
          append(1_000_000 + n, 0, Workload.turn(n))
        }).immediate()
      }
    },
    list: async (limit) => (newest.all(limit ?? -1) as ReadonlyArray<{ readonly id: string }>).map(({ id }) => id),
    facts: () => `synchronous ${db.pragma("synchronous", { simple: true })}`,
    close: async () => db.close()
  }
}

/** The array, then lines and rows at both levels. */
export const subjects: ReadonlyArray<Subject> = [
  {
    name: "dump",
    label: "array dumped as JSON",
    kind: "bare",
    durability: "os",
    how: "JSON.stringify of the whole array to its file after each turn; JSON.parse of all of it",
    open: openDump
  },
  ...(["os", "fsync"] as const).flatMap(
    (durability): ReadonlyArray<Subject> => [
      {
        name: `lines-${durability}`,
        label: `bare file of lines, ${durability}`,
        kind: "bare",
        durability,
        how: "one write a turn; a copy that is cut for a fork",
        open: (folder) => openLines(folder, durability)
      },
      {
        name: `table-${durability}`,
        label: `bare better-sqlite3, ${durability}`,
        kind: "bare",
        durability,
        how: "a row a message, one transaction a turn; the rows copied for a fork",
        open: (folder) => openTable(folder, durability)
      }
    ]
  )
]
