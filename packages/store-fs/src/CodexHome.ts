/**
 * Where rollouts lie: the folders and names of a Codex home (rollout-format §1).
 */
import { FileSystem, Path } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import { Effect } from "effect"
import type { FileRefused } from "./FileError.js"
import * as FileError from "./FileError.js"

/** What a rollout's file name says. */
export interface RolloutName {
  /** `YYYY-MM-DDThh-mm-ss`, as written; the writer's local time. */
  readonly time: string
  readonly threadId: string
  /** Set in the further files of a reverted thread. */
  readonly segmentId: string | undefined
  readonly compressed: boolean
}

const namePattern =
  /^rollout-(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2})-([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?:_([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}))?\.jsonl(\.zst)?$/

/** What a file name says, or undefined when it is no rollout's (rollout-format §1.1, since-july). */
export const parseName = (name: string): RolloutName | undefined => {
  const match = namePattern.exec(name)
  if (match === null) return undefined
  const [, time = "", threadId = "", segmentId, compressed] = match
  return {
    time,
    threadId: threadId.toLowerCase(),
    segmentId: segmentId?.toLowerCase(),
    compressed: compressed !== undefined
  }
}

/**
 * The time of a file name: `YYYY-MM-DDThh-mm-ss` in local time, as the reference writes it. Which file of a thread is the
 * newest is told by these names, so all programs of a machine have to go by one clock.
 *
 * @param moment Milliseconds since 1970.
 */
export const timeOf = (moment: number): string => {
  const date = new Date(moment)
  const parts = [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()]
  const [month, day, hour, minute, second] = parts.map((part) => String(part).padStart(2, "0"))
  return `${String(date.getFullYear()).padStart(4, "0")}-${month}-${day}T${hour}-${minute}-${second}`
}

/** The moment that the time of a file name means, in milliseconds since 1970; the inverse of {@link timeOf}. */
export const momentOf = (time: string): number => {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = time.split(/[-T]/).map(Number)
  const date = new Date(year, month - 1, day, hour, minute, second)
  // `Date` takes the years 0 to 99 for those of the last century.
  if (year < 100) date.setFullYear(year)
  return date.getTime()
}

/** The next time that a name can have. By its digits, not by the clock, which may be set back in between. */
export const later = (time: string): string => shifted(time, 1)

/** The time before it. */
export const earlier = (time: string): string => shifted(time, -1)

const shifted = (time: string, seconds: number): string => {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = time.split(/[-T]/).map(Number)
  const moment = new Date(Date.UTC(year, month - 1, day, hour, minute, second + seconds))
  return moment.toISOString().slice(0, 19).replaceAll(":", "-")
}

/** The folder of a day below `sessions`: `YYYY/MM/DD`. */
export const dayOf = (time: string): string => time.slice(0, 10).replaceAll("-", "/")

/** The name of a rollout; without a segment that of a thread's first file. */
export const fileName = (time: string, threadId: string, segmentId: string | undefined): string =>
  `rollout-${time}-${threadId}${segmentId === undefined ? "" : `_${segmentId}`}.jsonl`

/** The name under which a rollout is known whether it is compressed or not. */
export const logical = (path: string): string => (path.endsWith(".zst") ? path.slice(0, -4) : path)

/** Orders the files of a thread as they were made: by the time of the name, then by segment (since-july). */
export const compare = (
  left: Pick<RolloutName, "time" | "segmentId">,
  right: Pick<RolloutName, "time" | "segmentId">
): number => {
  if (left.time !== right.time) return left.time < right.time ? -1 : 1
  const [a, b] = [left.segmentId ?? "", right.segmentId ?? ""]
  return a < b ? -1 : a > b ? 1 : 0
}

/** A rollout file found in a home. */
export interface Found extends RolloutName {
  readonly path: string
}

/**
 * The home that a rollout lies in: the folder above the nearest `sessions` or `archived_sessions`. Undefined when the
 * file lies outside of one.
 */
export const containing = (path: string): Effect.Effect<string | undefined, never, Path.Path> =>
  Effect.map(Path.Path, (paths) => {
    let folder = paths.dirname(paths.resolve(path))
    for (;;) {
      const name = paths.basename(folder)
      const parent = paths.dirname(folder)
      if (name === "sessions" || name === "archived_sessions") return parent
      if (parent === folder) return undefined
      folder = parent
    }
  })

/** Told of a folder that is there but cannot be listed, so that what lies in it is not taken for absent. */
export type Unlisted = (refused: FileRefused) => void

/**
 * Every rollout of a home, active and archived, in order of path. A plain file hides the compressed one of the same
 * name; links to folders are not followed. Cost: one listing a folder; no file is opened.
 */
export const rollouts = (
  home: string,
  unlisted?: Unlisted
): Effect.Effect<ReadonlyArray<Found>, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const paths = yield* Path.Path
    const found = new Map<string, Found>()
    for (const root of ["sessions", "archived_sessions"]) {
      for (const { path, ...name } of yield* below(paths.join(home, root), 5, unlisted)) {
        const key = logical(path)
        const known = found.get(key)
        if (known === undefined || known.compressed) found.set(key, { ...name, path })
      }
    }
    return [...found.values()].sort((left, right) => (left.path < right.path ? -1 : 1))
  })

/**
 * The files below a folder, down to a depth, that are named as rollouts are, in order of name. Links to folders are not
 * followed. Cost: one listing a folder.
 */
export const below = (
  folder: string,
  depth: number,
  unlisted?: Unlisted
): Effect.Effect<ReadonlyArray<Found>, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const names = yield* fs.readDirectory(folder).pipe(
      Effect.catchAll((error) =>
        Effect.sync((): Array<string> => {
          if (!isNoFolder(error)) unlisted?.(FileError.ofSystem(folder)(error))
          return []
        })
      )
    )
    const found: Array<Found> = []
    for (const name of names.sort()) {
      const path = paths.join(folder, name)
      const rollout = parseName(name)
      if (rollout !== undefined) found.push({ ...rollout, path })
      else if (depth > 0 && !(yield* isLink(path))) found.push(...(yield* below(path, depth - 1, unlisted)))
    }
    return found
  })

/** Whether nothing lies at a path, or something else than a folder: then there is nothing to list. */
const isNoFolder = (error: PlatformError): boolean =>
  error._tag === "SystemError" && (error.reason === "NotFound" || error.reason === "BadResource")

/** Whether a path is a link. Following links to folders could lead in circles. */
export const isLink = (path: string): Effect.Effect<boolean, never, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.isSuccess(fs.readLink(path)))

/**
 * The file that an id names as a base (since-july): the segment of that id, else the first file of that thread, the
 * one without a segment in its name. `among` are the rollouts of the home.
 */
export const baseFile = (among: ReadonlyArray<Found>, id: string): Found | undefined => {
  const wanted = id.toLowerCase()
  return (
    among.find((file) => file.segmentId === wanted) ??
    among.find((file) => file.threadId === wanted && file.segmentId === undefined)
  )
}
