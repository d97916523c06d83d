/**
 * Reads a rollout file, with everything that it inherits from other files, and prints what the model must see next.
 *
 * A record goes three ways: unreadable ones are values that say why, the others are folded, and the folded state
 * answers.
 */
import { fileURLToPath } from "node:url"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as Prompt from "@skein/core/fold/Prompt"
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import * as RolloutLog from "@skein/store-fs/RolloutLog"
import { Console, Effect } from "effect"

const home = fileURLToPath(new URL("../../../samples/0.169.0/sessions/2026/11/20/", import.meta.url))

/** A fork of a thread that was reverted: its history lies in three files. */
const sample = `${home}rollout-2026-11-20T11-54-14-01a1f8ce-a35f-7861-98a8-a4f69fe15f75.jsonl`

const show = (path: string) =>
  Effect.gen(function* () {
    const log = yield* RolloutLog.open(path)
    const fold = ModelContext.fold()
    let state = fold.initial

    yield* EffectiveLog.forward(log, (decoded) => {
      if (decoded.kind === "damage") console.error(`byte ${decoded.line.offset}: ${decoded.detail}`)
      else if (decoded.kind !== "blank") state = fold.step(state, decoded)
      return true
    })

    const context = ModelContext.read(state)
    const prompt = Prompt.normalise(context.history)
    yield* Console.log(`window ${context.window.number}, ${prompt.length} items from ${log.pieces.length} files`)
    for (const item of prompt) yield* Console.log(describe(item))
  })

const describe = (item: ResponseItem): string => {
  if (item.type !== "message") return item.type
  const text = item.content.map((part) => ("text" in part ? part.text : `[${part.type}]`)).join(" ")
  return `${item.role}: ${text.replaceAll(/\s+/g, " ").slice(0, 80)}`
}

const [path = sample] = process.argv.slice(2)

NodeRuntime.runMain(Effect.scoped(show(path)).pipe(Effect.provide(NodeContext.layer)))
