/**
 * What a decision gives: records that are not written yet, each with the moment at which it was decided.
 *
 * Nothing here counts: ordinals of paginated logs are positions and come with the append ({@link numbered}).
 */
import * as Either from "effect/Either"
import type { Fold } from "../fold/Fold.js"
import * as Sha1 from "../internal/Sha1.js"
import type { EventMsg } from "../record/EventMsg.js"
import * as Mark from "../record/Mark.js"
import type { Draft as DraftOf, Kind, Payloads } from "../record/Record.js"
import * as Record from "../record/Record.js"
import type { ResponseItem } from "../record/ResponseItem.js"
import type { DecisionError } from "./DecisionError.js"
import * as Errors from "./DecisionError.js"

/** A record that is not written yet. */
export type Draft = { readonly [K in Kind]: DraftOf<K> }[Kind]

/** What a command comes to: records in their order, to be appended all or none, or why there are none. */
export type Decision<A = ReadonlyArray<Draft>> = Either.Either<A, DecisionError>

/** What no state can tell: the moment, and something that was never there before. */
export interface Facts {
  /** The present moment in milliseconds since 1970. */
  readonly now: number
  /** A new UUID, lower case with hyphens. Ids of items that have none are derived from it. */
  readonly fresh: string
}

/** A moment as lines write it. Fractions of a millisecond go. */
export const timestamp = (now: number): string => new Date(Math.floor(now)).toISOString()

/** A moment in whole seconds since 1970, as events of turns have it. */
export const seconds = (now: number): number => Math.floor(now / 1000)

/** A record of a kind. */
export const record = <K extends Kind>(
  facts: Pick<Facts, "now">,
  type: K,
  payload: Payloads[K],
  extras?: Mark.Extras
): Draft =>
  ({
    timestamp: timestamp(facts.now),
    type,
    payload,
    ...(extras === undefined ? {} : { extras })
  }) as unknown as Draft

/** An event. */
export const event = (facts: Pick<Facts, "now">, payload: EventMsg, extras?: Mark.Extras): Draft =>
  record(facts, "event_msg", payload, extras)

/** An item of the model's history. */
export const item = (facts: Pick<Facts, "now">, payload: ResponseItem, extras?: Mark.Extras): Draft =>
  record(facts, "response_item", payload, extras)

/** Something of ours that no record of the format says; other readers see a token count without counts. */
export const own = (facts: Pick<Facts, "now">, kind: string, data: unknown): Draft =>
  event(facts, Mark.carrier, Mark.extras(kind, data))

/** An id that a decision makes up for what it calls so. The same facts give the same ids. Cost: one hash. */
export const freshId = (facts: Facts, name: string): string => Sha1.uuidV5(facts.fresh, name)

/** The drafts with the ordinals that they take in a paginated log which goes on at `next`. */
export const numbered = (drafts: ReadonlyArray<Draft>, next: number): ReadonlyArray<Draft> =>
  drafts.map((draft, i) => ({ ...draft, ordinal: next + i }))

const decode = (draft: Draft): Record.Decoded => {
  const written = Record.write(draft)
  return Record.decode({ bytes: written.subarray(0, -1), offset: 0, number: 1, terminated: true })
}

/**
 * The decision to append these drafts, if every one of them can be read back as a record of a kind that is known. What
 * hosts hand over may be anything; a line that no reader takes would be lost. Cost: writing and reading each line.
 *
 * @param field The part of the command that the drafts come from.
 */
export const check = (drafts: ReadonlyArray<Draft>, field: string): Decision => {
  for (const draft of drafts) {
    let decoded: Record.Decoded
    try {
      decoded = decode(draft)
    } catch (cause) {
      return Errors.invalid(field, "malformed", `it is no JSON (${String(cause)})`, "Give plain JSON values")
    }
    if (decoded.kind === "damage") {
      return Errors.invalid(field, "malformed", decoded.detail, "Give values of the shapes in record/")
    }
    if (decoded.kind === "unknown") {
      const { level, name } = decoded.payload
      const detail = `${level} of the kind ${JSON.stringify(name)} is not known`
      return Errors.invalid(field, "unsupported", detail, "A reader would leave it out; record it as a custom event")
    }
  }
  return Either.right(drafts)
}

/**
 * Several decisions as one batch: each is made on the state as it will be behind the ones before it, and either all of
 * them are made or none. The state that is given stays what it is. Cost: that of the decisions, and writing, reading and
 * folding each line but the last decision's.
 */
export const sequence = <S>(fold: Fold<S>, from: S, decisions: ReadonlyArray<(state: S) => Decision>): Decision => {
  const all: Array<Draft> = []
  let state = from
  for (const [i, decide] of decisions.entries()) {
    const decision = decide(state)
    if (Either.isLeft(decision)) return decision
    all.push(...decision.right)
    if (i === decisions.length - 1) break
    for (const draft of decision.right) state = fold.step(state, Record.reread(draft))
  }
  return Either.right(all)
}
