/** What the command prints: documents, one a line or for a person, and why a file has none. */

import { stripVTControlCharacters } from "node:util"
import type { InvalidRequest, StoreError } from "@skein/store/StoreError"
import type { FileRefused } from "@skein/store-fs/FileError"
import { Effect, Fiber, Ref } from "effect"
import * as Bar from "./Progress.js"
import * as Text from "./Text.js"

/** Why a question has no answer. */
export type Refused = FileRefused | StoreError

/** A question that is put to each file in turn. */
export interface Question<Document, R> {
  readonly ask: (file: string) => Effect.Effect<Document, Refused, R>
  readonly render: (document: Document, style: Text.Style) => string
  /** Whether an answer makes the exit code 1. */
  readonly isBad?: (document: Document) => boolean
}

/** Puts a question to each file and prints the answers in order; a refused file does not keep the others back. */
export const each = <Document, R>(
  files: ReadonlyArray<string>,
  json: boolean,
  status: Ref.Ref<number>,
  question: Question<Document, R>
): Effect.Effect<void, never, R> =>
  Effect.forEach(
    files,
    (file) =>
      question.ask(file).pipe(
        Effect.flatMap((document) =>
          Effect.zipRight(
            print(json ? `${JSON.stringify(document)}\n` : question.render(document, style())),
            question.isBad?.(document) === true ? Ref.set(status, 1) : Effect.void
          )
        ),
        Effect.catchAll((refused) => refuse(file, refused, json, status))
      ),
    { discard: true }
  )

/** Says why a file has no answer; the exit code is then 1. */
export const refuse = (file: string, refused: Refused, json: boolean, status: Ref.Ref<number>): Effect.Effect<void> =>
  Effect.zipRight(
    Ref.set(status, 1),
    json ? print(`${JSON.stringify(refusal(file, refused))}\n`) : error(refused.message)
  )

/** The line that stands for a file or a thread without an answer. */
export const refusal = (file: string, refused: Refused) => ({ file, error: errorOf(refused) })

/** An error as documents tell it: its tag, what it says for people, and what it knows. */
export const errorOf = (refused: Refused): ErrorDocument => {
  switch (refused._tag) {
    case "FileRefused": {
      const { advice, detail, path, reason } = refused
      return { tag: refused._tag, path, reason, detail, advice }
    }
    case "InvalidRequest": {
      const { advice, field, reason } = refused
      return { tag: refused._tag, field, reason, advice }
    }
    case "StoreUnavailable": {
      const { advice, operation, paths, reason, retryable } = refused
      return { tag: refused._tag, operation, reason, advice, retryable, paths }
    }
    default: {
      const { _tag: tag, message, threadId } = refused
      return { tag, threadId, message }
    }
  }
}

/** What documents tell of an error. */
export type ErrorDocument = { readonly tag: Refused["_tag"] } & Readonly<Record<string, unknown>>

/**
 * Whether marks may go to a stream: never when NO_COLOR says so (no-color.org), else when FORCE_COLOR says so (`0` and
 * `false` say the opposite), else on a terminal that knows them.
 */
export const isColoured = (
  stream: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>> = process.env
): boolean => {
  if ((env["NO_COLOR"] ?? "") !== "") return false
  const forced = env["FORCE_COLOR"]
  if (forced !== undefined) return forced !== "0" && forced !== "false"
  return stream.isTTY === true && env["TERM"] !== "dumb"
}

/** Colours on a terminal. */
export const style = (): Text.Style => (isColoured(process.stdout) ? Text.coloured : Text.plain)

const writeTo = (stream: NodeJS.WriteStream, parts: ReadonlyArray<unknown>): Effect.Effect<void> =>
  Effect.sync(() => {
    const text = parts.map(String).join(" ")
    stream.write(`${(isColoured(stream) ? text : stripVTControlCharacters(text)).trimEnd()}\n`)
  })

/** Runs an effect with a console that prints without marks where none are wanted; help and usage errors go there. */
export const withConsole = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.consoleWith((base) =>
    Effect.withConsole(effect, {
      ...base,
      log: (...parts) => writeTo(process.stdout, parts),
      error: (...parts) => writeTo(process.stderr, parts)
    })
  )

/** Prints to standard output and waits until it is taken. A reader that went away ends the command quietly. */
export const print = (text: string): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    process.stdout.write(text, (failure) => {
      if (failure !== null && failure !== undefined) process.exit(0)
      resume(Effect.void)
    })
  })

/** Tells how far a long task is; called often, and with `done = total` at its end. */
export type Progress = (done: number, total: number) => void

/** A task of fewer bytes is over before anybody wonders. */
const worthTelling = 32_000_000

/**
 * Progress in bytes as a line on the terminal that goes away at the end, with rate and time left; nothing in a pipe and
 * for short tasks.
 */
export const progress = (label: string): Progress => {
  const shown = line()
  return (done, total) => {
    if (total < worthTelling) return
    if (done >= total) shown.clear()
    else shown.tell(label, done, total, Bar.bytes)
  }
}

/** Prints a line to standard error. */
export const error = (text: string): Effect.Effect<void> =>
  Effect.sync(() => {
    process.stderr.write(`${text}\n`)
  })

/** Prints a document on a line of its own. */
export const document = (value: unknown): Effect.Effect<void> => print(`${JSON.stringify(value)}\n`)

/** Says what is wrong with a request; the exit code is then 2. */
export const refuseWords = (refused: InvalidRequest, json: boolean, status: Ref.Ref<number>): Effect.Effect<void> =>
  Effect.zipRight(Ref.set(status, 2), json ? document({ error: errorOf(refused) }) : error(refused.message))

/** Characters of a line of standard output; a pipe gets as many as read well. */
export const width = (): number => process.stdout.columns ?? 132

/** A line on the terminal that tells how far something is; nothing in a pipe. */
export interface ProgressLine {
  /** At most ten times a second: how far a task is that began when the line was made ({@link Bar.tell}). */
  readonly tell: (label: string, done: number, total: number, amount: (count: number) => string) => void
  readonly clear: () => void
  /** Prints something above the line. */
  readonly above: (printed: Effect.Effect<void>) => Effect.Effect<void>
}

/** A line that shows nothing yet. */
export const line = (): ProgressLine => {
  const { stderr } = process
  const began = Date.now()
  let told = 0
  const clear = (): void => {
    if (told > 0) stderr.write("\r\u001b[K")
    told = 0
  }
  return {
    tell: (label, done, total, amount) => {
      const now = Date.now()
      if (stderr.isTTY !== true || now - told < 100) return
      told = now
      stderr.write(`\r\u001b[K${Bar.tell(label, { done, total, elapsed: now - began }, amount)}`)
    },
    clear,
    above: (printed) => Effect.zipRight(Effect.sync(clear), printed)
  }
}

/** Says that the words of the command were wrong; the exit code is then 2. */
export const usage = (text: string, status: Ref.Ref<number>): Effect.Effect<void> =>
  Effect.zipRight(Ref.set(status, 2), error(text))

/** A task that takes longer is told of. */
const patience = "400 millis"

/** Says on a terminal what the command is busy with, and for how long, while an effect takes long; nothing in a pipe. */
export const busy =
  (label: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const { stderr } = process
    if (stderr.isTTY !== true) return effect
    const began = Date.now()
    let told = false
    const tell = Effect.sync(() => {
      told = true
      const seconds = Math.floor((Date.now() - began) / 1000)
      stderr.write(`\r\u001b[K${label}…${seconds === 0 ? "" : ` ${seconds} s`}`)
    })
    const clear = Effect.sync(() => {
      if (told) stderr.write("\r\u001b[K")
    })
    return Effect.acquireUseRelease(
      Effect.fork(Effect.delay(Effect.forever(Effect.zipRight(tell, Effect.sleep("1 second"))), patience)),
      () => effect,
      (fiber) => Effect.zipRight(Fiber.interrupt(fiber), clear)
    )
  }
