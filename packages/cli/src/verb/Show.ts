/** `skein show`: what the user of a thread saw. */
import * as Fold from "@skein/core/fold/Fold"
import * as Recency from "@skein/core/fold/Recency"
import * as ThreadSummary from "@skein/core/fold/ThreadSummary"
import type { ThreadItem } from "@skein/core/fold/view/ThreadItem"
import * as ThreadView from "@skein/core/fold/view/ThreadView"
import type { Turn } from "@skein/core/fold/view/Turn"
import { whenIdle } from "@skein/core/fold/view/Turn"
import type { StoredRecord } from "@skein/core/record/Record"
import type { Diagnostic } from "@skein/store/Diagnostic"
import { ofDamage } from "@skein/store/Diagnostic"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import { InvalidRequest } from "@skein/store/StoreError"
import { Effect } from "effect"
import * as Position from "../Position.js"
import * as Source from "../Source.js"
import * as Text from "../Text.js"
import * as Transcript from "../Transcript.js"

/** What is known of the thread beside its turns (thread-view §2.2). */
export interface Thread extends ThreadSummary.ThreadFields {
  /** Seconds since 1970. */
  readonly updatedAt: number | null
  readonly recencyAt: number | null
}

/** What `skein show --json` prints for a file. */
export interface ShowDocument {
  readonly file: string
  readonly thread: Thread
  /** Oldest first. A turn that never ended shows as interrupted: nobody runs it any more (thread-view §2.2). */
  readonly turns: ReadonlyArray<Turn>
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

/** What `skein show --items --json` prints for a file. */
export interface ItemsDocument {
  readonly file: string
  readonly thread: Thread
  /** The items of all turns, each with the turn that it belongs to. */
  readonly items: ReadonlyArray<{ readonly turnId: string; readonly item: ThreadItem }>
  readonly diagnostics: ReadonlyArray<Diagnostic>
}

/** What can be asked for. */
export interface Request {
  /** A position, as {@link Position.before} takes it. */
  readonly at?: string | undefined
  /** The id of the one turn that is wanted. */
  readonly turn?: string | undefined
}

const folds = Fold.struct({
  summary: ThreadSummary.fold,
  recency: Recency.fold,
  view: ThreadView.fold({ paths: process.platform === "win32" ? "windows" : "posix" })
})

/** The thread of a file, at its end or at a position. Cost: one pass over the whole log. */
export const show = (file: string, request: Request = {}) =>
  Effect.scoped(
    Effect.gen(function* () {
      const opened = yield* Source.open(file)
      const log = request.at === undefined ? opened : yield* Position.before(opened, request.at)
      const { diagnostics, recency, summary, turns } = yield* view(log, file)
      const document: ShowDocument = {
        file,
        thread: {
          ...ThreadSummary.fields(summary, yield* Source.nameOf(file, summary.id)),
          updatedAt: seconds(recency.updatedAt),
          recencyAt: seconds(recency.recencyAt)
        },
        turns: request.turn === undefined ? turns : yield* only(turns, request.turn),
        diagnostics
      }
      return document
    })
  )

/**
 * What a log comes to for those who look at it, and its turns as they stood at an earlier place. Cost: one pass over
 * the whole log.
 *
 * @param earlier The log, cut at that place; without it the turns before are those at the end.
 */
export const view = <E>(log: EffectiveLog.EffectiveLog<E>, file: string, earlier: EffectiveLog.EffectiveLog<E> = log) =>
  Effect.gen(function* () {
    const damaged: Array<Diagnostic> = []
    const last = earlier.pieces.length - 1
    const to = earlier.pieces[last]?.to ?? 0
    // The log's own header goes in front of what is inherited, wherever it stands.
    const isLater = (record: StoredRecord, piece: number): boolean =>
      record !== log.meta && (piece > last || (piece === last && record.line.offset >= to))
    const cursor = Fold.cursor(folds)
    let before: ReturnType<typeof cursor.state> | undefined
    const take: EffectiveLog.Take = (decoded, piece) => {
      if (decoded.kind === "damage") damaged.push(ofDamage(log.pieces[piece]?.source.path ?? file, decoded))
      if (!EffectiveLog.isRecord(decoded)) return true
      if (before === undefined && isLater(decoded, piece)) before = cursor.state()
      cursor.add(decoded)
      return true
    }
    yield* EffectiveLog.forward(log, take, { passing: true })
    const state = cursor.state()
    const diagnostics: ReadonlyArray<Diagnostic> = [...log.diagnostics, ...damaged]
    return {
      summary: state.summary,
      recency: state.recency,
      turns: turnsOf(state.view),
      before: turnsOf((before ?? state).view),
      diagnostics
    }
  })

const turnsOf = (view: ThreadView.ThreadView): ReadonlyArray<Turn> => ThreadView.turns(view).map(whenIdle)

/** The items of a file, without the turns around them. */
export const items = (file: string, request: Request = {}) =>
  Effect.map(
    show(file, request),
    ({ diagnostics, file, thread, turns }): ItemsDocument => ({
      file,
      thread,
      items: turns.flatMap(({ id, items }) => items.map((item) => ({ turnId: id, item }))),
      diagnostics
    })
  )

const seconds = (milliseconds: number | undefined): number | null =>
  milliseconds === undefined ? null : Math.floor(milliseconds / 1000)

const only = (turns: ReadonlyArray<Turn>, id: string) => {
  const found = turns.filter((turn) => turn.id === id)
  if (found.length > 0) return Effect.succeed(found)
  return Effect.fail(
    new InvalidRequest({
      field: "--turn",
      reason: `the thread shows no turn ${Text.brief(id)}`,
      advice:
        turns.length === 0 ? "It shows no turns at all." : `Its last one is ${Text.brief(turns.at(-1)?.id ?? "")}.`
    })
  )
}

/** The document for a person: a transcript. */
export const render = (document: ShowDocument, style: Text.Style): string =>
  Text.lines([
    ...header(document, style),
    ...document.turns.flatMap((turn, i) => ["", ...Transcript.turn(turn, i + 1, style)]),
    ...(document.turns.length === 0 ? ["", style.dim("  no turns")] : []),
    ...Text.diagnostics(document.diagnostics, style)
  ])

/** The items for a person: one line each. */
export const renderItems = (document: ItemsDocument, style: Text.Style): string =>
  Text.lines([
    ...header(document, style),
    ...document.items.map(({ item }) => `  ${Transcript.line(item, style)}`),
    ...Text.diagnostics(document.diagnostics, style)
  ])

const header = ({ file, thread }: Pick<ShowDocument, "file" | "thread">, style: Text.Style): ReadonlyArray<string> => {
  const title = Text.brief(thread.name ?? thread.preview)
  const facts = [
    `thread ${thread.id ?? "unknown"}`,
    thread.cliVersion === "" || thread.cliVersion === null ? undefined : `Codex ${Text.brief(thread.cliVersion)}`,
    thread.modelProvider === null ? undefined : Text.brief(thread.modelProvider),
    thread.cwd === "" || thread.cwd === null ? undefined : Text.brief(thread.cwd)
  ].filter((fact) => fact !== undefined)
  return [
    style.strong(file),
    ...(title === "" ? [] : [`  ${title}`]),
    style.dim(`  ${facts.join(" · ")}`),
    ...(thread.forkedFromId === null ? [] : [style.dim(`  forked from ${thread.forkedFromId}`)])
  ]
}
