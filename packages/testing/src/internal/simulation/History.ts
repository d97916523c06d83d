/**
 * What was asked of a store and what it answered, in the order in which it happened, and what a reader may see after that.
 *
 * A write that was acknowledged counts from then on. One that was refused never happened. One whose process died, or that
 * ended with an error which leaves it open, may have happened, whole, at any time since it was asked for.
 */

/** How a write ended. `open`: it runs, or nobody knows. */
export type Outcome = "done" | "refused" | "open"

/** A write. Times are numbers that grow with everything that happens. */
export interface Write {
  readonly start: number
  end: number
  outcome: Outcome
}

/** Records that were appended together. */
export interface Batch extends Write {
  readonly id: string
  readonly count: number
  /** Behind its last record, as the answer said. */
  position: { readonly segmentId: string; readonly offset: number } | undefined
}

/** A thread was taken back to an earlier place: these batches were in front of it. */
export interface Revert extends Write {
  /** The batch with which it goes on. */
  readonly id: string
  readonly kept: ReadonlySet<string>
}

/** Something that has one value at a time. */
export interface Set<A> extends Write {
  readonly value: A
}

/** A thread as it should be. */
export interface Thread {
  readonly id: string
  readonly mode: "legacy" | "paginated"
  readonly made: Write
  /** What it was made with: for a fork, what it inherits, in order. */
  readonly inherited: ReadonlyArray<string>
  readonly batches: Map<string, Batch>
  readonly reverts: Array<Revert>
  readonly archived: Array<Set<boolean>>
  readonly names: Array<Set<string | undefined>>
  readonly deleted: Array<Write>
}

/** A line that a reader saw: which record of which batch, and where it ends. */
export interface Seen {
  readonly batch: string
  readonly index: number
  readonly count: number
  readonly position: { readonly segmentId: string; readonly offset: number }
}

/** What a record of a batch says; `size` letters follow. */
export const text = (batch: string, index: number, count: number, size: number): string =>
  `@${batch}:${index}/${count}@${"x".repeat(size)}`

/** Which record of which batch a text is; undefined for one that no simulation wrote. */
export const parse = (said: string): Omit<Seen, "position"> | undefined => {
  const [, batch, index, count] = /^@([a-z]\d+):(\d+)\/(\d+)@/.exec(said) ?? []
  return batch === undefined ? undefined : { batch, index: Number(index), count: Number(count) }
}

/** When a write was over; one that is open may still come. */
const over = ({ end, outcome }: Write): number => (outcome === "done" ? end : Number.POSITIVE_INFINITY)

const happened = ({ outcome }: Write): boolean => outcome !== "refused"

/** Whether a thread has to be there, must not be there, or may be, for a reader of a time. */
export const existence = ({ deleted, made }: Thread, from: number, to: number): "there" | "gone" | "either" => {
  if (made.outcome === "refused" || made.start > to) return "gone"
  if (deleted.some((one) => over(one) < from)) return "gone"
  return over(made) < from && !deleted.some((one) => happened(one) && one.start < to) ? "there" : "either"
}

/** The first reason why a value cannot be the one that a reader saw; undefined: it can. */
export const wrongValue = <A>(
  what: string,
  writes: ReadonlyArray<Set<A>>,
  initial: A,
  value: A,
  from: number,
  to: number
): string | undefined => {
  const made: Set<A> = { value: initial, start: -1, end: -1, outcome: "done" }
  const all = [made, ...writes]
  const isPossible = all.some(
    (one) =>
      one.value === value &&
      happened(one) &&
      one.start <= to &&
      !all.some((later) => later.value !== value && later.start > over(one) && over(later) < from)
  )
  return isPossible ? undefined : `${what} is ${JSON.stringify(value)}, which it was not, or no longer`
}

/** The first thing that is wrong with a log that was read between two times; undefined: nothing. */
export const wrongLog = (thread: Thread, seen: ReadonlyArray<Seen>, from: number, to: number): string | undefined => {
  const ids: Array<string> = []
  const at = new Map<string, Seen["position"]>()
  for (let i = 0; i < seen.length; ) {
    const { batch, count } = seen[i] as Seen
    for (let k = 0; k < count; k++) {
      const one = seen[i + k]
      if (one?.batch !== batch || one.index !== k)
        return `batch ${batch} is there in part: record ${k} of ${count} is not`
      at.set(batch, one.position)
    }
    if (ids.includes(batch)) return `batch ${batch} is there twice`
    ids.push(batch)
    i += count
  }
  return wrongMembers(thread, ids, from, to) ?? wrongOrder(thread, ids) ?? wrongPlaces(thread, at)
}

const wrongMembers = (thread: Thread, ids: ReadonlyArray<string>, from: number, to: number): string | undefined => {
  const visible = new globalThis.Set(ids)
  for (const id of ids) {
    const batch = memberOf(thread, id)
    if (batch === undefined) return `batch ${id} was never asked for in this thread`
    if (batch.outcome === "refused") return `batch ${id} was refused and is there`
    if (batch.start > to) return `batch ${id} was not asked for yet`
    for (const revert of thread.reverts) {
      if (revert.kept.has(id) || revert.id === id || over(revert) >= from || revert.start < over(batch)) continue
      const isBack = thread.reverts.some((other) => happened(other) && other.kept.has(id) && over(other) > revert.start)
      if (!isBack) return `batch ${id} is there though the thread was taken back to an earlier place (${revert.id})`
    }
  }
  for (const id of [...thread.inherited, ...thread.batches.keys()]) {
    const batch = memberOf(thread, id)
    if (batch === undefined || visible.has(id) || over(batch) >= from) continue
    const isTakenBack = thread.reverts.some(
      (one) => happened(one) && one.id !== id && !one.kept.has(id) && over(one) > batch.start && one.start < to
    )
    if (!isTakenBack) return `batch ${id} was acknowledged and is not there`
  }
  return undefined
}

/** A batch of a thread; what a fork inherits was written when it was made. */
const memberOf = (thread: Thread, id: string): Batch | undefined =>
  thread.batches.get(id) ??
  (thread.inherited.includes(id) ? { ...thread.made, id, count: 0, position: undefined } : undefined)

const wrongOrder = (thread: Thread, ids: ReadonlyArray<string>): string | undefined => {
  let earliest = Number.POSITIVE_INFINITY
  let which = ""
  let inherited = thread.inherited.length
  for (let i = ids.length - 1; i >= 0; i--) {
    const id = ids[i] as string
    const place = thread.inherited.indexOf(id)
    if (place >= 0) {
      if (place >= inherited) return `batch ${id} stands where its source does not have it`
      inherited = place
      continue
    }
    if (inherited < thread.inherited.length) return `batch ${id} stands among what the fork inherited`
    const batch = thread.batches.get(id) as Batch
    if (earliest < batch.start)
      return `batch ${id} stands in front of ${which}, which was acknowledged before it was asked for`
    if (over(batch) < earliest) {
      earliest = over(batch)
      which = id
    }
  }
  return undefined
}

/** Of a fork the places change when it gets its own bytes, since what it stands on is deleted. */
const wrongPlaces = (thread: Thread, at: ReadonlyMap<string, Seen["position"]>): string | undefined => {
  if (thread.inherited.length > 0) return undefined
  for (const [id, { offset, segmentId }] of at) {
    const told = thread.batches.get(id)?.position
    if (told !== undefined && told.segmentId === segmentId && told.offset !== offset)
      return `batch ${id} ends at ${offset} and was said to end at ${told.offset}`
  }
  return undefined
}
