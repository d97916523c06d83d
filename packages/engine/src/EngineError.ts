/**
 * What a command to a thread can fail with.
 *
 * A command that fails has recorded nothing, and the thread in memory is what its log says. Three kinds of reasons: the
 * command makes no sense or does not fit the state of the thread (`DecisionError`), the store refuses or does not answer
 * (`StoreError`), or the handle is one of the past ({@link ThreadClosed}).
 */
import type { DecisionError } from "@skein/core/decide/DecisionError"
import type { AppendError, ReadError, StoreUnavailable, ThreadAlreadyExists } from "@skein/store/StoreError"
import { Data } from "effect"

/** The thread was closed in this process: its scope ended, or it was archived or deleted. Resume it to go on. */
export class ThreadClosed extends Data.TaggedError("ThreadClosed")<{
  readonly threadId: string
  readonly operation: string
}> {
  override get message(): string {
    return `${this.operation}: thread ${this.threadId} is closed here. Resume it and use what that gives.`
  }
}

/** What a command to a live thread can fail with. */
export type CommandError = DecisionError | AppendError | ThreadClosed

/** What opening a thread can fail with. */
export type OpenError = DecisionError | AppendError

/** What making a thread can fail with. */
export type CreateError = OpenError | ThreadAlreadyExists

/** Everything that this package can fail with. */
export type EngineError = CommandError | CreateError | ReadError | StoreUnavailable
