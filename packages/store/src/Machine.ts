/**
 * Which process this is, and whether another one is gone: what a lease needs to be taken over from the dead at once, and
 * from the living never before its time.
 */
import { readFileSync, readlinkSync } from "node:fs"
import { hostname } from "node:os"
import { Context } from "effect"

/** A process, so that no other one is taken for it: not on another host, after a restart, or with its number reused. */
export interface Process {
  readonly host: string
  /** Which run of the host's system; empty where it does not tell. */
  readonly boot: string
  /** Which space of process numbers, where containers have their own; empty where the system does not tell. */
  readonly space: string
  readonly pid: number
  /** When it started, as the system counts; empty where it does not tell. */
  readonly start: string
}

/** Whether a value that was read says which process it means. */
export const isProcess = (value: unknown): value is Process => {
  if (typeof value !== "object" || value === null) return false
  const { boot, host, pid, space, start } = value as Partial<Process>
  return typeof pid === "number" && [host, boot, space, start].every((part) => typeof part === "string")
}

/** Whether two are one. */
export const isSame = (left: Process, right: Process): boolean =>
  left.host === right.host &&
  left.boot === right.boot &&
  left.space === right.space &&
  left.pid === right.pid &&
  left.start === right.start

/** What the machine knows of processes. */
export interface Knowledge {
  readonly self: Process
  /** Whether several processes may share a home here. */
  readonly isShared: boolean
  /** Whether a process has certainly ended. False where nobody can tell. */
  readonly isGone: (process: Process) => boolean
  /**
   * Milliseconds that never go back, whatever clock a test sets: how long others had to do something. A test that wants
   * every check to be made lets it run fast.
   */
  readonly elapsed: () => number
}

const textOf = (read: () => string): string => {
  try {
    return read().trim()
  } catch {
    return ""
  }
}

/** Field 22 of `/proc/<pid>/stat`: clock ticks between the start of the system and that of the process. */
const startOf = (pid: number): string =>
  textOf(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The name of the program, in brackets, may hold blanks and brackets.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
  })

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Not ours to signal, but there.
    return (error as { readonly code?: unknown }).code === "EPERM"
  }
}

/** What the system of this process tells. */
export const node = (): Knowledge => {
  const self: Process = {
    host: hostname(),
    boot: textOf(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8")),
    space: textOf(() => readlinkSync("/proc/self/ns/pid")),
    pid: process.pid,
    start: startOf(process.pid)
  }
  return {
    self,
    isShared: process.platform !== "win32",
    elapsed: () => performance.now(),
    isGone: (other) => {
      if (other.host !== self.host) return false
      if (other.boot !== "" && self.boot !== "" && other.boot !== self.boot) return true
      if (other.boot !== self.boot || other.space !== self.space) return false
      if (!isAlive(other.pid)) return true
      const start = startOf(other.pid)
      return start !== "" && other.start !== "" && start !== other.start
    }
  }
}

/** The machine; tests may put another one in its place. */
export class Machine extends Context.Reference<Machine>()("@skein/store/Machine", {
  defaultValue: (): Knowledge => node()
}) {}
