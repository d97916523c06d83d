/** The keys that real writers give to each kind of record, told from their files. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { corpus, rolloutsBelow, samples } from "../corpus.js"

/** The keys of a kind of record: those that every one of them has, and those that some have. */
export interface Shape {
  readonly always: ReadonlySet<string>
  readonly ever: ReadonlySet<string>
}

type Payload = Readonly<Record<string, unknown>>

/** What kind of record a line is: its type, the inner type, and of items and messages a further one. */
export const kindOf = (type: string, payload: Payload): string => {
  const inner = typeof payload.type === "string" ? `/${payload.type}` : ""
  const item = payload.item as Payload | undefined
  const role = payload.type === "message" ? `:${String(payload.role)}` : ""
  return `${type}${inner}${role}${item === undefined ? "" : `:${String(item.type)}`}`
}

/** The shapes of a version's files in one history mode, by kind; items within `item_completed` under `item:<type>`. */
export const shapesOf = (version: string, mode: "legacy" | "paginated"): ReadonlyMap<string, Shape> => {
  const shapes = new Map<string, { always: Set<string>; ever: Set<string> }>()
  const add = (kind: string, keys: ReadonlyArray<string>) => {
    const known = shapes.get(kind)
    if (known === undefined) shapes.set(kind, { always: new Set(keys), ever: new Set(keys) })
    else {
      for (const key of known.always) if (!keys.includes(key)) known.always.delete(key)
      for (const key of keys) known.ever.add(key)
    }
  }
  for (const path of rolloutsBelow(join(corpus ?? samples, version))) {
    if (!path.endsWith(".jsonl")) continue
    const lines = readFileSync(path, "utf8").split("\n")
    const isPaginated = lines[0]?.includes('"history_mode":"paginated"') === true
    if (isPaginated !== (mode === "paginated")) continue
    for (const line of lines) {
      if (line === "") continue
      const { payload, type } = JSON.parse(line) as { readonly type: string; readonly payload: Payload }
      add(kindOf(type, payload), Object.keys(payload))
      const item = payload.item as Payload | undefined
      if (item !== undefined) add(`item:${String(item.type)}`, Object.keys(item))
    }
  }
  return shapes
}
