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
 * decoded: its lines are counted, and compactions among them are looked for, since the window's number may hang on it.
 * Cost: one pass over the bytes; where a damaged line was met, another one up to it, for its number.
 */
export const modelContext = <E>(log: EffectiveLog.EffectiveLog<E>): Effect.Effect<Answer, E> =>
  Effect.gen(function* () {
    const scan = ModelContext.backward()
    const damaged: Array<Damaged> = []
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
    const counted = yield* count(rest)
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
      recordsTotal: recordsRead + counted.lines,
      diagnostics: [...log.diagnostics, ...(yield* diagnosticsOf(log, damaged))]
    }
  })

/** A damaged line and the piece that it stands in. */
interface Damaged {
  readonly damage: Damage
  readonly piece: number
}

interface Counted {
  /** Blank ones are not among them. */
  readonly lines: number
  readonly compactions: number
  readonly unnumbered: boolean
}

/** What there is in the part of a log that was not decoded. */
const count = <E>(rest: EffectiveLog.EffectiveLog<E> | undefined): Effect.Effect<Counted, E> =>
  Effect.gen(function* () {
    let lines = 0
    let compactions = 0
    let unnumbered = false
    if (rest === undefined) return { lines, compactions, unnumbered }
    yield* EffectiveLog.lines(rest, (line) => {
      if (Jsonl.isBlank(line)) return true
      lines++
      const head = Sniff.head(line.bytes)
      if (head !== undefined && head.type !== "compacted") return true
      const decoded = Record.decode(line)
      if (decoded.kind !== "compacted") return true
      compactions++
      unnumbered ||= (decoded.payload.window_number ?? undefined) === undefined
      return true
    })
    return { lines, compactions, unnumbered }
  })

/** What is told of damaged lines, the first one first: a reading from the end does not know their numbers. */
const diagnosticsOf = <E>(
  log: EffectiveLog.EffectiveLog<E>,
  damaged: ReadonlyArray<Damaged>
): Effect.Effect<ReadonlyArray<Diagnostic>, E> =>
  Effect.gen(function* () {
    if (damaged.length === 0) return []
    const keyOf = (line: RawLine, piece: number) => `${piece}:${line.offset}`
    const numbers = new Map<string, number | undefined>()
    const wanted = new Set(damaged.map(({ damage, piece }) => keyOf(damage.line, piece)))
    yield* EffectiveLog.lines(log, (line, piece) => {
      const key = keyOf(line, piece)
      if (wanted.has(key)) numbers.set(key, line.number)
      return numbers.size < wanted.size
    })
    return damaged
      .map(({ damage, piece }) => {
        const path = log.pieces[piece]?.source.path ?? ""
        return { ...ofDamage(path, damage), line: numbers.get(keyOf(damage.line, piece)) }
      })
      .reverse()
  })
