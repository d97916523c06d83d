/**
 * Well-formed threads at random, of every form that was ever written.
 *
 * What is drawn is a {@link Model}, a few words about what happened; the lines are derived from it. A failing property
 * shrinks the model: first turns and steps go, then texts get simpler, and what is left prints as the model alone.
 */
import * as Record from "@skein/core/record/Record"
import * as fc from "fast-check"
import type { End, Entry, Feature, Form, Model, Release, Step } from "./ThreadModel.js"
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

/** A thread: what happened, the files that say so, oldest first, and the records that the newest file stands for. */
export interface Thread {
  readonly model: Model
  readonly files: ReadonlyArray<File>
  readonly log: ReadonlyArray<Record.StoredRecord>
}

/** Every form, the newest first. */
export const forms: ReadonlyArray<Form | "mixed"> = [
  "legacy",
  "paginated",
  "enriched",
  "mixed",
  "0.98.0",
  "0.63.0",
  "0.42.0",
  "0.20.0"
]

/** Something that somebody says: mostly a word, at times characters that are hard to store. Shrinks to `a`. */
export const text: fc.Arbitrary<string> = fc.oneof(
  { withCrossShrink: true },
  { weight: 4, arbitrary: fc.constantFrom("a", "b", "fix the login", "it still fails", "thanks") },
  {
    weight: 1,
    arbitrary: fc
      .array(
        fc.constantFrom("a", " ", "é", "\n", "\u2028", "😀", '"', "\\", "\0", "\r\n", "<", "שלום", "0".repeat(300)),
        { minLength: 1, maxLength: 6 }
      )
      .map((parts) => (parts.join("").trim() === "" ? "a" : parts.join("")))
  }
)

const compaction = fc.constantFrom("replaced" as const, "replaced" as const, "rebuilt" as const)
const note = fc.constantFrom("rain", "sun", null)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: text.map((say) => ({ say })) },
  { weight: 2, arbitrary: text.map((think) => ({ think })) },
  { weight: 3, arbitrary: text.map((run) => ({ run })) },
  { weight: 1, arbitrary: text.map((patch) => ({ patch })) },
  { weight: 1, arbitrary: text.map((mcp) => ({ mcp })) },
  { weight: 1, arbitrary: text.map((search) => ({ search })) },
  { weight: 1, arbitrary: text.map((steer) => ({ steer })) },
  { weight: 1, arbitrary: text.map((mail) => ({ mail })) },
  { weight: 1, arbitrary: text.map((spawn) => ({ spawn })) },
  { weight: 1, arbitrary: compaction.map((compact) => ({ compact })) },
  { weight: 1, arbitrary: note.map((world) => ({ world })) }
)

/** An optional part: absent most of the time. Shrinks to being absent. */
const seldom = <A>(arbitrary: fc.Arbitrary<A>, times = 1): fc.Arbitrary<A | undefined> =>
  fc.oneof({ withCrossShrink: true }, { weight: 5, arbitrary: fc.constant(undefined) }, { weight: times, arbitrary })

const writers: ReadonlyArray<Form> = ["legacy", "enriched", "0.98.0", "0.63.0", "0.42.0"]

const turn = (maxSteps: number, by: fc.Arbitrary<Form | undefined>): fc.Arbitrary<Entry> =>
  fc
    .record({
      said: text,
      byMail: seldom(fc.constant(true)),
      by,
      compact: seldom(compaction),
      world: seldom(note),
      steps: fc.array(step, { maxLength: maxSteps }),
      end: seldom(fc.constantFrom<End>("interrupted", "failed", "unfinished")),
      cutOff: seldom(text, 5)
    })
    .map(({ by, byMail, compact, cutOff, end, said, steps, world }) => ({
      ...(byMail === true ? { mail: said } : { user: said }),
      ...(by === undefined ? {} : { by }),
      ...(compact === undefined ? {} : { compact }),
      ...(world === undefined ? {} : { world }),
      // A call goes without an answer where the turn was cut off, and nowhere else.
      ...(cutOff !== undefined && (end === "interrupted" || end === "unfinished")
        ? { steps: [...steps, { run: cutOff, unanswered: true as const }] }
        : steps.length === 0
          ? {}
          : { steps }),
      ...(end === undefined ? {} : { end })
    }))

/** Models alone: {@link of} writes them out. Shrinks as {@link thread} does. */
export const model = (options: Options = {}): fc.Arbitrary<Model> =>
  options.form === undefined ? fc.oneof(...forms.map((form) => modelOf(form, options))) : modelOf(options.form, options)

const modelOf = (form: Form | "mixed", options: Options): fc.Arbitrary<Model> => {
  const { maxEntries = 8, maxSteps = 5, without = [] } = options
  const by = form === "mixed" ? fc.constantFrom(...writers) : fc.constant(undefined)
  const back = fc.integer({ min: 1, max: 3 })
  const entry: fc.Arbitrary<Entry> = fc.oneof(
    { weight: 8, arbitrary: turn(maxSteps, by) },
    { weight: 1, arbitrary: compaction.map((standalone) => ({ standalone })) },
    { weight: 1, arbitrary: back.map((rollback) => ({ rollback })) },
    { weight: 1, arbitrary: back.map((revert) => ({ revert })) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }).map((fork) => ({ fork })) }
  )
  const release: fc.Arbitrary<Release | undefined> =
    form === "legacy" ? seldom(fc.constantFrom<Release>("0.145.0", "0.142.4"), 5) : fc.constant(undefined)
  const left = new Set(without)
  return fc
    .tuple(fc.array(entry, { maxLength: maxEntries }), release)
    .map(([entries, release]) =>
      ThreadModel.settle(
        { form, ...(release === undefined ? {} : { release }), entries: oldFirst(form, entries) },
        left
      )
    )
}

const oldFirst = (form: Form | "mixed", entries: ReadonlyArray<Entry>): ReadonlyArray<Entry> => {
  if (form !== "mixed") return entries
  const rank = (entry: Entry) => {
    const by = ThreadModel.isTurn(entry) ? entry.by : undefined
    return by === undefined || !ThreadModel.isOld(by) ? 3 : ["0.42.0", "0.63.0", "0.98.0"].indexOf(by)
  }
  return entries.toSorted((a, b) => rank(a) - rank(b))
}

/**
 * Well-formed threads (replay-semantics §1.5), in the write order of §9.
 *
 * Shrinks to fewer entries, then to fewer and plainer steps, then to simpler texts: a property that fails on one
 * feature ends at a thread of that feature and little else.
 */
export const thread = (options: Options = {}): fc.Arbitrary<Thread> => model(options).map(of)

/** The thread of a model that was written by hand or printed by a failure. Cost: its lines, written and read again. */
export const of = (model: Model): Thread => {
  const settled = ThreadModel.settle(model)
  const { files, log } = ThreadWriter.write(settled)
  const decoded = files.map(decodeFile)
  const records = log.map(({ file, line }) => {
    const record = decoded[file]?.[line]
    if (record === undefined) throw new Error(`line ${line + 1} of file ${file + 1} is not there`)
    return record
  })
  const thread: Thread = { model: settled, files, log: records }
  // A counterexample is read by a person, who wants to know what happened and not how it was written down.
  Object.defineProperty(thread, fc.toStringMethod, { value: () => fc.stringify(settled), enumerable: false })
  return thread
}

const utf8 = new TextEncoder()

const decodeFile = (file: File): ReadonlyArray<Record.StoredRecord> => {
  let offset = 0
  // A file whose first line is no envelope is one of 0.20.0, all of whose lines are bare.
  const form: Record.Form = file.lines[0]?.includes('"session_meta"') === true ? "enveloped" : "bare"
  return file.lines.map((line, i) => {
    const bytes = utf8.encode(line)
    const record = Record.decode({ bytes, offset, number: i + 1, terminated: true }, form)
    offset += bytes.length + 1
    if (record.kind === "damage" || record.kind === "blank") {
      throw new Error(`not a record: ${record.kind === "damage" ? record.detail : "blank"}: ${line}`)
    }
    return record
  })
}

/** The bytes of a file. */
export const bytesOf = (file: File): Uint8Array => utf8.encode(file.lines.map((line) => `${line}\n`).join(""))
