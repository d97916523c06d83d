/**
 * Deleting threads (thread-store §7), and what others inherit from them.
 *
 * A thread that stands on a deleted one gets the inherited part as an earlier segment of its own: a copy under a name with
 * its own id and that of the segment, by which every reader finds it, offsets and all. Only the id in the copy's header is
 * exchanged, so that no program takes it for the deleted thread.
 */
import type { PlatformError } from "@effect/platform/Error"
import type { Removal } from "@skein/store/Driver"
import { InvalidRequest, type ReadError, StoreUnavailable } from "@skein/store/StoreError"
import { Effect } from "effect"
import * as CodexHome from "../CodexHome.js"
import type { FileRefused } from "../FileError.js"
import * as RolloutFile from "../RolloutFile.js"
import type { Rollout, ThreadFiles } from "./Catalog.js"
import * as Catalog from "./Catalog.js"
import type { AllColumns } from "./Columns.js"
import * as Disk from "./Disk.js"
import * as Fence from "./Fence.js"
import * as Header from "./Header.js"
import type { Home } from "./Home.js"
import * as Homes from "./Home.js"
import * as Intents from "./Intents.js"
import * as Lease from "./Lease.js"
import type { Rows } from "./Rows.js"
import type { Standings } from "./Standing.js"
import * as Standing from "./Standing.js"

/** What it works with. */
export interface Parts {
  readonly home: Home
  readonly columns: AllColumns
  readonly standings: Standings
  readonly rows: Rows
}

/** A thread that inherits from one that is to be deleted: how much of which of its segments. */
interface Heir {
  readonly files: ThreadFiles
  /** Bytes, by segment. */
  readonly needs: Map<string, number>
}

/** Deletes a thread; see `Driver.remove`. */
export const begin = (
  parts: Parts,
  files: ThreadFiles,
  shared: "keep" | "materialise" | "refuse"
): Effect.Effect<Removal, ReadError> =>
  Effect.gen(function* () {
    const { home } = parts
    const { threadId } = files
    const heirs = yield* heirsOf(parts, files)
    if (heirs.length > 0 && shared !== "materialise") {
      const names = heirs.map((heir) => heir.files.threadId).join(", ")
      return yield* Effect.fail(
        new InvalidRequest({
          field: "shared",
          reason: `${names} stand on thread ${threadId}, and files cannot keep what belongs to no thread`,
          advice: "Delete those first, or let them have a copy of what they inherit (materialise)."
        })
      )
    }
    const intent: Intents.Intent = { kind: "delete", threadId }
    yield* Intents.declare(home, intent).pipe(Effect.mapError(failed(home, threadId)))
    home.deleting.add(threadId)
    yield* run(parts, intent)
    return { kept: [] }
  })

const failed = (home: Home, threadId: string) =>
  Disk.unavailable("deleting a thread", home.catalog.thread(threadId)?.head.path ?? home.root)

/** Does what an intent says, from its beginning or from wherever it was left. */
export const run = (
  parts: Parts,
  intent: Extract<Intents.Intent, { readonly kind: "delete" }>
): Effect.Effect<void, ReadError> =>
  Effect.gen(function* () {
    const { columns, home, rows } = parts
    const { catalog, disk } = home
    const { threadId } = intent
    // Nobody gives a file of the thread its old name any more who began to before this was said.
    yield* revoke(home, threadId)
    // Whoever archives it beside this moves its files on: nothing of it is left once a look at everything finds nothing.
    for (let left = looks; ; left--) {
      yield* catalog.walk
      yield* preventNames(home, threadId)
      const files = catalog.thread(threadId)
      if (files === undefined) break
      if (left === 0) return yield* Effect.fail(moving(files.head.path))
      yield* removeAll(parts, files).pipe(
        Effect.catchTag("ThreadNotFound", (error) => (left > 1 ? Effect.void : Effect.fail(error)))
      )
    }
    yield* columns.remove(threadId)
    yield* rows.forget(threadId)
    yield* Effect.gen(function* () {
      yield* Fence.revoke(home, threadId)
      yield* Lease.forget(home.leases, threadId)
      yield* Intents.settle(home, intent)
      yield* Disk.syncFolder(disk, home.root)
    }).pipe(Effect.mapError((error) => (error._tag === "StoreUnavailable" ? error : failed(home, threadId)(error))))
    home.deleting.delete(threadId)
  })

/** Gives those who stand on a thread what they need of it, and removes its files. */
const removeAll = (parts: Parts, files: ThreadFiles): Effect.Effect<void, ReadError> =>
  Effect.gen(function* () {
    const { home } = parts
    for (let left = looks; !(yield* provide(parts, files)); left--) {
      if (left === 0) return yield* Effect.fail(moving(files.head.path))
      yield* home.catalog.walk
    }
    yield* removeFiles(home, files).pipe(Effect.mapError(failed(home, files.threadId)))
  })

/**
 * Gives all heirs of a thread what they need. False when one of them turned out to be going: those who stand on it need it
 * instead, and were not looked for behind it.
 */
const provide = (parts: Parts, files: ThreadFiles): Effect.Effect<boolean, ReadError> =>
  Effect.gen(function* () {
    const heirs = yield* heirsOf(parts, files)
    // Copies of one segment are of one length, so that it does not matter which of them is found.
    const lengths = new Map<string, number>()
    for (const { needs } of heirs) {
      for (const [id, length] of needs) lengths.set(id, Math.max(length, lengths.get(id) ?? 0))
    }
    for (const heir of heirs) if (!(yield* bequeath(parts.home, files, heir, lengths))) return false
    return true
  })

/**
 * Takes away files that have no name yet and must not get one any more: what is to become a fork of the thread
 * (`Segments`), and what others make for the thread itself, such as its copy of what it inherits from one that is deleted
 * beside it. Whatever got its name before that is known when this returns.
 */
const preventNames = (home: Home, threadId: string): Effect.Effect<void, StoreUnavailable> =>
  Effect.gen(function* () {
    const { catalog, disk } = home
    let isAny = false
    for (const path of catalog.temporaries()) {
      const [, name = ""] = made.exec(disk.paths.basename(path)) ?? []
      const rollout = CodexHome.parseName(name)
      if (rollout === undefined) continue
      const isIts = rollout.threadId === threadId
      if (!isIts && (rollout.segmentId !== undefined || !(yield* standsOn(home, path, threadId)))) continue
      isAny = true
      yield* Effect.mapError(Disk.remove(disk, path), failed(home, threadId))
    }
    if (isAny) yield* catalog.walk
  })

/** The name of a rollout that is being made, followed by who makes it. */
const made = /^(rollout-.*\.jsonl)\.[0-9a-f-]{36}\.tmp$/

/** Whether a file is to stand on a thread. One that is not written yet looks by itself before it gets its name. */
const standsOn = (home: Home, path: string, threadId: string): Effect.Effect<boolean> =>
  Effect.scoped(
    Effect.gen(function* () {
      const file = yield* RolloutFile.open(path, { ends: true }).pipe(Effect.provide(home.context))
      const base = Header.base(yield* Header.read(RolloutFile.source(file)))
      const segments = home.catalog.thread(threadId)?.segments ?? []
      return segments.some((one) => Catalog.segmentId(one) === base?.segmentId)
    })
  ).pipe(Effect.orElseSucceed(() => false))

const revoke = (home: Home, threadId: string): Effect.Effect<void, StoreUnavailable> =>
  Effect.mapError(Fence.revoke(home, threadId), (error) =>
    error._tag === "StoreUnavailable" ? error : failed(home, threadId)(error)
  )

/** The newest one last: as long as it is there, the thread is found. */
const removeFiles = (home: Home, files: ThreadFiles): Effect.Effect<void, PlatformError> =>
  Effect.gen(function* () {
    const { catalog, disk } = home
    const folders = new Set<string>()
    for (const file of [...files.all].sort(
      (left, right) => Number(left === files.head) - Number(right === files.head)
    )) {
      yield* Disk.remove(disk, file.path)
      catalog.drop(file.path)
      folders.add(file.folder)
    }
    for (const folder of folders) yield* Disk.syncFolder(disk, folder)
  })

/** How often something is looked for that others move. */
const looks = 8

/**
 * The threads that stand on segments of this one, and how much of each they need: theirs, and what those stand on. Who
 * stands on a thread that is being deleted as well gets what that one would have got.
 *
 * Cost: the first line of every file of the home that was not read before.
 */
const heirsOf = (
  parts: Parts,
  files: ThreadFiles,
  left = looks
): Effect.Effect<ReadonlyArray<Heir>, StoreUnavailable> =>
  Effect.gen(function* () {
    const { home } = parts
    const before = home.catalog.revision()
    const begun = yield* Effect.mapError(Intents.threads(home, "delete"), failed(home, files.threadId))
    const isGoing = (threadId: string) => begun.has(threadId) || home.deleting.has(threadId)
    const again = (path: string) =>
      left === 0 ? Effect.fail(moving(path)) : Effect.suspend(() => heirsOf(parts, files, left - 1))
    const heirs: Array<Heir> = []
    for (const other of home.catalog.threads()) {
      if (other.threadId === files.threadId || isGoing(other.threadId)) continue
      const needs = new Map<string, number>()
      for (const segment of other.segments) {
        const seen = new Set<string>()
        let read = yield* baseOf(parts, segment)
        for (let file = segment; ; ) {
          if (read.isGone) {
            yield* home.catalog.walk
            // Moved since it was listed. Nobody knows what it needs, which is not to pass for nothing.
            if (home.catalog.revision() !== before) return yield* again(file.path)
          }
          const { base } = read
          if (base === undefined || seen.has(base.segmentId)) break
          seen.add(base.segmentId)
          const found = home.catalog.base(base.segmentId, other.threadId)
          if (found?.threadId === files.threadId) {
            needs.set(base.segmentId, Math.max(base.offset, needs.get(base.segmentId) ?? 0))
          } else if (found === undefined || !isGoing(found.threadId)) break
          file = found
          read = yield* baseOf(parts, found)
        }
      }
      if (needs.size > 0) heirs.push({ files: other, needs })
    }
    return heirs
  })

const moving = (path: string): StoreUnavailable =>
  Disk.disturbed("deleting a thread", "files are moved all the time, and what others inherit is not known", path)

const unread = (path: string, { advice, detail }: FileRefused): StoreUnavailable =>
  new StoreUnavailable({
    operation: "deleting a thread",
    reason: `whether another thread inherits from it cannot be read: ${detail}`,
    advice,
    retryable: true,
    paths: [path]
  })

/** What a file stands on; `isGone`: it is not where it was when it was listed. */
const baseOf = ({ home, standings }: Parts, file: Rollout) =>
  Effect.gen(function* () {
    const facts = yield* Disk.look(home.disk, file.path).pipe(Effect.mapError(failed(home, file.threadId)))
    if (facts === undefined) return { base: undefined, isGone: true }
    if (facts.type !== "File") return { base: undefined, isGone: false }
    const opening = yield* Effect.either(standings.opening(file.path, facts))
    if (opening._tag === "Right") return { base: opening.right.base, isGone: false }
    const { path, reason } = opening.left
    if (reason === "io") return yield* Effect.fail(unread(path, opening.left))
    return { base: undefined, isGone: reason === "missing" }
  })

/** Gives a thread its copies; those that it has are left as they are. False when it is going, and gets none. */
const bequeath = (
  home: Home,
  files: ThreadFiles,
  heir: Heir,
  lengths: ReadonlyMap<string, number>
): Effect.Effect<boolean, ReadError> =>
  Effect.gen(function* () {
    const [first] = heir.files.segments
    // A loss of power must not leave the copies of an heir that it takes away.
    for (const folder of new Set(heir.files.segments.map((file) => file.folder))) {
      yield* Effect.mapError(Disk.syncFolder(home.disk, folder), failed(home, files.threadId))
    }
    for (const id of heir.needs.keys()) {
      const length = lengths.get(id) ?? 0
      const source = files.segments.find((file) => Catalog.segmentId(file) === id)
      if (source === undefined || first === undefined) continue
      // Older than every file of its own: which one is the newest must not change.
      const time = source.time < first.time ? source.time : CodexHome.earlier(first.time)
      const folder = first.isArchived ? Homes.archiveFolder(home) : Homes.sessionsFolder(home, time)
      const path = home.disk.paths.join(folder, CodexHome.fileName(time, heir.files.threadId, id))
      const isGoing = going(home, heir.files)
      const isMade = yield* copy(home, source, path, length, heir.files.threadId, isGoing).pipe(
        Effect.catchAll((error) =>
          Effect.gen(function* () {
            // Whoever deletes the heir took the copy away before it had its name.
            if (error._tag !== "FileRefused" && Disk.isMissing(error) && (yield* isGoing)) return false
            return yield* Effect.fail(error)
          })
        ),
        Effect.mapError((error) =>
          error._tag === "FileRefused"
            ? Standing.readError(files.threadId, error)
            : Disk.unavailable("deleting a thread", source.path, path)(error)
        )
      )
      if (!isMade) return false
      home.catalog.add(path)
    }
    return true
  })

/** Whether an heir is being deleted, or is gone: a copy of its own would stand for it. */
const going = (home: Home, { head, threadId }: ThreadFiles): Effect.Effect<boolean, PlatformError> =>
  Effect.gen(function* () {
    if ((yield* Intents.threads(home, "delete")).has(threadId)) return true
    if ((yield* Disk.look(home.disk, head.path)) !== undefined) return false
    yield* Effect.ignore(home.catalog.walk)
    return home.catalog.problem() === undefined && home.catalog.thread(threadId) === undefined
  })

/** Gives whether there is one now: none is made for an heir that is going. */
const copy = (
  home: Home,
  source: Rollout,
  path: string,
  length: number,
  threadId: string,
  isGoing: Effect.Effect<boolean, PlatformError>
): Effect.Effect<boolean, PlatformError | FileRefused> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { disk } = home
      const file = yield* RolloutFile.open(source.path, { decodedLimit: home.decodedLimit }).pipe(
        Effect.provide(home.context)
      )
      yield* Disk.makeFolder(disk, disk.paths.dirname(path))
      const made = yield* Disk.temporary(disk, path, home.instance)
      const end = yield* endOf(file, length)
      for (let at = 0; at < end; ) {
        const bytes = yield* file.read(at, Math.min(end - at, 1024 * 1024))
        if (bytes.length === 0) break
        yield* made.file.writeAll(at === 0 ? renamed(bytes, source.threadId, threadId) : bytes)
        at += bytes.length
      }
      yield* Disk.sync(disk, made.file)
      // Only now: a deletion of the heir that begins later finds the copy, with a name or without.
      if (yield* isGoing) return false
      // One that somebody made before who died may not be durable yet, and what it was copied from is about to go.
      if (!(yield* Disk.install(disk, made.path, path))) yield* Disk.syncFolder(disk, disk.paths.dirname(path))
      return true
    })
  )

/**
 * Where a copy ends: behind the header at least, without which a file says nothing. A place inside a line is none: then
 * readers go by ordinals, and need all of the file.
 */
const endOf = (file: RolloutFile.RolloutFile, length: number): Effect.Effect<number, FileRefused> =>
  Effect.gen(function* () {
    if (length >= file.size) return file.size
    let header = file.size
    yield* RolloutFile.forward(
      file,
      ({ bytes, offset }) => {
        header = offset + bytes.length + 1
        return false
      },
      { brief: true }
    )
    if (length <= header) return Math.min(header, file.size)
    const last = yield* file.read(length - 1, 1)
    return last[0] === 0x0a ? length : file.size
  })

/** The bytes of a file's beginning with another id of the thread in its header, of the same length. */
const renamed = (bytes: Uint8Array, from: string, to: string): Uint8Array => {
  const header = Buffer.from(bytes)
  const end = header.indexOf(0x0a)
  const key = Buffer.from(`"id":"${from}"`)
  const at = header.indexOf(key)
  if (at < 0 || (end >= 0 && at > end)) return bytes
  header.write(`"id":"${to}"`, at)
  return header
}
