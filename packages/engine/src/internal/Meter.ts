/**
 * Spans and metrics: of every operation, and, for one thread in a hundred, of what its log keeps (rollout-format §8,
 * thread-store §1.3).
 */
import type { Draft } from "@skein/core/decide/Draft"
import type * as PersistencePolicy from "@skein/core/decide/PersistencePolicy"
import * as Sampling from "@skein/core/decide/Sampling"
import * as Label from "@skein/core/record/Label"
import type { StoredRecord } from "@skein/core/record/Record"
import { Clock, Context, Effect, Exit, FiberRef, Metric, MetricBoundaries, Tracer } from "effect"

/** Runs an operation in a span of its own, counted and timed by what came of it. */
export const observed = <A, E, R>(
  operation: string,
  threadId: string | undefined,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  // As `Effect.withSpan`, with the metrics in the same step: every operation has this around it, and each step costs.
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      Effect.makeSpan(operation, {
        attributes: threadId === undefined ? {} : { threadId },
        captureStackTrace: false
      }),
      (span) =>
        Effect.withFiberRuntime<A, E, R>((fiber) => {
          const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
          const begun = clock.unsafeCurrentTimeNanos()
          const outside = fiber.currentContext
          const ended = (exit: Exit.Exit<A, E>): Effect.Effect<A, E> => {
            const now = clock.unsafeCurrentTimeNanos()
            const { count, time } = operationOf(operation, outcomeOf(exit))
            const labels = fiber.getFiberRef(FiberRef.currentMetricLabels)
            count.unsafeUpdate(1, labels)
            time.unsafeUpdate(Number(now - begun) / 1e6, labels)
            span.end(now, exit)
            return Effect.zipRight(FiberRef.set(FiberRef.currentContext, outside), exit)
          }
          return Effect.flatMap(
            FiberRef.set(FiberRef.currentContext, Context.add(outside, Tracer.ParentSpan, span)),
            () =>
              Effect.matchCauseEffect(restore(effect), {
                onSuccess: (value) => ended(Exit.succeed(value)),
                onFailure: (cause) => ended(Exit.failCause(cause))
              })
          )
        })
    )
  )

/** The measurements of a thread's log. */
export interface Meter {
  /** Whether the thread is one of those whose appends are measured. */
  readonly isSampled: boolean
  /** Measures an append that was done: what was given, and what of it is kept. */
  readonly appended: (drafts: ReadonlyArray<Draft>, kept: ReadonlyArray<StoredRecord>) => Effect.Effect<void>
  /** Measures a thread that is closed: how many bytes its newest segment has. */
  readonly closed: (bytes: number) => Effect.Effect<void>
}

const milliseconds = MetricBoundaries.exponential({ start: 0.25, factor: 2, count: 18 })
const bytes = MetricBoundaries.exponential({ start: 64, factor: 4, count: 12 })

const operations = Metric.counter("skein.engine.operation")
const durations = Metric.histogram("skein.engine.operation.duration_ms", milliseconds)
const itemBytes = Metric.histogram("codex.rollout.persistence.item_bytes", bytes)
const appends = Metric.counter("codex.rollout.persistence.append")
const turnBytes = Metric.histogram("codex.rollout.persistence.turn_bytes", bytes)
const sizes = Metric.histogram("codex.rollout.size_bytes", bytes)
const errors = Metric.counter("codex.rollout.persistence.measurement_error")

const sample_rate = Sampling.sampleRate
const encoding = "rollout_item_json_v1"
const stages = ["pre_filter", "post_filter"] as const
const none: Readonly<Record<(typeof stages)[number], number>> = { pre_filter: 0, post_filter: 0 }

/** A metric with tags. */
const tagged = <T, I, O>(metric: Metric.Metric<T, I, O>, tags: Readonly<Record<string, string>>): typeof metric => {
  let found = metric
  for (const [key, value] of Object.entries(tags)) found = Metric.tagged(found, key, value)
  return found
}

const operationMetrics = new Map<string, ReturnType<typeof operationOf>>()

/** The metrics of an operation, made once: tagging costs more than counting. */
const operationOf = (
  operation: string,
  outcome: string
): { readonly count: typeof operations; readonly time: typeof durations } => {
  const key = `${operation}\n${outcome}`
  const known = operationMetrics.get(key)
  if (known !== undefined) return known
  const made = {
    count: tagged(operations, { operation, outcome }) as typeof operations,
    time: tagged(durations, { operation, outcome }) as typeof durations
  }
  operationMetrics.set(key, made)
  return made
}

/** The measurements of a thread with this id. */
export const make = (threadId: string): Meter => {
  const isSampled = Sampling.isSampled(threadId)
  let totals = none
  let isOpen = false

  const measure = (draft: Draft, isKept: boolean): Effect.Effect<void> =>
    Effect.gen(function* () {
      const rollout_item_type = Label.of({ kind: draft.type, payload: draft.payload } as PersistencePolicy.Entry)
      const size = utf8.encode(JSON.stringify({ type: draft.type, payload: draft.payload })).length
      const decision = isKept ? "kept" : "dropped"
      yield* Metric.update(tagged(itemBytes, { decision, rollout_item_type, encoding, sample_rate }), size)
      const edge = edgeOf(draft)
      // A start inside of a turn, or an end outside of one: the sums are of no turn.
      if (edge !== undefined && (edge === "start") === isOpen) {
        totals = none
        isOpen = edge === "start"
        yield* Metric.update(tagged(errors, { rollout_item_type, phase: "turn_boundary" }), 1)
        if (edge !== "start") return
      }
      totals = {
        pre_filter: totals.pre_filter + size,
        post_filter: totals.post_filter + (isKept ? size : 0)
      }
      if (edge === "start") isOpen = true
      if (edge !== "completed" && edge !== "aborted") return
      for (const stage of stages) {
        yield* Metric.update(tagged(turnBytes, { stage, outcome: edge, encoding, sample_rate }), totals[stage])
      }
      totals = none
      isOpen = false
    })

  return {
    isSampled,
    appended: (drafts, kept) =>
      isSampled && drafts.length > 0
        ? Effect.gen(function* () {
            for (const stage of kept.length === 0 ? stages.slice(0, 1) : stages) {
              yield* Metric.update(tagged(appends, { stage, sample_rate }), 1)
            }
            let next = 0
            for (const draft of drafts) {
              const isKept = isSame(draft, kept[next])
              if (isKept) next++
              yield* measure(draft, isKept)
            }
          })
        : Effect.void,
    closed: (size) => Metric.update(sizes, size)
  }
}

const utf8 = new TextEncoder()

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "ok"
  if (Exit.isInterrupted(exit)) return "interrupted"
  const { cause } = exit
  const error = cause._tag === "Fail" ? (cause.error as { readonly _tag?: unknown } | null) : undefined
  return typeof error?._tag === "string" ? error._tag : "defect"
}

const innerType = (payload: unknown): unknown => (payload as { readonly type?: unknown }).type

/** What is kept stands in the order in which it was given, so kinds tell which is which. */
const isSame = (draft: Draft, record: StoredRecord | undefined): boolean =>
  record !== undefined && record.kind === draft.type && innerType(record.payload) === innerType(draft.payload)

const edgeOf = (draft: Draft): "start" | "completed" | "aborted" | undefined => {
  switch (innerType(draft.payload)) {
    case "task_started":
      return "start"
    case "task_complete":
      return "completed"
    case "turn_aborted":
      return "aborted"
    default:
      return undefined
  }
}
