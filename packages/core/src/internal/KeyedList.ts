/**
 * A persistent list whose elements have an id, found by it without a search.
 *
 * All states of a list share one table of hints: where an id was ever put. A state checks each hint against its own
 * elements, so what other states put there does no harm.
 */
import * as PersistentList from "./PersistentList.js"

/** Where each id was ever put: one index as it is, several in ascending order, each once. */
type Hints = Map<string, number | Array<number>>

/** A list of elements with ids; the same id may stand more than once. */
export interface KeyedList<A extends { readonly id: string }> {
  readonly elements: PersistentList.PersistentList<A>
  readonly hints: Hints | undefined
}

/** The list without elements. */
export const empty: KeyedList<never> = { elements: PersistentList.empty, hints: undefined }

/** Lists up to this length are searched: most turns have a handful of items, and a table for each would cost more. */
const searched = 16

/** How many elements there are. */
export const length = <A extends { readonly id: string }>(list: KeyedList<A>): number => list.elements.length

/** The element at an index. */
export const get = <A extends { readonly id: string }>(list: KeyedList<A>, index: number): A | undefined =>
  PersistentList.get(list.elements, index)

/** The last element. */
export const last = <A extends { readonly id: string }>(list: KeyedList<A>): A | undefined =>
  PersistentList.get(list.elements, list.elements.length - 1)

/** The index of the first element with this id, or -1. Cost: constant on average. */
export const indexOf = <A extends { readonly id: string }>(list: KeyedList<A>, id: string): number => {
  const { elements, hints } = list
  if (hints === undefined) {
    for (let i = 0; i < elements.length; i++) if (PersistentList.get(elements, i)?.id === id) return i
    return -1
  }
  const known = hints.get(id)
  if (known === undefined) return -1
  if (typeof known === "number") return PersistentList.get(elements, known)?.id === id ? known : -1
  for (const index of known) if (PersistentList.get(elements, index)?.id === id) return index
  return -1
}

/** The list with one more element at its end. */
export const push = <A extends { readonly id: string }>(list: KeyedList<A>, value: A): KeyedList<A> => {
  const index = list.elements.length
  const elements = PersistentList.push(list.elements, value)
  let { hints } = list
  if (hints !== undefined) hint(hints, value.id, index)
  else if (elements.length > searched) {
    hints = new Map()
    for (const [i, { id }] of PersistentList.toArray(elements).entries()) hint(hints, id, i)
  }
  return { elements, hints }
}

/** Notes where an id was put. A new place is nearly always behind all others. */
const hint = (hints: Hints, id: string, index: number): void => {
  const known = hints.get(id)
  if (known === undefined) hints.set(id, index)
  else if (typeof known !== "number") insert(known, index)
  else if (known !== index) hints.set(id, known < index ? [known, index] : [index, known])
}

const insert = (known: Array<number>, index: number): void => {
  let low = known.length
  while (low > 0 && (known[low - 1] as number) > index) low--
  if (known[low - 1] !== index) known.splice(low, 0, index)
}

/** The list with another element of the same id at an index that it has. */
export const set = <A extends { readonly id: string }>(list: KeyedList<A>, index: number, value: A): KeyedList<A> => ({
  elements: PersistentList.set(list.elements, index, value),
  hints: list.hints
})

/** The first elements of the list. */
export const truncate = <A extends { readonly id: string }>(list: KeyedList<A>, count: number): KeyedList<A> => ({
  elements: PersistentList.truncate(list.elements, count),
  hints: list.hints
})

/** The elements in order. */
export const toArray = <A extends { readonly id: string }>(list: KeyedList<A>): ReadonlyArray<A> =>
  PersistentList.toArray(list.elements)
