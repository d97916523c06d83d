/** What a page does that shows a thread: bytes to lines, records, the view, and what the model must see next. */
import * as Fold from "../../src/fold/Fold.js"
import * as ModelContext from "../../src/fold/ModelContext.js"
import * as Prompt from "../../src/fold/Prompt.js"
import * as ThreadView from "../../src/fold/view/ThreadView.js"
import * as Jsonl from "../../src/record/Jsonl.js"
import * as Record from "../../src/record/Record.js"

/** The answers as JSON; `undefined` fields are gone from it, wherever it was made. */
export const replay = (text: string): string => {
  const lines: Array<Jsonl.RawLine> = []
  const splitter = Jsonl.forward()
  const take = (line: Jsonl.RawLine) => lines.push(line) > 0
  splitter.push(new TextEncoder().encode(text), take)
  splitter.end(take)

  const cursor = Fold.cursor(Fold.struct({ view: ThreadView.fold(), context: ModelContext.fold() }))
  const damage: Array<string> = []
  let form: Record.Form = "enveloped"
  lines.forEach((line, i) => {
    let decoded = Record.decode(line, form)
    // The first line says how the others are written.
    if (i === 0 && decoded.kind !== "session_meta") {
      const bare = Record.decode(line, "bare")
      if (bare.kind === "session_meta") decoded = bare
    }
    if (i === 0 && decoded.kind === "session_meta") form = Record.formOf(decoded)
    // The detail is in the words of the runtime's own parser.
    if (decoded.kind === "damage") damage.push(`${decoded.line.offset} ${decoded.reason}`)
    else if (decoded.kind !== "blank") cursor.add(decoded)
  })

  const { context, view } = cursor.state()
  const { history, ...rest } = ModelContext.read(context)
  return JSON.stringify({ turns: ThreadView.turns(view), prompt: Prompt.normalise(history), rest, damage })
}
