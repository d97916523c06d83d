/** `skein rm`: deletes threads, and those below them. */
import * as Every from "@skein/store/Every"
import type { StoreError } from "@skein/store/StoreError"
import type { Summary } from "@skein/store/Summary"
import type { Deleted, DeleteOptions, ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Ref } from "effect"
import * as Output from "../Output.js"
import * as Prompt from "../Prompt.js"
import * as Row from "../Row.js"
import * as Text from "../Text.js"

/** What `skein rm --json` prints, a line for each id. */
export interface RmDocument extends Deleted {
  readonly id: string
}

/** How it is done. */
export interface Options {
  readonly json: boolean
  readonly yes: boolean
  readonly shared: DeleteOptions["shared"]
  /** Leaves the threads below it. */
  readonly only: boolean
}

/** A thread that was named, with those that go with it. */
interface Doomed {
  readonly id: string
  readonly title: string
  readonly below: ReadonlyArray<Summary>
}

/** Tells what is to go, asks, and deletes. */
export const rm = (
  store: ThreadStoreService,
  ids: ReadonlyArray<string>,
  { json, only, shared, yes }: Options,
  status: Ref.Ref<number>
): Effect.Effect<void, StoreError> =>
  Effect.gen(function* () {
    const doomed: Array<Doomed> = []
    for (const id of new Set(ids)) {
      const found = yield* Effect.either(doomedOf(store, id, only))
      if (found._tag === "Right") doomed.push(found.right)
      else yield* Output.refuse(id, found.left, json, status)
    }
    if (doomed.length === 0) return
    if (!yes) {
      yield* Output.error(described(doomed))
      if (!Prompt.isTerminal()) {
        return yield* Output.usage("Nothing was deleted: nobody can be asked here. Say --yes.", status)
      }
      if (!(yield* Prompt.confirm("Delete them for good?"))) {
        yield* Output.error("Nothing was deleted.")
        return yield* Ref.set(status, 1)
      }
    }
    const gone = new Set<string>()
    yield* Output.each(
      doomed.map(({ id }) => id),
      json,
      status,
      {
        ask: (id) =>
          gone.has(id)
            ? Effect.succeed<RmDocument>({ id, deleted: [], kept: [] })
            : Effect.map(store.delete(id, { shared, subtree: !only }), (deleted): RmDocument => {
                for (const one of deleted.deleted) gone.add(one)
                return { id, ...deleted }
              }),
        render
      }
    )
  })

const doomedOf = (store: ThreadStoreService, id: string, only: boolean): Effect.Effect<Doomed, StoreError> =>
  Effect.gen(function* () {
    // A thread that cannot be read can be deleted all the same.
    const { row } = yield* Effect.scoped(store.exported(id)).pipe(
      Effect.catchIf(
        (error) => error._tag === "CorruptThread" || error._tag === "UnsupportedHistoryMode",
        () => Effect.succeed({ row: undefined })
      )
    )
    const below = only ? [] : yield* Every.summaries(store, { ...Every.everything, descendantsOf: id })
    const { summary } = row?.derived ?? { summary: { preview: "" } }
    return { id, title: Row.titleOf({ name: row?.explicit.name, preview: summary.preview }), below }
  })

const described = (doomed: ReadonlyArray<Doomed>): string =>
  doomed
    .flatMap(({ below, id, title }) => [
      `${id}  ${title}`,
      ...below.map((one) => `  and below it ${one.id}  ${Row.titleOf(one)}`)
    ])
    .join("\n")

const render = ({ deleted, id, kept }: RmDocument): string =>
  Text.lines([
    ...(deleted.length === 0 ? [`${id} went with another one`] : deleted.map((one) => `${one} is deleted`)),
    ...kept.map(({ for: others, segmentId }) => `  segment ${segmentId} stays for ${others.join(", ")}`)
  ])
