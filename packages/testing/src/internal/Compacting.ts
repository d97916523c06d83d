/** Compactions, as the records that they leave. */
import * as Boundary from "@skein/core/fold/Boundary"
import type { Compaction } from "../ThreadModel.js"
import * as Context from "./Context.js"
import type { Pen } from "./Pen.js"
import { event, messageOf, put, shown } from "./Pen.js"

/**
 * Writes the summary and, where it is recorded, the new history; in front of that stands the context when the turn goes
 * on.
 */
export const compact = (pen: Pen, compaction: Compaction, goesOn: boolean): void => {
  const summary = pen.form === "0.42.0" ? "What was done." : `${Boundary.summaryLine}\nWhat was done.`
  const { texts, window } = pen.state
  const next = { number: window.number + 1, first: window.first, previous: window.id, id: pen.clock.uuid() }
  const kept = [...texts, summary].map((text) => messageOf("user", text))
  const front = goesOn ? [messageOf("developer", Context.permissions), messageOf("user", Context.environment(pen))] : []
  put(pen, "compacted", {
    message: summary,
    ...(compaction === "rebuilt"
      ? {}
      : {
          replacement_history: [...front, ...kept].map((one) => ({ type: "message", ...one })),
          window_number: next.number,
          first_window_id: next.first,
          previous_window_id: next.previous,
          window_id: next.id
        })
  })
  const hasContext = goesOn && compaction === "replaced"
  pen.state = { ...pen.state, window: next, told: undefined, hasContext }
}

/** Writes that a compaction is done. */
export const compacted = (pen: Pen): void =>
  pen.form === "0.63.0" || pen.form === "0.42.0"
    ? event(pen, "agent_message", { message: "Compact task completed" })
    : shown(pen, "ContextCompaction", { id: pen.clock.uuid() }, [["context_compacted", {}]])
