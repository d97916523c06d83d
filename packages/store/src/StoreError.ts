/**
 * What can go wrong with a store. Few kinds, told apart by their tags and never by their words; each says what was
 * asked, what is wrong and what to do.
 */
import { Data } from "effect"
import type { Position } from "./Position.js"
import * as Positions from "./Position.js"

/** There is no thread of this id; or none where it was looked for (thread-store §1.2). */
export class ThreadNotFound extends Data.TaggedError("ThreadNotFound")<{ readonly threadId: string }> {
  override get message(): string {
    return `There is no thread ${this.threadId}. Check the id; list the threads of this store to see which there are.`
  }
}

/** A thread of this id is there already. Nothing was written. */
export class ThreadAlreadyExists extends Data.TaggedError("ThreadAlreadyExists")<{ readonly threadId: string }> {
  override get message(): string {
    return `Thread ${this.threadId} exists already. Append to it, or create one with another id.`
  }
}

/**
 * Why an append was refused: `position`: the log does not end where the caller expected; `grown`, `superseded`,
 * `moved`, `compressed`, `deleted`: a program that takes no lease changed the thread's files in the meantime.
 */
export type ConflictReason = "position" | "grown" | "superseded" | "moved" | "compressed" | "deleted"

/** The log is not where the caller thought it was. Nothing was written: read what is new, decide again, append again. */
export class AppendConflict extends Data.TaggedError("AppendConflict")<{
  readonly threadId: string
  readonly reason: ConflictReason
  readonly expected: Position
  /** Where the log ends; undefined when the thread went away. */
  readonly actual: Position | undefined
}> {
  override get message(): string {
    const actual = this.actual === undefined ? "is gone" : `ends at ${Positions.format(this.actual)}`
    const expected = Positions.format(this.expected)
    return `Thread ${this.threadId} ${actual}, not at ${expected} (${this.reason}). Read on from there and append again.`
  }
}

/** Who may append, as far as is known. */
export interface Holder {
  /** Words for people: which process of which host. */
  readonly name: string
  readonly fence: number
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/**
 * Somebody else has the right to append, or took it over after this lease ran out. Nothing was acknowledged; of a batch
 * that was being written when the lease was taken over, all or nothing is there (an `operationId` tells which).
 */
export class LeaseHeld extends Data.TaggedError("LeaseHeld")<{
  readonly threadId: string
  readonly holder: Holder
}> {
  override get message(): string {
    const until = new Date(this.holder.expiresAt).toISOString()
    return `Thread ${this.threadId} is held by ${this.holder.name} until ${until}. Wait, or close it there.`
  }
}

/** The thread is kept in a way that this version does not know. It can be listed, archived and deleted, not read. */
export class UnsupportedHistoryMode extends Data.TaggedError("UnsupportedHistoryMode")<{
  readonly threadId: string
  readonly historyMode: string
}> {
  override get message(): string {
    return `Thread ${this.threadId} has the history mode ${JSON.stringify(this.historyMode)}, which this version does not know. Use the program that wrote it, or a newer Skein.`
  }
}

/** A request that makes no sense as it was put. Nothing was done. */
export class InvalidRequest extends Data.TaggedError("InvalidRequest")<{
  readonly field: string
  readonly reason: string
  readonly advice: string
}> {
  override get message(): string {
    return `${this.field}: ${this.reason}. ${this.advice}`
  }
}

/** What is stored of a thread cannot be what was written. Other threads are not touched by it. */
export class CorruptThread extends Data.TaggedError("CorruptThread")<{
  readonly threadId: string
  readonly position: Position | undefined
  readonly reason: string
}> {
  override get message(): string {
    const place = this.position === undefined ? "" : ` at ${Positions.format(this.position)}`
    return `Thread ${this.threadId} is damaged${place}: ${this.reason}. "skein doctor" explains and repairs what can be.`
  }
}

/** The store does not answer: files, database or disk. `retryable`: the same call may succeed later. */
export class StoreUnavailable extends Data.TaggedError("StoreUnavailable")<{
  readonly operation: string
  readonly reason: string
  readonly advice: string
  readonly retryable: boolean
  /** Files that matter for it. */
  readonly paths: ReadonlyArray<string>
  readonly cause?: unknown
}> {
  override get message(): string {
    const paths = this.paths.length === 0 ? "" : ` (${this.paths.join(", ")})`
    return `${this.operation}: ${this.reason}${paths}. ${this.advice}`
  }
}

/** What reading a thread can fail with. */
export type ReadError = ThreadNotFound | UnsupportedHistoryMode | InvalidRequest | CorruptThread | StoreUnavailable

/** What appending to a thread can fail with. */
export type AppendError = ReadError | AppendConflict | LeaseHeld

/** Everything a store can fail with. */
export type StoreError = AppendError | ThreadAlreadyExists
