/**
 * How a log becomes state: a first state and a step. Everything that Skein answers is one of these.
 *
 * Law: `run(fold, [...prefix, ...suffix]) = run(fold, suffix, run(fold, prefix))`, for every fold and every cut.
 */
import type { StoredRecord } from "../record/Record.js"

/**
 * A left fold over records. `step` is pure: it gives a new state and leaves the old one usable. A fold that keeps the
 * bytes of a record's line keeps a copy, since readers of files use their memory again.
 */
export interface Fold<S> {
  readonly initial: S
  readonly step: (state: S, record: StoredRecord) => S
  /**
   * A cursor from a state on, where one costs less than a step for each record. Law: it gives what the steps give.
   * Called by {@link cursor}.
   */
  readonly begin?: ((from: S) => Cursor<S>) | undefined
}

/**
 * A fold on its way through a log. Mutable and single use: most states on the way are never asked for, so it need not
 * make them. A state that it gave stays as it was when the cursor goes on.
 */
export interface Cursor<S> {
  /** Takes the next record. */
  readonly add: (record: StoredRecord) => void
  /** The state behind the records so far; may be asked at any time. */
  readonly state: () => S
}

/** The fold with this first state and step; for inference at the place where a host defines its own. */
export const make = <S>(
  initial: S,
  step: (state: S, record: StoredRecord) => S,
  begin?: ((from: S) => Cursor<S>) | undefined
): Fold<S> => ({ initial, step, begin })

/** Goes through a log from a state on, or else from the first one. Cost: one step a record, or less. */
export const cursor = <S>(fold: Fold<S>, from: S = fold.initial): Cursor<S> => {
  if (fold.begin !== undefined) return fold.begin(from)
  const { step } = fold
  let state = from
  return {
    add: (record) => {
      const next = step(state, record)
      if (next !== state) state = next
    },
    state: () => state
  }
}

/** The state after `records`, starting from `from` or else from the first state. Cost: as {@link cursor}. */
export const run = <S>(fold: Fold<S>, records: Iterable<StoredRecord>, from: S = fold.initial): S => {
  const { add, state } = cursor(fold, from)
  for (const record of records) add(record)
  return state()
}

/**
 * Every state on the way: the first one, then the state after each record. Lazy, so a reader that stops early pays
 * only for what it took; this is time travel to any position.
 */
export function* scan<S>(fold: Fold<S>, records: Iterable<StoredRecord>, from: S = fold.initial): Generator<S> {
  let state = from
  yield state
  for (const record of records) {
    state = fold.step(state, record)
    yield state
  }
}

/**
 * Several folds in one pass, their states side by side by name. The state object is new only when one of the states
 * inside it is. Cost: the steps of the folds.
 */
export const struct = <S extends Readonly<Record<string, unknown>>>(
  folds: {
    readonly [K in keyof S]: Fold<S[K]>
  }
): Fold<{ readonly [K in keyof S]: S[K] }> => {
  type States = { readonly [K in keyof S]: S[K] }
  const names: ReadonlyArray<keyof S> = Object.keys(folds)
  const all = names.map((name) => folds[name] as Fold<S[keyof S]>)
  const initial = Object.fromEntries(names.map((name) => [name, folds[name].initial])) as States
  /** The states with those of other records in place; the same object when nothing changed. */
  const replaced = (states: States, stateOf: (i: number, before: S[keyof S]) => S[keyof S]): States => {
    let next: { -readonly [K in keyof S]: S[K] } | undefined
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as keyof S
      const before = states[name]
      const after = stateOf(i, before)
      if (after === before) continue
      next ??= { ...states }
      next[name] = after
    }
    return next ?? states
  }
  return make(
    initial,
    (states, record) => replaced(states, (i, before) => (all[i] as Fold<S[keyof S]>).step(before, record)),
    (from) => {
      let states = from
      const cursors = all.map((fold, i) => cursor(fold, from[names[i] as keyof S]))
      return {
        add: (record) => {
          for (let i = 0; i < cursors.length; i++) (cursors[i] as Cursor<unknown>).add(record)
        },
        state: () => {
          states = replaced(states, (i) => (cursors[i] as Cursor<S[keyof S]>).state())
          return states
        }
      }
    }
  )
}

/** A fold that sees only the records that `keep` takes; the others leave the state as it is. */
export const filter = <S>(fold: Fold<S>, keep: (record: StoredRecord) => boolean): Fold<S> =>
  make(
    fold.initial,
    (state, record) => (keep(record) ? fold.step(state, record) : state),
    (from) => {
      const { add, state } = cursor(fold, from)
      return {
        add: (record) => {
          if (keep(record)) add(record)
        },
        state
      }
    }
  )
