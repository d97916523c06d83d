/** The questions that a doctor asks a home, each by itself. */
import { createHash } from "node:crypto"
import type { FileSystem, Path } from "@effect/platform"
import { canonicalUuid } from "@skein/core/record/Primitive"
import type { Knowledge, Process } from "@skein/store/Machine"
import { Effect } from "effect"
import type { FileRefused } from "../FileError.js"
import * as RolloutFile from "../RolloutFile.js"
import * as SessionIndex from "../SessionIndex.js"
import type { Catalog, Rollout, ThreadFiles } from "./Catalog.js"
import * as Disk from "./Disk.js"
import * as Header from "./Header.js"

/**
 * What was found:
 * - `unlisted`: a folder that cannot be listed;
 * - `no-file`: what is named as a rollout is something else;
 * - `unreadable`: a rollout that cannot be opened;
 * - `empty-file`: a rollout to which nothing was ever written;
 * - `foreign-header`: the header names another thread than the file's name;
 * - `duplicate-file`: two files say that they are the same part of a thread;
 * - `two-forms`: a rollout lies there plain and compressed;
 * - `unfinished-change`: an archiving, unarchiving or deletion that was begun and not finished;
 * - `left-temporary`: a temporary file of a process that is gone;
 * - `dead-lease`: a lease that its holder did not give back;
 * - `stray-lease`, `stray-metadata`: what is kept of a thread that is not there;
 * - `unreadable-metadata`: what is kept of a thread makes no sense;
 * - `stray-name`, `unreadable-name`: lines of the index of names.
 */
export type Code =
  | "unlisted"
  | "no-file"
  | "unreadable"
  | "empty-file"
  | "foreign-header"
  | "duplicate-file"
  | "two-forms"
  | "unfinished-change"
  | "left-temporary"
  | "dead-lease"
  | "stray-lease"
  | "stray-metadata"
  | "unreadable-metadata"
  | "stray-name"
  | "unreadable-name"

/** One thing that was found. `error`: something is lost or wrong; `warning`: it can be made right; `info`: no fault. */
export interface Finding {
  readonly severity: "error" | "warning" | "info"
  readonly code: Code
  readonly message: string
  readonly threadId?: string | undefined
  readonly path?: string | undefined
  /** Whether it is a file of Skein's own that nobody needs. */
  readonly isStray?: boolean | undefined
}

/** What is looked at. */
export interface Subject {
  readonly disk: Disk.Disk
  readonly root: string
  /** Walked. */
  readonly catalog: Catalog
  readonly machine: Knowledge
  /** Milliseconds since 1970. */
  readonly now: number
}

type Found = Effect.Effect<ReadonlyArray<Finding>, never, FileSystem.FileSystem | Path.Path>

/** Everything that can be asked. */
export const all = (subject: Subject): Found =>
  Effect.map(
    Effect.all([
      folders(subject),
      rollouts(subject),
      names(subject),
      intents(subject),
      metadata(subject),
      leases(subject),
      temporaries(subject)
    ]),
    (found) => found.flat()
  )

const folders = ({ catalog }: Subject): Found =>
  Effect.sync(() =>
    [...catalog.problems()].map((problem) => ({
      severity: "error",
      code: "unlisted",
      message: problem.message,
      path: problem.paths[0]
    }))
  )

const rollouts = (subject: Subject): Found =>
  Effect.map(
    Effect.forEach([...subject.catalog.threads()], (files) => thread(subject, files)),
    (found) => found.flat()
  )

const thread = (subject: Subject, files: ThreadFiles): Found =>
  Effect.gen(function* () {
    const { disk } = subject
    const found: Array<Finding> = []
    const { all: every, duplicates, segments, threadId } = files
    for (const file of every) {
      const { path } = file
      const facts = yield* Effect.orElseSucceed(Disk.look(disk, path), () => undefined)
      if (facts !== undefined && facts.type !== "File") {
        const message = `it is named as a rollout and is a ${facts.type === "Directory" ? "folder" : facts.type}`
        found.push({ severity: "warning", code: "no-file", message, threadId, path })
      } else if (facts !== undefined) found.push(...(yield* beginning(file)))
    }
    for (const { path, segmentId } of duplicates) {
      const counted = segments.find((one) => one.segmentId === segmentId)
      const isSame = counted !== undefined && (yield* isSameContent(path, counted.path))
      const other = `${counted?.path ?? "another file"} counts as that part of the thread`
      const message = isSame ? `${other}, and holds the same lines` : `${other}, and holds other lines`
      found.push({ severity: isSame ? "warning" : "error", code: "duplicate-file", message, threadId, path })
    }
    for (const plain of every.filter(({ compressed }) => !compressed)) {
      const path = `${plain.path}.zst`
      if (!every.some((one) => one.path === path)) continue
      const isSame = yield* isSameContent(plain.path, path)
      const message = `the plain file counts, and this one holds ${isSame ? "the same lines" : "other lines"}`
      found.push({ severity: "warning", code: "two-forms", message, threadId, path })
    }
    return found
  })

/** What the first lines of a rollout say against its name. */
const beginning = ({ path, threadId }: Rollout): Found =>
  Effect.scoped(
    Effect.gen(function* () {
      const file = yield* RolloutFile.open(path, { ends: true })
      const { isEmpty, meta } = yield* Header.read(RolloutFile.source(file))
      if (isEmpty && file.damagedAt === undefined) {
        const message = "nothing was ever written to it; it counts as no thread"
        return [{ severity: "info", code: "empty-file", message, threadId, path } satisfies Finding]
      }
      const named = meta === undefined ? undefined : canonicalUuid(meta.payload.id)
      if (named === undefined || named === threadId) return []
      const message = `its header says that it is thread ${named}; the name counts`
      return [{ severity: "warning", code: "foreign-header", message, threadId, path } satisfies Finding]
    })
  ).pipe(
    Effect.catchAll((error: FileRefused) =>
      Effect.succeed([
        { severity: "error", code: "unreadable", message: error.detail, threadId, path } satisfies Finding
      ])
    )
  )

const isSameContent = (left: string, right: string): Effect.Effect<boolean, never, FileSystem.FileSystem> =>
  Effect.map(Effect.all([digest(left), digest(right)]), ([one, other]) => one !== undefined && one === other)

const digest = (path: string): Effect.Effect<string | undefined, never, FileSystem.FileSystem> =>
  Effect.scoped(
    Effect.gen(function* () {
      const hash = createHash("sha256")
      const source = RolloutFile.source(yield* RolloutFile.open(path))
      yield* source.forward((line) => hash.update(line.bytes).update("\n") !== undefined, { passing: true })
      return hash.digest("hex")
    })
  ).pipe(Effect.orElseSucceed(() => undefined))

const names = ({ catalog, disk, root }: Subject): Found =>
  Effect.gen(function* () {
    const path = disk.paths.join(root, "session_index.jsonl")
    const facts = yield* Disk.look(disk, path)
    if (facts === undefined || facts.type !== "File") return []
    const content = new TextDecoder().decode(yield* disk.fs.readFile(path))
    const lines = content.split("\n").filter((line) => line.trim() !== "")
    const bad = lines.filter((line) => SessionIndex.entries(line).size === 0).length
    const stray = [...SessionIndex.parse(content)].flatMap(([threadId, name]) =>
      name === "" || catalog.thread(threadId) !== undefined ? [] : [threadId]
    )
    const found: Array<Finding> = stray.map((threadId) => ({
      severity: "info",
      code: "stray-name",
      message: "the index has a name for it, and there is no such thread",
      threadId,
      path
    }))
    if (bad > 0) {
      const message = `${bad} of its ${lines.length} lines make no sense and are passed over`
      found.push({ severity: "warning", code: "unreadable-name", message, path })
    }
    return found
  }).pipe(Effect.orElseSucceed(() => []))

/** The names in one of Skein's own folders; none where there is none. */
const own = ({ disk, root }: Subject, folder: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.orElseSucceed(Disk.list(disk, disk.paths.join(root, ".skein", folder)), () => [])

const textOf = ({ disk }: Subject, path: string): Effect.Effect<string> =>
  Effect.orElseSucceed(disk.fs.readFileString(path), () => "")

const change = /^(archive|unarchive|delete)\.([0-9a-f-]{36})\.json$/

const intents = (subject: Subject): Found =>
  Effect.map(own(subject, "intents"), (all) =>
    all.flatMap((name): ReadonlyArray<Finding> => {
      const [, kind, threadId] = change.exec(name) ?? []
      if (kind === undefined || threadId === undefined) return []
      const path = subject.disk.paths.join(subject.root, ".skein", "intents", name)
      const message = `${kind} of thread ${threadId} was begun and not finished`
      return [{ severity: "warning", code: "unfinished-change", message, threadId, path }]
    })
  )

const idOf = (name: string): string | undefined => /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/.exec(name)?.[1]

const metadata = (subject: Subject): Found =>
  Effect.gen(function* () {
    const { catalog, disk, root } = subject
    const found: Array<Finding> = []
    for (const name of yield* own(subject, "threads")) {
      const threadId = idOf(name)
      if (threadId === undefined || !name.endsWith(".json")) continue
      const path = disk.paths.join(root, ".skein", "threads", name)
      if (catalog.thread(threadId) === undefined) {
        const message = "it keeps what was said of a thread that is not there"
        found.push({ severity: "warning", code: "stray-metadata", message, threadId, path, isStray: true })
      } else if (!isObject(yield* textOf(subject, path))) {
        const message = "what is kept of the thread makes no sense: memory mode, git and host metadata are not known"
        found.push({ severity: "error", code: "unreadable-metadata", message, threadId, path, isStray: true })
      }
    }
    return found
  })

const isObject = (text: string): boolean => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

const leases = (subject: Subject): Found =>
  Effect.gen(function* () {
    const { catalog, disk, machine, now, root } = subject
    const found: Array<Finding> = []
    for (const key of yield* own(subject, "leases")) {
      const threadId = idOf(key)
      if (threadId === undefined) continue
      const path = disk.paths.join(root, ".skein", "leases", key)
      const held = (yield* own(subject, disk.paths.join("leases", key))).filter((name) => /^\d+$/.test(name))
      const holders = yield* Effect.forEach(held, (name) => textOf(subject, disk.paths.join(path, name)))
      const isOver = holders.every((text) => isEnded(text, machine, now))
      if (catalog.thread(threadId) === undefined && isOver) {
        const message = "it is the right to append to a thread that is not there"
        found.push({ severity: "warning", code: "stray-lease", message, threadId, path, isStray: true })
      } else if (held.length > 0 && isOver) {
        const message = "its holder is gone and did not give it back; whoever appends next takes it over"
        found.push({ severity: "info", code: "dead-lease", message, threadId, path })
      }
    }
    return found
  })

/** Whether a lease no longer keeps anybody from anything. */
const isEnded = (text: string, machine: Knowledge, now: number): boolean => {
  try {
    const { expiresAt, process } = JSON.parse(text) as { readonly expiresAt: number; readonly process: Process }
    return machine.isGone(process) || now >= expiresAt
  } catch {
    return true
  }
}

/** How long a temporary file is left alone: its writer may still be at it. In milliseconds. */
const patience = 60 * 60 * 1000

/** Names of temporary files that Skein makes. */
const temporary =
  /\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$|^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/

const temporaries = (subject: Subject): Found =>
  Effect.gen(function* () {
    const { disk, now, root } = subject
    const found: Array<Finding> = []
    const look = (folder: string, left: number): Effect.Effect<void> =>
      Effect.gen(function* () {
        for (const name of yield* Effect.orElseSucceed(Disk.list(disk, folder), () => [])) {
          const path = disk.paths.join(folder, name)
          const isOurs = temporary.test(name)
          if (!isOurs && (left === 0 || /\.(jsonl|zst|json)$/.test(name) || name.startsWith("backup-"))) continue
          const facts = yield* Effect.orElseSucceed(Disk.look(disk, path), () => undefined)
          if (facts?.type === "Directory" && !(yield* Effect.isSuccess(disk.fs.readLink(path))))
            yield* look(path, left - 1)
          if (!isOurs || facts?.type !== "File" || now - facts.mtimeMs < patience) continue
          const message = "it was being written when its process ended; nobody needs it"
          found.push({ severity: "warning", code: "left-temporary", message, path, isStray: true })
        }
      })
    yield* look(root, 0)
    for (const folder of ["sessions", "archived_sessions", ".skein"]) yield* look(disk.paths.join(root, folder), 5)
    return found
  })
