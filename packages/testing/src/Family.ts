/**
 * Families of threads at random: one that a user speaks to, and the agents that it started, each with a log of its own.
 *
 * They are drawn and shrunk as single threads are: what is drawn is the model of the first thread, in which each `spawn`
 * says what the agent does. Agents work while their parent waits, so the files of a family tell one story.
 */
import type { StoredRecord } from "@skein/core/record/Record"
import * as fc from "fast-check"
import * as Draw from "./internal/Draw.js"
import * as Reading from "./internal/Reading.js"
import type { Feature, Form, Model } from "./ThreadModel.js"
import * as ThreadModel from "./ThreadModel.js"
import type { File, Written } from "./ThreadWriter.js"
import * as ThreadWriter from "./ThreadWriter.js"

/** The forms whose writers had agents. */
export type FamilyForm = Extract<Form, "legacy" | "paginated" | "enriched" | "0.98.0">

/** What families are to be drawn. */
export interface Options {
  /** The form of all files. Default: any that has agents. */
  readonly form?: FamilyForm | undefined
  /** What no thread of it is to have. Default: nothing. */
  readonly without?: ReadonlyArray<Feature> | undefined
  /** How many turns and other entries the first thread has at most. Default: 4. */
  readonly maxEntries?: number | undefined
  /** How many steps a turn of the first thread has at most; of its agents 3. Default: 4. */
  readonly maxSteps?: number | undefined
  /** How many generations of agents there are at most. Default: 2. */
  readonly maxDepth?: number | undefined
}

/** A thread of a family. */
export interface Member {
  readonly id: string
  /** The thread that started it; undefined for the first one. */
  readonly parentId: string | undefined
  /** What it does, as the model of its parent says it; undefined for the first one. */
  readonly agent: ThreadModel.Agent | undefined
  /** Oldest first. */
  readonly files: ReadonlyArray<File>
  /** The records that the newest file stands for, as those of a single thread. */
  readonly log: ReadonlyArray<StoredRecord>
}

/** A family: what happened, and its threads, each behind the one that started it, brothers by age. */
export interface Family {
  readonly model: Model
  readonly members: ReadonlyArray<Member>
}

/** The forms that have agents, the newest first. */
export const forms: ReadonlyArray<FamilyForm> = ["legacy", "paginated", "enriched", "0.98.0"]

/** The first thread of a family does not turn into another one. */
const settle = (model: Model, without: ReadonlyArray<Feature> = []): Model =>
  ThreadModel.settle(model, new Set<Feature>([...without, "fork"]))

/**
 * Families of well-formed threads. Shrinks to fewer turns and agents, then to fewer and plainer steps; an agent shrinks
 * to one without a log. Prints as the model of its first thread.
 */
export const family = (options: Options = {}): fc.Arbitrary<Family> => {
  const { form, maxDepth = 2, maxEntries = 4, maxSteps = 4, without } = options
  const familyOf = (one: FamilyForm) =>
    Draw.model(one, { maxEntries, maxSteps, depth: maxDepth }).map((model) => of(settle(model, without)))
  return form === undefined ? fc.oneof(...forms.map(familyOf)) : familyOf(form)
}

/** The family of a model that was written by hand or printed by a failure. Cost: its lines, written and read again. */
export const of = (model: Model): Family => {
  const settled = settle(model)
  const family: Family = { model: settled, members: membersOf(ThreadWriter.write(settled), undefined) }
  Object.defineProperty(family, fc.toStringMethod, { value: () => fc.stringify(settled), enumerable: false })
  return family
}

const membersOf = (written: Written, parentId: string | undefined): ReadonlyArray<Member> => [
  {
    id: written.threadId,
    parentId,
    agent: written.agent,
    files: written.files,
    log: Reading.records(written)
  },
  ...written.agents.flatMap((agent) => membersOf(agent, written.threadId))
]
