/** `skein demo`, which is `npm start`: replays threads and draws what they come to. */
import { FileSystem, Path } from "@effect/platform"
import { Effect, Ref } from "effect"
import * as Output from "../Output.js"
import * as Text from "../Text.js"
import type { ContextDocument } from "./Context.js"
import * as Context from "./Context.js"
import * as Verify from "./Verify.js"

/** The folder of the bundled sample threads, above the built command. */
const samples = Effect.gen(function* () {
  const paths = yield* Path.Path
  const here = yield* paths.fromFileUrl(new URL(import.meta.url)).pipe(Effect.orDie)
  const fs = yield* FileSystem.FileSystem
  let folder = paths.dirname(here)
  for (;;) {
    const candidate = paths.join(folder, "samples")
    if (yield* fs.exists(candidate).pipe(Effect.orElseSucceed(() => false))) return candidate
    const parent = paths.dirname(folder)
    if (parent === folder) return undefined
    folder = parent
  }
})

/** Draws each thread of the given files and homes, or of the samples. */
export const demo = (given: ReadonlyArray<string>, status: Ref.Ref<number>) =>
  Effect.gen(function* () {
    const bundled = given.length === 0 ? yield* samples : undefined
    const paths = bundled === undefined ? given : [bundled]
    if (paths.length === 0) {
      yield* Output.error("No path was given and the samples are not here. Name a rollout file or a Codex home.")
      return yield* Ref.set(status, 2)
    }
    const style = Output.style()
    let shown = 0
    let refused = 0
    for (const path of paths) {
      for (const file of yield* Verify.files(path)) {
        const document = yield* Effect.either(Context.context(file, undefined))
        if (document._tag === "Left") {
          refused++
          yield* Output.print(`${style.warn("✗")} ${style.strong(file)}\n  ${document.left.message}\n\n`)
        } else {
          shown++
          yield* Output.print(draw(document.right, style))
        }
      }
    }
    if (bundled === undefined && refused > 0) yield* Ref.set(status, 1)
    yield* Output.print(
      `${Text.plural(shown, "thread")} replayed${refused === 0 ? "" : `, ${refused} refused`}.` +
        (bundled === undefined ? "\n" : " Your own: npm start -- <rollout file or Codex home>\n")
    )
  })

const draw = (document: ContextDocument, style: Text.Style): string => {
  const { prompt, window } = document
  const read =
    document.recordsRead < document.recordsTotal
      ? `read ${document.recordsRead} of ${document.recordsTotal} records, from the end`
      : `read ${Text.plural(document.recordsTotal, "record")}`
  return Text.lines([
    `${style.good("●")} ${style.strong(document.file)}`,
    `  thread ${document.threadId ?? "unknown"} · window ${window.number} · ${read}`,
    ...skeleton(prompt, style).map((line) => `  │ ${line}`),
    `  └ ${style.dim(`the model sees ${Text.plural(prompt.length, "item")} next${settings(document)}`)}`,
    ...Text.diagnostics(document.diagnostics, style),
    ""
  ])
}

const settings = (document: ContextDocument): string => {
  const previous = document.previousTurnSettings
  const model = typeof previous === "object" && previous !== null && "model" in previous ? previous.model : undefined
  return typeof model === "string" ? `; its last turn ran ${model}` : ""
}

/** A line for each of the first and last items of a prompt, and one for what stands between them in a long one. */
const skeleton = (prompt: ContextDocument["prompt"], style: Text.Style): ReadonlyArray<string> => {
  const describe = (item: ContextDocument["prompt"][number]): string => Context.describe(item, style)
  if (prompt.length <= 12) return prompt.map(describe)
  return [
    ...prompt.slice(0, 5).map(describe),
    style.dim(`⋮ ${prompt.length - 10} more`),
    ...prompt.slice(-5).map(describe)
  ]
}
