import { Effect, Layer, Metric, MetricState, Tracer } from "effect"
import { expect, it } from "vitest"
import { Threads } from "../src/Threads.js"
import * as Host from "./Host.js"

/** What the metrics whose names begin so have counted: by name and tags, how often, and for histograms the sum. */
const counted = (prefix: string) =>
  Effect.map(Metric.snapshot, (pairs) => {
    const found = new Map<string, { readonly count: number; readonly sum: number }>()
    for (const { metricKey, metricState } of pairs) {
      if (!metricKey.name.startsWith(prefix)) continue
      const tags = metricKey.tags.map(({ key, value }) => `${key}=${value}`).sort()
      const name = [metricKey.name.slice(prefix.length), ...tags].join(" ")
      if (MetricState.isHistogramState(metricState)) {
        found.set(name, { count: metricState.count, sum: metricState.sum })
      } else if (MetricState.isCounterState(metricState)) {
        found.set(name, { count: Number(metricState.count), sum: Number(metricState.count) })
      }
    }
    return found
  })

/** How much more there is of everything behind an effect. */
const more = <A, E, R>(prefix: string, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = yield* counted(prefix)
    yield* effect
    const after = yield* counted(prefix)
    const none = { count: 0, sum: 0 }
    return new Map(
      [...after].flatMap(([name, { count, sum }]) => {
        const was = before.get(name) ?? none
        return count === was.count ? [] : [[name, { count: count - was.count, sum: sum - was.sum }] as const]
      })
    )
  })

/** Sampled by rollout-format §8, and not. */
const sampled = "019c0000-0000-7000-8000-000000000025"
const passedOver = "019c0000-0000-7000-8000-000000000000"

const turn = (id: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const thread = yield* (yield* Threads).start({ id, settings: { model: "m" } })
      const turn = yield* thread.startTurn("Hello")
      yield* turn.record([Host.says("Hi")])
      yield* turn.complete()
      const failing = yield* Effect.flip(turn.complete())
      expect(failing._tag).toBe("Conflict")
    })
  )

it("the log of one thread in a hundred is measured, record by record and turn by turn (capability row 12)", () =>
  Host.run(
    Effect.gen(function* () {
      const prefix = "codex.rollout.persistence."
      const found = yield* more(prefix, turn(sampled))
      const tags = "encoding=rollout_item_json_v1"
      const items = [...found].filter(([name]) => name.startsWith("item_bytes"))
      const records = (yield* Host.stored(sampled)).slice(1)
      expect(items.reduce((sum, [, { count }]) => sum + count, 0)).toBe(records.length)
      const bytes = records.reduce((sum, { kind, payload }) => sum + JSON.stringify({ type: kind, payload }).length, 0)
      expect(items.reduce((all, [, { sum }]) => all + sum, 0)).toBe(bytes)
      const started = `item_bytes decision=kept ${tags} rollout_item_type=event.turn_started sample_rate=0.01`
      expect(found.get(started)?.count).toBe(1)
      expect(found.get("append sample_rate=0.01 stage=pre_filter")?.count).toBe(3)
      expect(found.get("append sample_rate=0.01 stage=post_filter")?.count).toBe(3)
      for (const stage of ["pre_filter", "post_filter"]) {
        const turns = found.get(`turn_bytes ${tags} outcome=completed sample_rate=0.01 stage=${stage}`)
        expect(turns).toEqual({ count: 1, sum: bytes })
      }
      expect((yield* more(prefix, turn(passedOver))).size).toBe(0)
    })
  ))

it("the size of a log is measured when its thread is closed (thread-store §1.3)", () =>
  Host.run(
    Effect.gen(function* () {
      const found = yield* more("codex.rollout.size_bytes", turn(passedOver))
      const last = (yield* Host.stored(passedOver)).at(-1)?.line
      expect([...found.values()]).toEqual([{ count: 1, sum: (last?.offset ?? 0) + (last?.bytes.length ?? 0) + 1 }])
    })
  ))

it("every operation is counted and timed, by what came of it", () =>
  Host.run(
    Effect.gen(function* () {
      const found = yield* more("skein.engine.", turn(passedOver))
      expect(found.get("operation operation=LiveThread.startTurn outcome=ok")?.count).toBe(1)
      expect(found.get("operation operation=LiveThread.complete outcome=Conflict")?.count).toBe(1)
      expect(found.get("operation operation=Threads.start outcome=ok")?.count).toBe(1)
      expect(found.get("operation.duration_ms operation=LiveThread.record outcome=ok")?.count).toBe(1)
    })
  ))

/** A tracer that notes the names of what it is told. */
const recording = (names: Array<string>) =>
  Layer.unwrapEffect(
    Effect.map(Effect.tracer, (tracer) =>
      Layer.setTracer(
        Tracer.make({
          span: (name, ...rest) => {
            names.push(name)
            return tracer.span(name, ...rest)
          },
          context: (execute, fiber) => tracer.context(execute, fiber)
        })
      )
    )
  )

it("every operation has a span with the thread it is about", () => {
  const names: Array<string> = []
  return Host.run(
    Effect.gen(function* () {
      const thread = yield* (yield* Threads).start({ settings: { model: "m" } })
      yield* Effect.scoped(thread.startTurn("Hello")).pipe(
        Effect.withTracerEnabled(true),
        Effect.provide(recording(names))
      )
      expect(names).toEqual(
        expect.arrayContaining(["LiveThread.startTurn", "ThreadStore.append", "LiveThread.abandon"])
      )
    })
  )
})
