/** `skein copy`: threads from one store to another. */
import { Path } from "@effect/platform"
import * as Copy from "@skein/store/Copy"
import type { StoreError } from "@skein/store/StoreError"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Ref } from "effect"
import * as Output from "../Output.js"
import * as Progress from "../Progress.js"
import * as Prompt from "../Prompt.js"
import * as Row from "../Row.js"
import * as Store from "../Store.js"
import * as Text from "../Text.js"

/** What became of a thread, as documents tell it. */
export type OutcomeDocument = Exclude<Copy.Outcome, Copy.Failed> | FailedDocument

/** A thread that was not copied. */
export interface FailedDocument extends Omit<Copy.Failed, "error"> {
  readonly error: Output.ErrorDocument
}

/** What `skein copy --json` prints. */
export interface CopyDocument {
  readonly from: string
  readonly to: string
  readonly plan: { readonly threads: ReadonlyArray<Copy.Planned>; readonly bytes: number }
  /** What became of each thread; null when nothing was done since nobody said yes. */
  readonly threads: ReadonlyArray<OutcomeDocument> | null
}

/** The words of the command. */
export interface Options {
  readonly ids: ReadonlyArray<string>
  readonly from: Store.Address
  readonly to: Store.Address
  readonly json: boolean
  readonly yes: boolean
}

/** Tells what is to be copied, asks, copies, and tells what came of it. */
export const copy = (
  from: ThreadStoreService,
  options: Options,
  status: Ref.Ref<number>
): Effect.Effect<void, StoreError, Store.Environment> =>
  Effect.gen(function* () {
    const { ids, json, yes } = options
    if (yield* isOne(options.from, options.to)) {
      return yield* Output.usage("--from and --to name the same store.", status)
    }
    const refuse = (refused: Output.Refused) => Output.refuse(Store.format(options.to), refused, json, status)
    // A store that is not there is made once somebody said yes; what would go there goes to an empty one until then.
    const isThere = yield* Store.exists(options.to)
    const before = yield* Effect.either(Store.open(isThere ? options.to : { kind: "memory", path: "" }))
    if (before._tag === "Left") return yield* refuse(before.left)
    const plan = yield* Copy.plan(from, before.right, ids.length === 0 ? {} : { ids }).pipe(
      Output.busy("reading both stores")
    )
    const head = {
      from: Store.format(options.from),
      to: Store.format(options.to),
      plan: { threads: plan.threads, bytes: plan.bytes }
    }
    const tell = (document: CopyDocument) => (json ? Output.document(document) : Effect.void)
    if (!json) yield* Output.print(described(plan, head.from, head.to))
    if (!yes && plan.threads.length > 0) {
      if (!Prompt.isTerminal()) {
        yield* tell({ ...head, threads: null })
        return yield* Output.usage("Nothing was copied: nobody can be asked here. Say --yes.", status)
      }
      if (!(yield* Prompt.confirm("Copy them?"))) {
        yield* tell({ ...head, threads: null })
        return yield* Ref.set(status, 1)
      }
    }
    const target = isThere ? before : yield* Effect.either(Store.open(options.to, { create: true }))
    if (target._tag === "Left") return yield* refuse(target.left)
    const to = target.right
    const style = Output.style()
    const line = Output.line()
    const outcomes = yield* Copy.run(from, to, plan, {
      progress: ({ bytes, done, threads, total }) =>
        line.tell(`copying thread ${Math.min(done + 1, threads)} of ${threads}`, bytes, total, Progress.bytes),
      done: (outcome) => (json ? Effect.void : line.above(Output.print(Text.lines(outcomeLines(outcome, style)))))
    }).pipe(Effect.ensuring(Effect.sync(line.clear)))
    if (!Copy.isWhole(outcomes)) yield* Ref.set(status, 1)
    yield* json ? tell({ ...head, threads: outcomes.map(documentOf) }) : Output.print(summed(outcomes, style))
  })

/** Whether two addresses name one store. */
const isOne = (one: Store.Address, other: Store.Address): Effect.Effect<boolean, never, Path.Path> =>
  Effect.map(
    Path.Path,
    (paths) => one.kind === other.kind && one.kind !== "memory" && paths.resolve(one.path) === paths.resolve(other.path)
  )

const documentOf = (outcome: Copy.Outcome): OutcomeDocument =>
  outcome._tag === "Failed" ? { ...outcome, error: Output.errorOf(outcome.error) } : outcome

const described = ({ bytes, failed, threads }: Copy.Plan, from: string, to: string): string => {
  const there = threads.filter(({ isThere }) => isThere).length
  const along = threads.filter(({ isRemnant, neededBy }) => neededBy !== undefined && !isRemnant)
  const remnants = threads.filter(({ isRemnant }) => isRemnant).length
  return Text.lines([
    `${Text.plural(threads.length, "thread")} (${Text.bytes(bytes)}) from ${from} to ${to}`,
    ...(there === 0 ? [] : [`  ${there} of them there already: compared, not written`]),
    ...along.map(
      ({ neededBy, threadId, title }) =>
        `  with them ${threadId} (${Row.titleOf({ name: undefined, preview: title })}), which ${neededBy} stands on`
    ),
    ...(remnants === 0 ? [] : [`  with them ${Text.plural(remnants, "segment")} that deleted threads left to others`]),
    ...(failed.length === 0 ? [] : [`  ${Text.plural(failed.length, "thread")} cannot be read`])
  ])
}

/** What there is to tell of a thread: nothing when all went well. */
const outcomeLines = (outcome: Copy.Outcome, style: Text.Style): ReadonlyArray<string> => {
  switch (outcome._tag) {
    case "Failed":
      return [`${style.bad("not copied")} ${outcome.error.message}`]
    case "Differs":
      return [
        `${style.warn("left as it is")} ${outcome.threadId}: ${outcome.differences.join("; ")}. ` +
          "Delete or rename it there to copy it anew."
      ]
    default:
      return outcome.losses.map((loss) => `${style.warn("damaged")} ${outcome.threadId}: ${loss}`)
  }
}

const summed = (outcomes: ReadonlyArray<Copy.Outcome>, style: Text.Style): string => {
  const of = (tag: Copy.Outcome["_tag"]) => outcomes.filter(({ _tag }) => _tag === tag).length
  const bytes = outcomes.reduce((sum, one) => sum + (one._tag === "Copied" ? one.bytes : 0), 0)
  const isIdle = of("Copied") === 0 && outcomes.length > 0
  const parts = [
    ...(isIdle
      ? []
      : [`${style.good(`${of("Copied")} copied`)} and read back, each with the same SHA-256 (${Text.bytes(bytes)})`]),
    ...(of("Same") === 0 ? [] : [`${of("Same")} there already, each with the same SHA-256`]),
    ...(of("Differs") === 0 ? [] : [style.warn(`${of("Differs")} there and different`)]),
    ...(of("Failed") === 0 ? [] : [style.bad(`${of("Failed")} not copied`)])
  ]
  return Text.lines([parts.join("; ")])
}
