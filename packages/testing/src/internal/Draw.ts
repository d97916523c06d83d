/** Models at random, before what no writer could have done is taken out of them. */
import * as fc from "fast-check"
import type { Agent, End, Entry, Form, Model, Release, Step } from "../ThreadModel.js"
import { isOld, isTurn } from "./Facts.js"

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

/** An optional part: absent most of the time. Shrinks to being absent. */
const seldom = <A>(arbitrary: fc.Arbitrary<A>, times = 1): fc.Arbitrary<A | undefined> =>
  fc.oneof({ withCrossShrink: true }, { weight: 5, arbitrary: fc.constant(undefined) }, { weight: times, arbitrary })

/** How much of it, and which agents. */
export interface Limits {
  readonly maxEntries: number
  readonly maxSteps: number
  /** How deep agents with a log go below the thread: 0 for none. */
  readonly depth: number
}

const steps = ({ depth, maxSteps }: Limits): fc.Arbitrary<ReadonlyArray<Step>> =>
  fc.array(
    fc.oneof(
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
      { weight: 1, arbitrary: note.map((world) => ({ world })) },
      ...(depth === 0 ? [] : [{ weight: 5, arbitrary: spawn({ depth: depth - 1, maxEntries: 2, maxSteps: 3 }) }])
    ),
    { maxLength: maxSteps }
  )

/** Steps, and how they end. */
const doing = (limits: Limits) =>
  fc
    .record({
      steps: steps(limits),
      end: seldom(fc.constantFrom<End>("interrupted", "failed", "unfinished")),
      cutOff: seldom(text, 5)
    })
    .map(({ cutOff, end, steps }) => ({
      // A call goes without an answer where the turn was cut off, and nowhere else.
      ...(cutOff !== undefined && (end === "interrupted" || end === "unfinished")
        ? { steps: [...steps, { run: cutOff, unanswered: true as const }] }
        : steps.length === 0
          ? {}
          : { steps }),
      ...(end === undefined ? {} : { end })
    }))

const spawn = (limits: Limits): fc.Arbitrary<Step> =>
  fc
    .record({
      spawn: text,
      history: seldom(fc.constantFrom<NonNullable<Agent["history"]>>("all", "all", 1, 2), 4),
      first: doing(limits),
      tasks: fc.array(
        fc.tuple(text, doing(limits)).map(([task, done]) => ({ task, ...done })),
        { maxLength: limits.maxEntries }
      ),
      closed: seldom(fc.constant(true as const), 2)
    })
    .map(({ closed, first, history, spawn, tasks }) => ({
      spawn,
      agent: {
        ...(history === undefined ? {} : { history }),
        ...first,
        ...(tasks.length === 0 ? {} : { tasks }),
        ...(closed === undefined ? {} : { closed })
      }
    }))

/** Those that go on with each other's threads: where there are no ordinals, and where there are. */
const writers: ReadonlyArray<Form> = ["legacy", "enriched", "0.98.0", "0.63.0", "0.42.0"]
const numbering: ReadonlyArray<Form> = ["paginated", "legacy"]

const turn = (limits: Limits, by: fc.Arbitrary<Form | undefined>): fc.Arbitrary<Entry> =>
  fc
    .record({
      said: text,
      byMail: seldom(fc.constant(true)),
      by,
      compact: seldom(compaction),
      world: seldom(note),
      done: doing(limits)
    })
    .map(({ by, byMail, compact, done, said, world }) => ({
      ...(byMail === true ? { mail: said } : { user: said }),
      ...(by === undefined ? {} : { by }),
      ...(compact === undefined ? {} : { compact }),
      ...(world === undefined ? {} : { world }),
      ...done
    }))

/** A model of one form. */
export const model = (form: Form | "mixed", limits: Limits): fc.Arbitrary<Model> => {
  const back = fc.integer({ min: 1, max: 3 })
  const between: ReadonlyArray<fc.WeightedArbitrary<Entry>> = [
    { weight: 1, arbitrary: compaction.map((standalone) => ({ standalone })) },
    { weight: 1, arbitrary: back.map((rollback) => ({ rollback })) },
    { weight: 1, arbitrary: back.map((revert) => ({ revert })) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }).map((fork) => ({ fork })) }
  ]
  const entriesBy = (by: fc.Arbitrary<Form | undefined>) =>
    fc.array(fc.oneof({ weight: 8, arbitrary: turn(limits, by) }, ...between), { maxLength: limits.maxEntries })
  const entries =
    form === "mixed"
      ? fc.oneof(
          { withCrossShrink: true },
          entriesBy(fc.constantFrom(...writers)).map(oldFirst),
          entriesBy(fc.constantFrom(...numbering)).map(numberedFirst)
        )
      : entriesBy(fc.constant(undefined))
  const release: fc.Arbitrary<Release | undefined> =
    form === "legacy" ? seldom(fc.constantFrom<Release>("0.145.0", "0.142.4"), 5) : fc.constant(undefined)
  return fc.tuple(entries, release, seldom(fc.constant("v1" as const), 3)).map(([entries, release, agents]) => ({
    form,
    ...(release === undefined ? {} : { release }),
    ...(agents === undefined ? {} : { agents }),
    entries
  }))
}

/** The turns of older releases in front of the others. */
const oldFirst = (entries: ReadonlyArray<Entry>): ReadonlyArray<Entry> => {
  const rank = (entry: Entry) => {
    const by = isTurn(entry) ? entry.by : undefined
    return by === undefined || !isOld(by) ? 3 : ["0.42.0", "0.63.0", "0.98.0"].indexOf(by)
  }
  return entries.toSorted((a, b) => rank(a) - rank(b))
}

/** A thread that was begun with ordinals, whoever went on with it. */
const numberedFirst = (entries: ReadonlyArray<Entry>): ReadonlyArray<Entry> => {
  const first = entries.findIndex(isTurn)
  return entries.map((entry, i) => (i === first ? { ...entry, by: "paginated" } : entry))
}
