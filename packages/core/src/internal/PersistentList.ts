/**
 * A list of which every older state stays valid: a trie of 32-wide nodes with a tail.
 *
 * Pushing onto the newest state appends to a tail that the states share; each state knows how much of it is its own.
 */

const bits = 5
const width = 1 << bits

type Node = ReadonlyArray<unknown>

/** A list. Cost: push constant on average, get and set logarithmic to base 32, truncate the same. */
export interface PersistentList<A> {
  readonly length: number
  readonly shift: number
  readonly root: Node
  readonly tail: ReadonlyArray<A>
}

/** The list without elements. */
export const empty: PersistentList<never> = { length: 0, shift: bits, root: [], tail: [] }

const tailStart = (length: number): number => (length === 0 ? 0 : ((length - 1) >>> bits) << bits)

const leafOf = <A>(list: PersistentList<A>, index: number): ReadonlyArray<A> => {
  if (index >= tailStart(list.length)) return list.tail
  let node = list.root
  for (let level = list.shift; level > 0; level -= bits) node = node[(index >>> level) & (width - 1)] as Node
  return node as ReadonlyArray<A>
}

/** The element at an index, or undefined outside of the list. */
export const get = <A>(list: PersistentList<A>, index: number): A | undefined =>
  index < 0 || index >= list.length ? undefined : leafOf(list, index)[index & (width - 1)]

/** The list with one more element at its end. */
export const push = <A>(list: PersistentList<A>, value: A): PersistentList<A> => {
  const used = list.length - tailStart(list.length)
  if (list.length > 0 && used === width) {
    const full = list.length >>> bits > 1 << list.shift
    const shift = full ? list.shift + bits : list.shift
    const root = full
      ? [list.root, pathTo(list.shift, list.tail)]
      : withLeaf(list.root, list.shift, list.length - 1, list.tail)
    return { length: list.length + 1, shift, root, tail: [value] }
  }
  const tail = used < narrow ? exact(list.tail, used, value) : pushed(list.tail as Array<A>, used, value)
  return { length: list.length + 1, shift: list.shift, root: list.root, tail }
}

/** Tails up to this length are copied: one that is pushed onto keeps room for many more, and most lists stay short. */
const narrow = 4

const exact = <A>(tail: ReadonlyArray<A>, used: number, value: A): ReadonlyArray<A> => {
  const [first, second, third] = tail as readonly [A, A, A]
  if (used === 0) return [value]
  if (used === 1) return [first, value]
  return used === 2 ? [first, second, value] : [first, second, third, value]
}

/** A tail that reaches further than its state belongs to a newer one: that one keeps it. */
const pushed = <A>(shared: Array<A>, used: number, value: A): ReadonlyArray<A> => {
  const tail = shared.length === used ? shared : shared.slice(0, used)
  tail.push(value)
  return tail
}

/** The list with another element at an index that it has. */
export const set = <A>(list: PersistentList<A>, index: number, value: A): PersistentList<A> => {
  const start = tailStart(list.length)
  if (index >= start) {
    const tail = list.tail.slice(0, list.length - start)
    tail[index - start] = value
    return { length: list.length, shift: list.shift, root: list.root, tail }
  }
  const leaf = leafOf(list, index).slice()
  leaf[index & (width - 1)] = value
  return { ...list, root: withLeaf(list.root, list.shift, index, leaf) }
}

/** The first elements of the list. */
export const truncate = <A>(list: PersistentList<A>, length: number): PersistentList<A> => {
  if (length >= list.length) return list
  if (length <= 0) return empty
  const start = tailStart(length)
  // Nodes behind the end stay in the trie until they are written over; nobody looks there.
  return { ...list, length, tail: start === tailStart(list.length) ? list.tail : leafOf(list, start) }
}

/** The elements in order. */
export const toArray = <A>(list: PersistentList<A>): ReadonlyArray<A> => {
  const all: Array<A> = []
  for (let start = 0; start < list.length; start += width) {
    const leaf = leafOf(list, start)
    const end = Math.min(width, list.length - start)
    for (let i = 0; i < end; i++) all.push(leaf[i] as A)
  }
  return all
}

const pathTo = (level: number, leaf: Node): Node => (level === 0 ? leaf : [pathTo(level - bits, leaf)])

const withLeaf = (node: Node | undefined, level: number, index: number, leaf: Node): Node => {
  if (level === 0) return leaf
  const copy = node === undefined ? [] : node.slice()
  const slot = (index >>> level) & (width - 1)
  copy[slot] = withLeaf(copy[slot] as Node | undefined, level - bits, index, leaf)
  return copy
}
