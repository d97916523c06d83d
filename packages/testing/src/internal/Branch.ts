/** Threads that stand on others: reverts, and forks of either kind. */
import * as Context from "./Context.js"
import type { Pen } from "./Pen.js"
import { copy, firstWindow, openFile } from "./Pen.js"
import * as Steps from "./Steps.js"

/** Where the last turns begin, and what was in memory there. */
const startOf = (pen: Pen, turns: number) => (turns === 0 ? undefined : pen.starts[pen.starts.length - turns])

/** Goes on in another file that stands on this log up to, and without, one of its lines. */
export const branch = (pen: Pen, turns: number, kind: "revert" | "fork"): void => {
  const from = startOf(pen, turns)
  const at = from?.at ?? pen.log.length
  const cut = pen.log[at]
  // The base is the file in which that line stands, so that its offset there is the end of what is inherited.
  const file = pen.files[cut?.file ?? pen.files.length - 1]
  const base = {
    thread_id: file?.id,
    end_ordinal_exclusive: cut?.ordinal ?? (pen.log.at(-1)?.ordinal ?? -1) + 1,
    end_byte_offset: cut?.offset ?? file?.bytes
  }
  takeBack(pen, turns)
  pen.log = pen.log.slice(0, at)
  if (kind === "revert") {
    openFile(pen, pen.clock.uuid())
    Context.header(pen, { history_base: base })
    return
  }
  const source = becomeFork(pen)
  openFile(pen, pen.threadId)
  Context.header(pen, {
    forked_from_id: source,
    forked_from_ordinal_exclusive: base.end_ordinal_exclusive,
    history_base: base
  })
  endOpenTurn(pen, turns)
}

/** Goes on in another file, of another thread, into which this log is copied (since-july). */
export const copied = (pen: Pen, turns: number): void => {
  const at = startOf(pen, turns)?.at ?? pen.log.length
  const lines = pen.log.slice(0, at)
  takeBack(pen, turns)
  const source = becomeFork(pen)
  openFile(pen, pen.threadId)
  pen.log = []
  Context.header(pen, { forked_from_id: source })
  for (const line of lines) copy(pen, line)
  // One line stands in front of the copies.
  pen.starts = pen.starts.map((start) => ({ ...start, at: start.at + 1 }))
  pen.asked = pen.asked.map((index) => index + 1)
  endOpenTurn(pen, turns)
}

/** What the writer remembers, without the last turns. */
export const takeBack = (pen: Pen, turns: number): void => {
  const from = startOf(pen, turns)
  if (from === undefined) return
  pen.isOpen = false
  pen.state = from.state
  pen.starts = pen.starts.slice(0, pen.starts.length - turns)
  pen.asked = pen.asked.filter((index) => index < from.at)
}

/** Makes another thread of the present one; gives the id of that. */
const becomeFork = (pen: Pen): string => {
  const source = pen.threadId
  pen.threadId = pen.clock.uuid()
  pen.session = pen.threadId
  pen.firstWindowId = pen.clock.uuid()
  // A fork opens a window of its own, unless it goes on in one that a compaction opened.
  if (pen.state.window.number === 0) pen.state = { ...pen.state, window: firstWindow(pen.firstWindowId) }
  return source
}

/** A fork of a turn that still ran has it interrupted (replay-semantics §5.1). */
const endOpenTurn = (pen: Pen, turns: number): void => {
  if (turns === 0 && pen.isOpen) Steps.interrupted(pen, {})
  pen.isOpen = false
}
