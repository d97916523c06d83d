/** Stores with histories for tests: made by hand, or of steps drawn at random. */
import type { Draft } from "@skein/core/record/Record"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import * as ThreadStore from "@skein/store/ThreadStore"
import * as Script from "@skein/testing/Script"
import { Effect, type Scope } from "effect"
import fc from "fast-check"
import * as MemoryDriver from "../src/MemoryDriver.js"

export const memory = Effect.flatMap(MemoryDriver.make, ThreadStore.make)

export const idOf = (n: number): string => `019c2b10-7a00-7c00-8000-${n.toString(16).padStart(12, "0")}`

const draft = ({ payload, type }: Script.Line): Draft =>
  ({ timestamp: "2026-11-20T12:00:00.000Z", type, payload }) as unknown as Draft

export const header = (n: number, mode: "legacy" | "paginated" = "paginated"): Draft<"session_meta"> => {
  const made = draft(Script.header()) as Draft<"session_meta">
  return { ...made, payload: { ...made.payload, id: idOf(n), session_id: idOf(n), history_mode: mode } }
}

export const said = (text: string) => Script.turn(`turn ${text}`, text, Script.assistant(`on ${text}`)).map(draft)

export const run = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(effect))

/** Everything that a store holds, for comparisons. */
export const content = (store: ThreadStoreService) =>
  Effect.gen(function* () {
    const { items } = yield* store.summaries({ archived: "any", hidden: true, pageSize: 10_000, sortDirection: "asc" })
    const threads = []
    for (const { id } of items) {
      const { row, segments } = yield* store.exported(id)
      const lines = []
      for (const { base, segmentId, source } of segments) {
        const own: Array<string> = []
        yield* source.forward((line) => own.push(new TextDecoder().decode(line.bytes)) > 0)
        lines.push({ segmentId, base, own })
      }
      threads.push({ id, explicit: row.explicit, archived: row.archivedAt !== undefined, lines })
    }
    return threads
  })

/** What is done to a store, drawn at random. Numbers choose among what is there. */
export type Step = readonly [
  kind: "create" | "append" | "fork" | "revert" | "archive" | "name" | "delete",
  a: number,
  b: number
]

export const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom("create", "append", "append", "fork", "fork", "revert", "archive", "name", "delete"),
  fc.nat(1000),
  fc.nat(1000)
) as fc.Arbitrary<Step>

export const play = (steps: ReadonlyArray<Step>) =>
  Effect.gen(function* () {
    const store = yield* memory
    const ids: Array<string> = []
    for (const [i, [kind, a, b]] of steps.entries()) {
      const id = ids[a % Math.max(1, ids.length)]
      const mode = b % 2 === 0 ? "paginated" : "legacy"
      const positions: Array<{ readonly segmentId: string; readonly offset: number }> = []
      if (id !== undefined) {
        const { pieces } = yield* store.open(id, { includeArchived: true })
        for (const { segmentId, source, to } of pieces) {
          yield* source.forward(
            (line) => positions.push({ segmentId, offset: line.offset + line.bytes.length + 1 }) > 0,
            { to }
          )
        }
      }
      const at = positions[b % Math.max(1, positions.length)]
      if (kind === "create" || id === undefined) {
        yield* store.create(header(i, mode), said(`new ${i}`))
        ids.push(idOf(i))
      } else if (kind === "fork") {
        yield* store.fork(id, { at, header: header(i), records: said(`fork ${i}`), includeArchived: true })
        ids.push(idOf(i))
      } else if (kind === "revert" && at !== undefined) {
        const timestamp = "2026-11-20T13:00:00.000Z"
        yield* Effect.ignore(store.revert(id, { to: at, timestamp, records: said(`back ${i}`) }))
      } else if (kind === "archive") yield* Effect.ignore(store.archive(id))
      else if (kind === "name") yield* store.updateSummary(id, { name: `name ${b}` })
      else if (kind === "delete") {
        const { deleted } = yield* store.delete(id)
        for (const gone of deleted) ids.splice(ids.indexOf(gone), 1)
      } else yield* Effect.ignore(store.append(id, said(`more ${i}`)))
    }
    return store
  })
