/**
 * Lease files: where they lie, what they are called, what they say, and what that means. How they are taken is in `Lease`.
 */
import type { PlatformError } from "@effect/platform/Error"
import type { Knowledge, Process } from "@skein/store/Machine"
import * as Machine from "@skein/store/Machine"
import { type Clock, Effect } from "effect"
import * as Disk from "./Disk.js"
import * as Instances from "./Instances.js"

/** What leases are taken with. */
export interface Leases {
  readonly disk: Disk.Disk
  readonly clock: Clock.Clock
  readonly machine: Knowledge
  /** Names this store among those of its process. */
  readonly instance: string
  /** The home. */
  readonly root: string
  readonly folder: string
}

/**
 * What a lease is for. `brief`: for an append and what follows at once; others wait for it. `kept`: until its holder gives
 * it back; others are refused.
 */
export type Kind = "brief" | "kept"

/** The content of a lease file. */
export interface Written {
  readonly instance: string
  readonly process: Process
  readonly name: string
  readonly kind: Kind
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** The folder of a key. */
export const folderOf = ({ disk, folder }: Leases, key: string): string => disk.paths.join(folder, key)
/** The file of a lease. */
export const fileOf = (leases: Leases, key: string, fence: number): string =>
  leases.disk.paths.join(folderOf(leases, key), String(fence))

/** The names of files that are no leases: somebody waits; a file that is being taken over; words for the next one. */
export const waiting = "wait"
export const old = ".old"
export const noted = "note"

/** Where the old name of a file that is taken over is kept for the time. */
export const markOf = (leases: Leases, key: string, fence: number): string => `${fileOf(leases, key, fence)}${old}`

/** A lease as its name tells. */
export interface Listed {
  readonly fence: number
  readonly isFree: boolean
}

/** The leases among the names of a folder. */
export const parse = (names: ReadonlyArray<string>): ReadonlyArray<Listed> =>
  names.flatMap((name) => {
    const [, fence, free] = /^(\d{1,15})(\.free)?$/.exec(name) ?? []
    return fence === undefined ? [] : [{ fence: Number(fence), isFree: free !== undefined }]
  })

/** The one that counts. */
export const newestOf = (all: ReadonlyArray<Listed>): Listed | undefined => {
  let newest: Listed | undefined
  for (const one of all) {
    if (newest === undefined || one.fence > newest.fence || (one.fence === newest.fence && one.isFree)) newest = one
  }
  return newest
}

/** What a lease file says; undefined when it is gone. One that makes no sense was cut off when the power went. */
export const read = (leases: Leases, key: string, fence: number): Effect.Effect<Written | undefined, PlatformError> =>
  leases.disk.fs.readFileString(fileOf(leases, key, fence)).pipe(
    Effect.map(parseWritten),
    Effect.catchIf(Disk.isMissing, () => Effect.succeed(undefined))
  )

const nobody: Written = {
  instance: "",
  process: { host: "", boot: "", space: "", pid: 0, start: "" },
  name: "a process that is gone",
  kind: "brief",
  expiresAt: 0
}

const parseWritten = (text: string): Written => {
  try {
    const value = JSON.parse(text) as Partial<Written> | null
    const makesSense = Machine.isProcess(value?.process) && typeof value?.expiresAt === "number"
    return makesSense ? { ...nobody, ...value } : nobody
  } catch {
    return nobody
  }
}

/** What is known of the holder of a lease that was not given back. */
export const judge = (leases: Leases, { expiresAt, instance, process }: Written): "own" | "gone" | "late" | "live" => {
  const { clock, machine } = leases
  if (instance === leases.instance) return "own"
  if (instance === "" || machine.isGone(process)) return "gone"
  // Of this very process, but of a store that is closed.
  if (Machine.isSame(machine.self, process) && !Instances.isOpen(instance)) return "gone"
  return clock.unsafeCurrentTimeMillis() >= expiresAt ? "late" : "live"
}
