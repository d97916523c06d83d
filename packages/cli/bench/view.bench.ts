/**
 * `npm run bench -- view`: what the view and the summaries cost beside bare reading and `JSON.parse`, and what one more
 * turn costs as the view grows. Options: `--size 128` (megabytes), `--rounds 3`.
 */
import { parseArgs } from "node:util"
import * as AgentTree from "@skein/core/fold/AgentTree"
import * as Fold from "@skein/core/fold/Fold"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as Recency from "@skein/core/fold/Recency"
import * as ThreadSummary from "@skein/core/fold/ThreadSummary"
import * as TokenUsage from "@skein/core/fold/TokenUsage"
import * as ThreadView from "@skein/core/fold/view/ThreadView"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import * as RolloutLog from "@skein/store-fs/RolloutLog"
import * as Script from "@skein/testing/Script"
import { Effect } from "effect"
import { bare, compare, conclude, inFolder, limit, measure, megabyte, nameOf, run } from "./measure.js"
import { writeThread } from "./synthetic.js"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: "string", default: "128" },
    rounds: { type: "string", default: "3" },
    // What the benchmark calls itself with, for a process to itself.
    task: { type: "string" }
  }
})

/** Every fold there is in one pass, every line checked for damage. */
const foldAll = (path: string) =>
  run(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* RolloutLog.open(path)
        const fold = Fold.struct({
          context: ModelContext.fold(),
          view: ThreadView.fold(),
          summary: ThreadSummary.fold,
          recency: Recency.fold,
          usage: TokenUsage.fold,
          agent: AgentTree.fold
        })
        const cursor = Fold.cursor(fold)
        const take: EffectiveLog.Take = (decoded) => {
          if (EffectiveLog.isRecord(decoded)) cursor.add(decoded)
          return true
        }
        yield* EffectiveLog.forward(log, take, { passing: true })
        const { context, view } = cursor.state()
        return [ModelContext.read(context), ThreadView.turns(view).length]
      })
    )
  )

/** A summary alone: most lines are passed over by their heads. */
const summarise = (path: string) =>
  run(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* RolloutLog.open(path)
        let summary = ThreadSummary.empty
        yield* EffectiveLog.forward(
          log,
          (decoded) => {
            if (EffectiveLog.isRecord(decoded)) summary = ThreadSummary.fold.step(summary, decoded)
            return true
          },
          { wants: (head) => ThreadSummary.wants(head, summary), passing: true }
        )
        return summary
      })
    )
  )

/** The view alone: lines that make no item are passed over by their heads. */
const viewOf = (path: string) =>
  run(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* RolloutLog.open(path)
        const cursor = ThreadView.cursor()
        const take: EffectiveLog.Take = (decoded) => {
          if (EffectiveLog.isRecord(decoded)) cursor.add(decoded)
          return true
        }
        const wants: EffectiveLog.Wants = (head, bytes) => {
          if (ThreadView.wants(head, bytes)) return true
          cursor.passOver(head)
          return false
        }
        yield* EffectiveLog.forward(log, take, { wants, passing: true })
        return ThreadView.turns(cursor.state()).length
      })
    )
  )

const turn = (n: number) =>
  Script.turn(`turn-${n}`, `Question ${n}`, {
    type: "event_msg",
    payload: { type: "agent_message", message: `Answer ${n}`, phase: null, memory_citation: null }
  })

/** Applies one new turn to a view of so many, a thousand times: the view itself is left as it was. */
const oneMore = (turns: number) => {
  const fold = ThreadView.fold()
  const lines = Array.from({ length: turns }, (_, i) => turn(i))
  const view = Fold.run(fold, Script.log(Script.header(), lines))
  const next = Script.log(turn(turns))
  return () => {
    for (let i = 0; i < 1000; i++) Fold.run(fold, next, view)
  }
}

const tasks = {
  bare: (path: string) => () => bare(path),
  all: (path: string) => () => foldAll(path),
  summary: (path: string) => () => summarise(path),
  view: (path: string) => () => viewOf(path),
  more: (turns: string) => oneMore(Number(turns))
}

const main = () =>
  inFolder(async (folder) => {
    const size = Number(values.size)
    const path = nameOf(folder, size)
    await writeThread({ path, bytes: size * megabyte, window: 2 * megabyte, tail: megabyte })
    const names = ["bare", "all", "summary", "view"]
    const [parse = 0, all = 0, summary = 0, view = 0] = compare(
      Number(values.rounds),
      names.map((name) => [name, path])
    )
    console.log(`${size} MB`)
    console.log(`  bare read + JSON.parse of every line  ${parse.toFixed(1)} ms`)
    console.log(`  all folds, with damage detection      ${all.toFixed(1)} ms  ${limit("all folds", all / parse, 1.8)}`)
    console.log(
      `  summary alone                         ${summary.toFixed(1)} ms  ${limit("summary", summary / parse, 0.6)}`
    )
    console.log(`  view alone                            ${view.toFixed(1)} ms  ${limit("view", view / parse, 1)}`)
    const [few = 0, many = 0] = compare(Number(values.rounds), [
      ["more", "10"],
      ["more", "10000"]
    ])
    console.log(`  one more turn on a view of 10         ${few.toFixed(2)} µs`)
    console.log(
      `  one more turn on a view of 10 000     ${many.toFixed(2)} µs  ${limit("one more turn", many / few, 1.5)}`
    )
    conclude()
  })

if (values.task === undefined) await main()
else {
  const [argument = ""] = positionals
  console.log(await measure(tasks[values.task as keyof typeof tasks](argument)))
}
