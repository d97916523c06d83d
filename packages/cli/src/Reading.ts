/** Reads a log's answers: the scan from its end, and what it takes to be honest about them. */
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as ReplayLog from "@skein/core/fold/ReplayLog"
import type { Damage, RawLine } from "@skein/core/record/Jsonl"
import * as Jsonl from "@skein/core/record/Jsonl"
import * as Record from "@skein/core/record/Record"
import type { SessionMeta } from "@skein/core/record/SessionMeta"
import * as Sniff from "@skein/core/record/Sniff"
import type { Diagnostic } from "@skein/store/Diagnostic"
import { ofDamage } from "@skein/store/Diagnostic"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import { Effect } from "effect"

/** A model context and how it was come by. */
export interface Answer {
  readonly context: ModelContext.ModelContext
  /** Lines that were decoded, blank ones not counted. */
  readonly recordsRead: number
  /** Lines of the effective log, blank ones not counted. */
  readonly recordsTotal: number
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

/**
 * The model context at the end of a log.
 *
 * Decodes from the end to the newest compaction that survived and the turn that settings come from. The rest is not
 * decoded: its lines are counted, and compactions among them are looked for when the window's number hangs on it.
 */
export const modelContext = <E>(log: EffectiveLog.EffectiveLog<E>): Effect.Effect<Answer, E> =>
  Effect.gen(function* () {
    const scan = ModelContext.backward()
    const damaged: Array<{ readonly damage: Damage; readonly piece: number }> = []
    const own = log.meta?.payload
    let version: SessionMeta["multi_agent_version"]
    let recordsRead = 0
    const rest = yield* EffectiveLog.backward(log, (decoded, piece) => {
      if (decoded.kind === "blank") return true
      recordsRead++
      if (decoded.kind === "damage") {
        damaged.push({ damage: decoded, piece })
        return true
      }
      if (decoded.kind === "session_meta" && decoded.payload.id === own?.id) {
        version ??= decoded.payload.multi_agent_version
      }
      scan.add(decoded)
      return !scan.settled()
    })
    const counted = yield* count(log, rest, damaged)
    const header = log.meta === undefined ? ReplayLog.emptyHead : ReplayLog.noteHead(ReplayLog.emptyHead, log.meta)
    const context = scan.finish(rest === undefined && log.whole, {
      ...header,
      multiAgentVersion: version ?? header.multiAgentVersion,
      compactions: log.whole ? scan.compactions() + counted.compactions : undefined,
      unnumbered: counted.unnumbered,
      whole: false
    })
    return {
      context,
      recordsRead,
      recordsTotal: counted.lines,
      diagnostics: [...log.diagnostics, ...counted.diagnostics]
    }
  })

interface Counted {
  readonly lines: number
  readonly compactions: number
  readonly unnumbered: boolean
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

/** One pass over the line ends: how many lines there are, and the numbers of the damaged ones. */
const count = <E>(
  log: EffectiveLog.EffectiveLog<E>,
  rest: EffectiveLog.EffectiveLog<E> | undefined,
  damaged: ReadonlyArray<{ readonly damage: Damage; readonly piece: number }>
): Effect.Effect<Counted, E> =>
  Effect.gen(function* () {
    const unread = rest === undefined ? undefined : { piece: rest.pieces.length - 1, to: rest.pieces.at(-1)?.to ?? 0 }
    const numbers = new Map<string, number>()
    const wanted = new Set(damaged.map(({ damage, piece }) => `${piece}:${damage.line.offset}`))
    let lines = 0
    let compactions = 0
    let unnumbered = false
    const seen = (line: RawLine, piece: number): void => {
      if (!Jsonl.isBlank(line)) lines++
      if (wanted.size > 0 && line.number !== undefined) {
        const key = `${piece}:${line.offset}`
        if (wanted.has(key)) numbers.set(key, line.number)
      }
      if (unread === undefined || piece > unread.piece || (piece === unread.piece && line.offset >= unread.to)) return
      const head = Sniff.head(line.bytes)
      if (head !== undefined && head.type !== "compacted") return
      const decoded = Record.decode(line)
      if (decoded.kind !== "compacted") return
      compactions++
      unnumbered ||= (decoded.payload.window_number ?? undefined) === undefined
    }
    yield* EffectiveLog.lines(log, (line, piece) => {
      seen(line, piece)
      return true
    })
    const diagnostics = damaged
      .map(({ damage, piece }) => {
        const path = log.pieces[piece]?.source.path ?? ""
        return { ...ofDamage(path, damage), line: numbers.get(`${piece}:${damage.line.offset}`) }
      })
      .reverse()
    return { lines, compactions, unnumbered, diagnostics }
  })
