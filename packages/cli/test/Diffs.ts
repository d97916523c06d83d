/** What a reader of a diff does with it. */
import type { ThreadItem } from "@skein/core/fold/view/ThreadItem"
import type { Turn } from "@skein/core/fold/view/Turn"
import type * as Diff from "../src/verb/Diff.js"

const setFields = <A extends object>(value: A, fields: Diff.Fields): A => {
  const next = { ...value } as Record<string, unknown>
  for (const [name, change] of Object.entries(fields)) {
    if ("to" in change) next[name] = change.to
    else delete next[name]
  }
  return next as A
}

/** The turns with a diff applied, as its documentation says that it is done. */
export const apply = (
  before: ReadonlyArray<Turn>,
  { items, turns }: Pick<Diff.DiffDocument, "items" | "turns">
): ReadonlyArray<Turn> => {
  const lost = new Set(items.removed.map(({ turn, number }) => `${turn} ${number}`))
  const gone = new Set(turns.removed.map(({ number }) => number))
  const next = before
    .map((turn, i) => ({ ...turn, items: turn.items.filter((_, k) => !lost.has(`${i + 1} ${k + 1}`)) }))
    .filter((_, i) => !gone.has(i + 1))
  for (const { number, ...facts } of turns.added) next.splice(number - 1, 0, { ...facts, items: [], itemsView: "full" })
  for (const { fields, number } of turns.changed) {
    const turn = next[number - 1]
    if (turn !== undefined) next[number - 1] = setFields(turn, fields)
  }
  for (const { item, number, turn } of items.added) next[turn - 1]?.items.splice(number - 1, 0, item)
  for (const { fields, number, turn } of items.changed) {
    const list: Array<ThreadItem> = next[turn - 1]?.items ?? []
    const item = list[number - 1]
    if (item !== undefined) list[number - 1] = setFields(item, fields)
  }
  return next
}
