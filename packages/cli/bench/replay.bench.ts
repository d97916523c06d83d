/**
 * `npm run bench -- replay`: what a replay costs beside bare reading and `JSON.parse`, as the thread grows.
 *
 * Every figure stands beside its bare counterpart, measured in the same run and in turn with it. Options: `--sizes
 * 1,16,128,1024` (megabytes), `--rounds 3`.
 */
import { rmSync } from "node:fs"
import { parseArgs } from "node:util"
import * as Fold from "@skein/core/fold/Fold"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as ReplayLog from "@skein/core/fold/ReplayLog"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import * as RolloutLog from "@skein/store-fs/RolloutLog"
import { Effect } from "effect"
import { verify } from "../src/verb/Verify.js"
import { bare, child, compare, conclude, inFolder, limit, measure, megabyte, nameOf, run } from "./measure.js"
import { writeThread } from "./synthetic.js"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    sizes: { type: "string", default: "1,16,128,1024" },
    rounds: { type: "string", default: "3" },
    // What the benchmark calls itself with, for a process to itself.
    task: { type: "string" },
    peak: { type: "boolean" },
    empty: { type: "boolean" }
  }
})

/** Folds a whole file: history, settings, world state and window, every line checked for damage. */
const foldWhole = (path: string) =>
  run(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* RolloutLog.open(path)
        const cursor = Fold.cursor(ModelContext.fold())
        let damaged = 0
        const take: EffectiveLog.Take = (decoded) => {
          if (EffectiveLog.isRecord(decoded)) cursor.add(decoded)
          else if (decoded.kind === "damage") damaged++
          return true
        }
        yield* EffectiveLog.forward(log, take, { passing: true })
        return { context: ModelContext.read(cursor.state()), damaged }
      })
    )
  )

/** Answers from the end of a file. Gives the offset at which it stopped. */
const answerBackward = (path: string) =>
  run(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* RolloutLog.open(path)
        const scan = ModelContext.backward()
        const rest = yield* EffectiveLog.backward(
          log,
          (decoded) => {
            if (EffectiveLog.isRecord(decoded)) scan.add(decoded)
            return !scan.settled()
          },
          scan.wants
        )
        const context = scan.finish(rest === undefined, {
          ...ReplayLog.emptyHead,
          whole: false,
          compactions: undefined
        })
        return { context, from: rest?.pieces.at(-1)?.to ?? 0 }
      })
    )
  )

const tasks = {
  bare: (path: string, from: number) => bare(path, from),
  fold: (path: string) => foldWhole(path),
  verify: (path: string) => run(verify(path)),
  answer: (path: string) => answerBackward(path)
}

const peakMemory = (): void => console.log(process.resourceUsage().maxRSS / 1024)

const main = async (): Promise<void> => {
  const rounds = Number(values.rounds)
  await inFolder(async (folder) => {
    const answers: Array<number> = []
    for (const size of values.sizes.split(",").map(Number)) {
      const path = nameOf(folder, size)
      await writeThread({ path, bytes: size * megabyte, window: 2 * megabyte, tail: megabyte })
      const { from } = await answerBackward(path)
      const [end = 0, answer = 0] = compare(rounds, [
        ["bare", path, String(from)],
        ["answer", path]
      ])
      const [parse = 0, fold = 0, check = 0] = compare(rounds, [
        ["bare", path, "0"],
        ["fold", path],
        ["verify", path]
      ])
      answers.push(answer)
      console.log(`${size} MB`)
      console.log(`  bare read + JSON.parse of every line  ${parse.toFixed(1)} ms`)
      console.log(
        `  fold of the whole file                ${fold.toFixed(1)} ms  ${limit(`fold at ${size} MB`, fold / parse, 1.8)}`
      )
      console.log(
        `  verify                                ${check.toFixed(1)} ms  ${limit(`verify at ${size} MB`, check / parse, 1.6)}`
      )
      console.log(`  bare read + parse of the needed end   ${end.toFixed(2)} ms`)
      console.log(
        `  answer from the end                   ${answer.toFixed(2)} ms  ${limit(`answer at ${size} MB beside its bytes`, answer / end, 2.5)}`
      )
      if (size === 128) limit("answer at 128 MB beside the full parse", (100 * answer) / parse, 5, "%")
      if (size === 1024) {
        const empty = child("--empty")
        const peak = child("--peak", path)
        console.log(
          `  peak memory of a fold                 ${peak.toFixed(0)} MB, empty process ${empty.toFixed(0)} MB`
        )
        limit("peak memory of a fold over 1 GB above an empty process", peak - empty, 250, "MB")
      }
      rmSync(path)
    }
    if (answers.length > 1)
      limit("answer, slowest thread beside the smallest", Math.max(...answers) / (answers[0] ?? 1), 1.5)
    conclude()
  })
}

const [path = "", from = "0"] = positionals
if (values.empty === true) peakMemory()
else if (values.peak === true) {
  await foldWhole(path)
  peakMemory()
} else if (values.task !== undefined) {
  const task = tasks[values.task as keyof typeof tasks]
  console.log(await measure(() => task(path, Number(from))))
} else await main()
