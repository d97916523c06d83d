/** Looks into every line of the threads of a store, and at what they stand on. */
import type { Diagnostic } from "@skein/store/Diagnostic"
import type { Summary } from "@skein/store/Summary"
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect } from "effect"
import * as Output from "../Output.js"
import * as Progress from "../Progress.js"
import * as Source from "../Source.js"
import * as Verify from "../verb/Verify.js"
import * as Finding from "./Finding.js"

/** What to do about a line or a base, by the code of what was noticed. */
const advice: Readonly<Record<string, string>> = {
  "missing-base": "Bring back the thread that it names, from a backup; until then its log begins later.",
  "cyclic-base": "One of the files in the circle names a wrong base; until it is mended the log begins where it can.",
  "base-too-short": "What it stands on was cut; bring back the whole of it from a backup.",
  "base-outside-home": "Move the file into the home that its base is in.",
  "no-session-meta": "The header is lost; what it says of the thread has to come from a backup.",
  "zstd-damaged": "Bring back the file from a backup; what is in front of the damage can be read.",
  "seek-table-damaged": "All of it is read; make the thread plain and compress it again to have a table.",
  torn: "Its writer was stopped; what it was about to say is lost. The next append ends the line first."
}

/**
 * What verify finds in each thread; what is odd but loses nothing counts as information. Cost: one pass over all lines.
 *
 * @param all The threads.
 */
export const examine = (store: ThreadStoreService, all: ReadonlyArray<Summary>) =>
  Effect.gen(function* () {
    const found: Array<Finding.Finding> = []
    const line = Output.line()
    const threads = Source.ofStore(store)
    for (const [i, { id }] of all.entries()) {
      line.tell(`looking at thread ${i + 1} of ${all.length}`, i, all.length, Progress.counted("thread"))
      const document = yield* Effect.either(Effect.provideService(Verify.verify(id), Source.Source, threads))
      if (document._tag === "Right") found.push(...document.right.problems.map((one) => ofDiagnostic(id, one)))
      else found.push(ofRefused(id, document.left))
    }
    line.clear()
    return found
  })

const ofDiagnostic = (threadId: string, { code, line, message, offset, path, severity }: Diagnostic): Finding.Finding =>
  Finding.make(severity === "error" ? "error" : "info", code, message, {
    threadId,
    path,
    line: line ?? null,
    offset: offset ?? null,
    advice: severity === "error" ? (advice[code] ?? "What it said is lost; everything around it is read.") : null
  })

const ofRefused = (threadId: string, refused: Source.Refused): Finding.Finding =>
  refused._tag === "UnsupportedHistoryMode"
    ? Finding.make("info", "unknown-history-mode", refused.message, { threadId })
    : Finding.make("error", "unreadable", refused.message, { threadId })
