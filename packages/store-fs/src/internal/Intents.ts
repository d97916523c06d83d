/**
 * What was begun with whole threads: a small file for each, written before the first step and removed behind the last.
 * Every step can be done again, so whoever finds such a file finishes what it says.
 */
import type { PlatformError } from "@effect/platform/Error"
import type { StoreUnavailable } from "@skein/store/StoreError"
import { Effect } from "effect"
import * as Disk from "./Disk.js"
import type { Home } from "./Home.js"
import * as Homes from "./Home.js"

/** What is being done to a thread. `at` in milliseconds since 1970. */
export type Intent =
  | { readonly kind: "archive"; readonly threadId: string; readonly at: number }
  | { readonly kind: "unarchive"; readonly threadId: string }
  | { readonly kind: "delete"; readonly threadId: string }

const pattern = /^(archive|unarchive|delete)\.([0-9a-f-]{36})\.json$/

const fileOf = (home: Home, { kind, threadId }: Intent): string =>
  Homes.own(home, "intents", `${kind}.${threadId}.json`)

/** Says what is about to be done; durable when it returns. */
export const declare = (home: Home, intent: Intent): Effect.Effect<void, PlatformError> =>
  Effect.gen(function* () {
    yield* Disk.makeFolder(home.disk, Homes.own(home, "intents"))
    yield* Disk.replace(
      home.disk,
      fileOf(home, intent),
      new TextEncoder().encode(JSON.stringify(intent)),
      home.instance
    )
  })

/** Says that it is done. */
export const settle = (home: Home, intent: Intent): Effect.Effect<void, PlatformError> =>
  Effect.zipRight(Disk.remove(home.disk, fileOf(home, intent)), Disk.syncFolder(home.disk, Homes.own(home, "intents")))

/** What was begun and is not done. */
export const pending = (home: Home): Effect.Effect<ReadonlyArray<Intent>, PlatformError> =>
  Effect.gen(function* () {
    const found: Array<Intent> = []
    for (const name of yield* Disk.list(home.disk, Homes.own(home, "intents"))) {
      const [, kind, threadId] = pattern.exec(name) ?? []
      if (threadId === undefined) continue
      if (kind === "archive") {
        const at = yield* momentOf(home, name)
        if (at !== undefined) found.push({ kind, threadId, at })
      }
      if (kind === "unarchive" || kind === "delete") found.push({ kind, threadId })
    }
    return found
  })

/** The threads with which something of a kind was begun, or anything at all, and is not done. Cost: one listing. */
export const threads = (home: Home, kind?: Intent["kind"]): Effect.Effect<ReadonlySet<string>, PlatformError> =>
  Effect.map(Disk.list(home.disk, Homes.own(home, "intents")), (names) => {
    const found = new Set<string>()
    for (const name of names) {
      const [, begun, threadId] = pattern.exec(name) ?? []
      if (threadId !== undefined && (kind === undefined || begun === kind)) found.add(threadId)
    }
    return found
  })

/** Whether something was begun with a thread and is not done. */
export const isPending = (home: Home, threadId: string): Effect.Effect<boolean, PlatformError> =>
  Effect.map(threads(home), (all) => all.has(threadId))

/** Whether somebody began to delete a thread and is not done. */
export const isDeleting = (home: Home, threadId: string): Effect.Effect<boolean, StoreUnavailable> =>
  Effect.mapBoth(threads(home, "delete"), {
    onFailure: Disk.unavailable("finding a thread", Homes.own(home, "intents")),
    onSuccess: (all) => all.has(threadId)
  })

/** Undefined when somebody else settled it since it was listed: done again, it would get another time. */
const momentOf = (home: Home, name: string): Effect.Effect<number | undefined, PlatformError> =>
  home.disk.fs.readFileString(Homes.own(home, "intents", name)).pipe(
    Effect.map((text) => momentIn(text) ?? home.clock.unsafeCurrentTimeMillis()),
    Effect.catchIf(Disk.isMissing, () => Effect.succeed(undefined))
  )

const momentIn = (text: string): number | undefined => {
  try {
    const { at } = JSON.parse(text) as { readonly at?: unknown }
    return typeof at === "number" ? at : undefined
  } catch {
    return undefined
  }
}
