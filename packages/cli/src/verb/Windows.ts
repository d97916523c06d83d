/** `skein windows`: the context windows of a thread, from the first to the present one. */
import * as ContextWindow from "@skein/core/fold/ContextWindow"
import * as Fragment from "@skein/core/fold/Fragment"
import * as Rebuild from "@skein/core/fold/Rebuild"
import * as ReplayScan from "@skein/core/fold/ReplayScan"
import type { Of } from "@skein/core/record/Record"
import type { Diagnostic } from "@skein/store/Diagnostic"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import { Effect } from "effect"
import * as Position from "../Position.js"
import * as Reading from "../Reading.js"
import * as Source from "../Source.js"
import * as Text from "../Text.js"

/** One window, or a compaction that would have opened one but for a rollback. */
export interface Window {
  readonly number: number | null
  readonly id: string | null
  readonly firstId: string | null
  readonly previousId: string | null
  readonly file: string
  readonly offset: number
  readonly timestamp: string
  /** What opened it: the start of the thread, or a compaction with or without the whole new history. */
  readonly openedBy: "session_meta" | "replacement" | "rebuild"
  readonly rolledBack: boolean
}

/** What `skein windows --json` prints for a file. */
export interface WindowsDocument {
  readonly file: string
  readonly threadId: string | null
  readonly current: { readonly number: number; readonly id: string | null }
  readonly windows: ReadonlyArray<Window>
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

/** The windows of a file's effective log, at its end or at a position. Cost: one pass over the whole log. */
export const windows = (file: string, at: string | undefined) =>
  Effect.scoped(
    Effect.gen(function* () {
      const opened = yield* Source.open(file)
      const log = at === undefined ? opened : yield* Position.before(opened, at)
      const scan = ReplayScan.make({ registry: Fragment.newest, rebuildTokens: Rebuild.defaultTokens })
      const compactions: Array<{ readonly record: Of<"compacted">; readonly piece: number }> = []
      yield* EffectiveLog.backward(log, (decoded, piece) => {
        if (!EffectiveLog.isRecord(decoded)) return true
        if (decoded.kind === "compacted") compactions.push({ record: decoded, piece })
        scan.add(decoded)
        return true
      })
      const { undone } = scan.finish(log.whole)
      const { context, diagnostics } = yield* Reading.modelContext(log)
      const pathOf = (piece: number): string => log.pieces[piece]?.source.path ?? file
      const later = compactions.reverse().map(({ record, piece }): Window => {
        const lineage = ContextWindow.fromCompacted(record.payload)
        const whole = ReplayScan.hasReplacement(record.payload)
        return {
          ...idsOf(lineage),
          file: pathOf(piece),
          offset: record.line.offset,
          timestamp: record.timestamp,
          openedBy: whole ? "replacement" : "rebuild",
          // A compaction without replacement is never undone (replay-semantics §1.4.2).
          rolledBack: whole && undone.has(record)
        }
      })
      const document: WindowsDocument = {
        file,
        threadId: log.meta?.payload.id ?? null,
        current: { number: context.window.number, id: context.window.id ?? null },
        windows: [...first(log, file), ...later],
        diagnostics
      }
      return document
    })
  )

const idsOf = (lineage: ContextWindow.Lineage | undefined) => ({
  number: lineage?.number ?? null,
  id: lineage?.id ?? null,
  firstId: lineage?.firstId ?? null,
  previousId: lineage?.previousId ?? null
})

const first = (log: Source.Log, file: string): ReadonlyArray<Window> => {
  const { meta } = log
  if (meta === undefined) return []
  const id = meta.payload.context_window?.window_id
  const lineage = id === undefined ? undefined : ContextWindow.fromMeta(id)
  return [
    {
      ...idsOf(lineage),
      number: 0,
      file,
      offset: meta.line.offset,
      timestamp: meta.timestamp,
      openedBy: "session_meta",
      rolledBack: false
    }
  ]
}

/** The document for a person. */
export const render = (document: WindowsDocument, style: Text.Style): string =>
  Text.lines([
    style.strong(document.file),
    ...document.windows.map((window) => {
      const text = `  ${String(window.number ?? "?").padStart(4)}  ${window.timestamp}  ${window.id ?? "no id"}  ${opened[window.openedBy]}`
      return window.rolledBack ? style.dim(`${text}, rolled back`) : text
    }),
    `  now in window ${document.current.number}`,
    ...Text.diagnostics(document.diagnostics, style)
  ])

const opened: Readonly<Record<Window["openedBy"], string>> = {
  session_meta: "start of the thread",
  replacement: "compaction",
  rebuild: "compaction without replacement history"
}
