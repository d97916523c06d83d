/**
 * How a log becomes state: a first state and a step. Everything that Skein answers is one of these.
 *
 * Law: `run(fold, [...prefix, ...suffix]) = run(fold, suffix, run(fold, prefix))`, for every fold and every cut.
 */
import type { StoredRecord } from "../record/Record.js"

/** A left fold over records. `step` is pure: it gives a new state and leaves the old one usable. */
export interface Fold<S> {
  readonly initial: S
  readonly step: (state: S, record: StoredRecord) => S
}

/** The fold with this first state and step; for inference at the place where a host defines its own. */
export const make = <S>(initial: S, step: (state: S, record: StoredRecord) => S): Fold<S> => ({ initial, step })

/** The state after `records`, starting from `from` or else from the first state. Cost: one step a record. */
export const run = <S>(fold: Fold<S>, records: Iterable<StoredRecord>, from: S = fold.initial): S => {
  let state = from
  for (const record of records) state = fold.step(state, record)
  return state
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
 * Several folds in one pass: their states by name. The state object is new only when one of the states inside it is.
 */
export const struct = <S extends object>(folds: { readonly [K in keyof S]: Fold<S[K]> }): Fold<Readonly<S>> => {
  const named = folds as Readonly<Record<string, Fold<unknown>>>
  const names = Object.keys(named)
  const parts = names.map((name) => named[name] as Fold<unknown>)
  const initial = Object.fromEntries(names.map((name, i) => [name, parts[i]?.initial])) as S
  return make<Readonly<S>>(initial, (state, record) => {
    const current = state as Readonly<Record<string, unknown>>
    let next: Record<string, unknown> | undefined
    for (let i = 0; i < parts.length; i++) {
      const name = names[i] as string
      const before = current[name]
      const after = (parts[i] as Fold<unknown>).step(before, record)
      if (after === before) continue
      next ??= { ...current }
      next[name] = after
    }
    return next === undefined ? state : (next as S)
  })
}

/** A fold that sees only the records that `keep` takes; the others leave the state as it is. */
export const filter = <S>(fold: Fold<S>, keep: (record: StoredRecord) => boolean): Fold<S> =>
  make(fold.initial, (state, record) => (keep(record) ? fold.step(state, record) : state))
