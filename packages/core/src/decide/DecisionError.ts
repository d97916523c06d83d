/**
 * Why a command comes to no records. A decision that fails records nothing.
 *
 * There are three kinds: the command itself is wrong ({@link InvalidRequest}), it names something that is not there
 * ({@link NotFound}), or the thread is in no state for it ({@link Conflict}). `reason` tells cases apart within a kind;
 * the texts are for people.
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"

/** What a {@link InvalidRequest} found wrong. */
export type Invalid =
  /** Nothing where something is needed. */
  | "empty"
  /** A number or a length outside of what is allowed. */
  | "out-of-range"
  /** No value of the shape that is asked for. */
  | "malformed"
  /** A `null` where none can be stored. */
  | "null"
  /** The same id or name twice. */
  | "duplicate"
  /** Parts of the command that exclude each other, or one that needs another. */
  | "contradictory"
  /** Something that this version cannot write. */
  | "unsupported"

/** What state a {@link Conflict} ran into. */
export type State =
  /** The log has no header, so nobody knows which thread it is. */
  | "no-header"
  /** A turn runs that has to end first. */
  | "turn-active"
  /** No turn runs. */
  | "no-active-turn"
  /** Another turn runs than the command expects. */
  | "other-turn"
  /** The id was that of another turn. */
  | "turn-id-taken"
  /** The turn that runs takes no input: a review or a compaction. */
  | "not-steerable"
  /** The folded state does not reach back far enough. */
  | "not-loaded"
  /** The path is that of another living agent. */
  | "path-taken"
  /** The agent is one to which this is not done. */
  | "not-allowed"
  /** The thread is kept in a form that has no such record. */
  | "history-mode"

/** What a {@link NotFound} looked for. */
export type Thing = "turn" | "agent" | "message"

interface Fields<Reason> {
  /** The part of the command that is at fault, with dots between the keys. */
  readonly field: string
  readonly reason: Reason
  /** What is wrong, in words. */
  readonly detail: string
  /** What to do about it. */
  readonly advice: string
}

/** The command is wrong whatever the thread. */
export class InvalidRequest extends Data.TaggedError("InvalidRequest")<Fields<Invalid>> {
  override get message(): string {
    return text(this)
  }
}

/** The command is right, but not for the state that the thread is in. */
export class Conflict extends Data.TaggedError("Conflict")<Fields<State>> {
  override get message(): string {
    return text(this)
  }
}

/** The command names something that the thread does not have, or no more. */
export class NotFound extends Data.TaggedError("NotFound")<Fields<Thing>> {
  override get message(): string {
    return text(this)
  }
}

/** Why a command comes to no records. */
export type DecisionError = InvalidRequest | Conflict | NotFound

const text = ({ advice, detail, field }: Fields<string>): string => `${field}: ${detail}. ${advice}`

/** The failed decision of a command that is wrong. */
export const invalid = (
  field: string,
  reason: Invalid,
  detail: string,
  advice: string
): Either.Either<never, DecisionError> => Either.left(new InvalidRequest({ field, reason, detail, advice }))

/** The failed decision of a command that the state does not allow. */
export const conflict = (
  field: string,
  reason: State,
  detail: string,
  advice: string
): Either.Either<never, DecisionError> => Either.left(new Conflict({ field, reason, detail, advice }))

/** The failed decision of a command that names what is not there. */
export const notFound = (
  field: string,
  reason: Thing,
  detail: string,
  advice: string
): Either.Either<never, DecisionError> => Either.left(new NotFound({ field, reason, detail, advice }))
