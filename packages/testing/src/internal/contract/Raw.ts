/** Threads as another program wrote them: their bytes, line by line, brought into a store. */
import * as Derived from "@skein/store/Derived"
import * as LineSource from "@skein/store/LineSource"
import type { Position } from "@skein/store/Position"
import type { Explicit } from "@skein/store/Summary"
import type { Exported } from "@skein/store/ThreadStore"
import * as Drafts from "../../Drafts.js"
import * as Script from "../../Script.js"
import type { Thread } from "../../Thread.js"
import type { File } from "../../ThreadWriter.js"

const encoder = new TextEncoder()

/** A line by its text. */
export const text = (line: string): Uint8Array => encoder.encode(line)

/** A record as a line, in the spelling of writers. */
export const line = ({ payload, type }: Script.Line, ms = 0, ordinal?: number): Uint8Array =>
  text(JSON.stringify({ timestamp: Drafts.stamp(ms), ordinal, type, payload }))

/** A segment of a thread that comes from elsewhere. */
export interface Segment {
  readonly segmentId: string
  readonly base?: Position | undefined
  readonly lines: ReadonlyArray<Uint8Array>
}

/** What is said of a thread beside its lines. */
export interface About {
  readonly historyMode?: string
  readonly archivedAt?: number
  readonly explicit?: Explicit
}

/** A thread as another store would export it. */
export const exported = (threadId: string, segments: ReadonlyArray<Segment>, about: About = {}): Exported => ({
  row: {
    threadId,
    historyMode: about.historyMode ?? "legacy",
    archivedAt: about.archivedAt,
    explicit: about.explicit ?? {},
    derived: Derived.empty,
    madeAt: Drafts.epoch
  },
  segments: segments.map(({ base, lines, segmentId }) => ({
    segmentId,
    base,
    source: LineSource.ofLines(lines, segmentId),
    madeAt: Drafts.epoch
  }))
})

/** A thread of a single segment. */
export const thread = (n: number, lines: ReadonlyArray<Uint8Array>, about: About = {}): Exported =>
  exported(Drafts.id(n), [{ segmentId: Drafts.id(n), lines }], about)

/** A segment that stands on another, as paginated threads name it. */
export const standing = (n: number, base: Position, ordinal: number): Segment => ({
  segmentId: Drafts.id(n),
  base,
  lines: [
    line(
      Script.header({
        id: Drafts.id(n),
        session_id: Drafts.id(n),
        history_mode: "paginated",
        history_base: { thread_id: base.segmentId, end_ordinal_exclusive: ordinal, end_byte_offset: base.offset }
      }),
      n,
      ordinal
    ),
    line(Script.assistant(`own ${n}`), n, ordinal + 1)
  ]
})

const named = /rollout-.{19}-(.{36})(?:_(.{36}))?\.jsonl$/

/** The threads of a well-formed one and of those that it was forked from, oldest first. */
export const threads = ({ files }: Thread): ReadonlyArray<Exported> => {
  const found = new Map<string, Array<Segment>>()
  for (const file of files) {
    const [, threadId = "", segmentId = threadId] = named.exec(file.name) ?? []
    const segments = found.get(threadId) ?? []
    segments.push({ segmentId, base: baseOf(file), lines: file.lines.map(text) })
    found.set(threadId, segments)
  }
  const isPaginated = files.some((file) => file.lines[0]?.includes('"history_mode":"paginated"') === true)
  return [...found].map(([threadId, segments]) =>
    exported(threadId, segments, { historyMode: isPaginated ? "paginated" : "legacy" })
  )
}

const baseOf = (file: File): Position | undefined => {
  const header = JSON.parse(file.lines[0] ?? "{}") as {
    readonly payload?: { readonly history_base?: { readonly thread_id: string; readonly end_byte_offset: number } }
  }
  const base = header.payload?.history_base
  return base === undefined ? undefined : { segmentId: base.thread_id, offset: base.end_byte_offset }
}
