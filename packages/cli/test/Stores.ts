/** Stores with a few threads in them, for the verbs that are about stores. */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { NodeContext } from "@effect/platform-node"
import type { Draft } from "@skein/core/record/Record"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import * as Script from "@skein/testing/Script"
import { Effect, Either } from "effect"
import * as Home from "../../store-fs/test/Home.js"
import * as Store from "../src/Store.js"

// What is remembered of homes is not to lie in the cache of who runs the tests.
process.env["XDG_CACHE_HOME"] = Home.temporary()

/** The kinds of stores that last. */
export const kinds: ReadonlyArray<Kind> = ["sqlite", "fs"]

export type Kind = "sqlite" | "fs"

/** The address of a store of which there is nothing yet but its folder. */
export const fresh = (kind: Kind): string => {
  const folder = Home.temporary()
  if (kind === "sqlite") return `sqlite:${join(folder, "threads.db")}`
  const home = join(folder, "home")
  mkdirSync(home)
  return `fs:${home}`
}

/** Where a store lies. */
export const pathOf = (address: string): string => address.slice(address.indexOf(":") + 1)

/** Does something with a store, which is made when it is not there. */
export const inside = <A, E>(address: string, use: (store: ThreadStoreService) => Effect.Effect<A, E>): Promise<A> =>
  Effect.gen(function* () {
    const at = Either.getOrThrow(Store.parse(address))
    return yield* use(yield* Store.open(at, { create: true }))
  }).pipe(Effect.scoped, Effect.provide(NodeContext.layer), Effect.runPromise)

export const id = Home.id

const time = (minute: number, second = 0): string =>
  `2026-11-20T12:${String(minute).padStart(2, "0")}:${String(second).padStart(2, "0")}.000Z`

const draft = (minute: number, { payload, type }: Script.Line): Draft =>
  ({ timestamp: time(minute, 1), type, payload }) as unknown as Draft

/** The header of a thread; it was made at that minute of an hour. */
export const header = (n: number, more: object = {}): Draft<"session_meta"> =>
  draft(n, Script.header({ id: id(n), session_id: id(n), timestamp: time(n), ...more })) as Draft<"session_meta">

/** A turn in which something is asked and answered. */
export const said = (minute: number, text: string, answer = `I did ${text}`): ReadonlyArray<Draft> =>
  Script.turn(`turn ${minute} ${text}`, text, Script.assistant(answer), {
    type: "event_msg",
    payload: { type: "agent_message", message: answer }
  }).map((line) => draft(minute, line))

const spawnedBy = (parent: number) => ({
  parent_thread_id: id(parent),
  source: { subagent: { thread_spawn: { parent_thread_id: id(parent), depth: 1 } } }
})

/**
 * Threads by the minute in which they were made: 1 is of a user and named, 2 was spawned by it and 3 by 2; 4 is archived;
 * 5 has nothing to show yet; 6 is a fork of 1 and has host metadata; 7 is of another program, provider and folder.
 */
export const family = (kind: Kind): Promise<string> => {
  const address = fresh(kind)
  return inside(address, (store) =>
    Effect.gen(function* () {
      yield* store.create(header(1), said(1, "count the parcels"))
      yield* store.create(header(2, spawnedBy(1)), said(2, "weigh the parcels"))
      yield* store.create(header(3, spawnedBy(2)), said(3, "label the crates"))
      yield* store.create(header(4), said(4, "move the pallets"))
      yield* store.create(header(5))
      yield* store.fork(id(1), {
        header: header(6, { forked_from_id: id(1) }),
        records: said(6, "count the crates")
      })
      const elsewhere = { source: "exec", model_provider: "other", cwd: "/elsewhere/a/rather/long/path/to/a/folder" }
      yield* store.create(header(7, elsewhere), said(7, "print the labels"))
      yield* store.updateSummary(id(1), { name: "Parcels" })
      yield* store.updateSummary(id(6), { metadata: { tenant: "acme" } })
      yield* store.archive(id(4))
    })
  ).then(() => address)
}
