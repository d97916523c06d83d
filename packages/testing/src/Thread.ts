/**
 * Well-formed threads at random, of every form that was ever written.
 *
 * What is drawn is a {@link Model}, a few words about what happened; the lines are derived from it. A failing property
 * shrinks the model: first turns and steps go, then texts get simpler, and what is left prints as the model alone.
 */
import type { StoredRecord } from "@skein/core/record/Record"
import * as fc from "fast-check"
import * as Draw from "./internal/Draw.js"
import * as Reading from "./internal/Reading.js"
import type { Feature, Form, Model } from "./ThreadModel.js"
import * as ThreadModel from "./ThreadModel.js"
import type { File } from "./ThreadWriter.js"
import * as ThreadWriter from "./ThreadWriter.js"

/** What threads are to be drawn. */
export interface Options {
  /** One form; `mixed` is one file by several writers. Default: any. */
  readonly form?: Form | "mixed" | undefined
  /** What no thread is to have. Default: nothing. */
  readonly without?: ReadonlyArray<Feature> | undefined
  /** How many turns and other entries a thread has at most. Default: 8. */
  readonly maxEntries?: number | undefined
  /** How many steps a turn has at most. Default: 5. */
  readonly maxSteps?: number | undefined
}

/** A thread: what happened, and the files that say so. */
export interface Thread {
  readonly model: Model
  /** Oldest first. */
  readonly files: ReadonlyArray<File>
  /**
   * The records that the newest file stands for, as readers hand them on: its header, then what it inherits, then its
   * own.
   */
  readonly log: ReadonlyArray<StoredRecord>
}

/** Every form, the newest first. */
export const forms: ReadonlyArray<Form | "mixed"> = Draw.forms

/** Something that somebody says: mostly a word, at times characters that are hard to store. Shrinks to `a`. */
export const text: fc.Arbitrary<string> = Draw.text

/** Models alone: {@link of} writes them out. Shrinks as {@link thread} does. */
export const model = (options: Options = {}): fc.Arbitrary<Model> => {
  const { form, maxEntries = 8, maxSteps = 5, without = [] } = options
  const left = new Set(without)
  const modelOf = (one: Form | "mixed") =>
    Draw.model(one, { maxEntries, maxSteps, depth: 0 }).map((model) => ThreadModel.settle(model, left))
  return form === undefined ? fc.oneof(...forms.map(modelOf)) : modelOf(form)
}

/**
 * Well-formed threads (replay-semantics §1.5), in the write order of §9. Agents that they start have no log: for those
 * see {@link module:Family}.
 *
 * Shrinks to fewer entries, then to fewer and plainer steps, then to simpler texts: a property that fails on one
 * feature ends at a thread of that feature and little else.
 */
export const thread = (options: Options = {}): fc.Arbitrary<Thread> => model(options).map(of)

/** The thread of a model that was written by hand or printed by a failure. Cost: its lines, written and read again. */
export const of = (model: Model): Thread => {
  const settled = ThreadModel.settle(model)
  const written = ThreadWriter.write(settled)
  const thread: Thread = { model: settled, files: written.files, log: Reading.records(written) }
  // A counterexample is read by a person, who wants to know what happened and not how it was written down.
  Object.defineProperty(thread, fc.toStringMethod, { value: () => fc.stringify(settled), enumerable: false })
  return thread
}

const utf8 = new TextEncoder()

/** The bytes of a file. */
export const bytesOf = (file: File): Uint8Array => utf8.encode(file.lines.map((line) => `${line}\n`).join(""))
