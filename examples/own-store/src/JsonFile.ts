/** All that the store holds, as one JSON file: read when it is opened, and written anew at each change. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import type { Position } from "@skein/store/Position"
import { StoreUnavailable } from "@skein/store/StoreError"
import type { Explicit } from "@skein/store/Summary"
import { Effect, type Either } from "effect"

/** A segment: lines of any bytes, in base64. */
export interface Segment {
  readonly threadId: string
  readonly base: Position | undefined
  readonly madeAt: number
  readonly lines: ReadonlyArray<string>
  /** Bytes of the lines with their line feeds. */
  readonly size: number
}

/** A thread. Its head is the last of its segments. */
export interface Thread {
  readonly id: string
  readonly historyMode: string
  readonly segments: ReadonlyArray<string>
  readonly nextOrdinal: number | undefined
  readonly archivedAt: number | undefined
  readonly explicit: Explicit
}

/** The content of the file. Never changed, only replaced: who holds one has a snapshot. */
export interface Content {
  readonly threads: Readonly<Record<string, Thread>>
  readonly segments: Readonly<Record<string, Segment>>
}

/** A file and what is in it now. */
export interface JsonFile {
  readonly now: () => Content
  /** Replaces the content by what a step makes of it, all or nothing, one change after the other. */
  readonly change: <A, E>(
    step: (content: Content) => Either.Either<readonly [content: Content, value: A], E>
  ) => Effect.Effect<A, E | StoreUnavailable>
}

const unavailable = (path: string, operation: string, cause: unknown): StoreUnavailable =>
  new StoreUnavailable({
    operation,
    reason: String(cause),
    advice: "Check that the file can be read and written, and that it is one of this store.",
    retryable: false,
    paths: [path],
    cause
  })

/** Opens a file; one that is not there is empty. */
export const open = (path: string): Effect.Effect<JsonFile, StoreUnavailable> =>
  Effect.gen(function* () {
    let content = yield* Effect.try({
      try: (): Content =>
        existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Content) : { threads: {}, segments: {} },
      catch: (cause) => unavailable(path, "open", cause)
    })
    const write = (next: Content) =>
      Effect.try({
        try: () => {
          // Whoever reads the path sees the one or the other, never half of one.
          writeFileSync(`${path}.tmp`, JSON.stringify(next))
          renameSync(`${path}.tmp`, path)
          content = next
        },
        catch: (cause) => unavailable(path, "write", cause)
      })
    return {
      now: () => content,
      change: <A, E>(step: (content: Content) => Either.Either<readonly [content: Content, value: A], E>) =>
        Effect.flatMap(
          Effect.suspend((): Effect.Effect<readonly [content: Content, value: A], E> => step(content)),
          ([next, value]) => Effect.as(next === content ? Effect.void : write(next), value)
        )
    }
  })
