/** What a finished review says, as one text (thread-view §1.6). */
import type { ReviewFinding, ReviewOutput } from "../../record/Review.js"

import { trimmed } from "../Fragment.js"

/** What an entered review shows when its record has no hint (thread-view R15). */
export const missingHint = "Review requested."

/** What a finished review shows when it has nothing to say (thread-view R15). */
export const missingOutput = "Reviewer failed to output a response."

/** The overall explanation and the findings, whichever exist. */
export const render = (output: ReviewOutput | null | undefined): string => {
  if (output === null || output === undefined) return missingOutput
  const parts = [trimmed(output.overall_explanation), findings(output.findings)].filter((part) => part !== "")
  return parts.length === 0 ? missingOutput : parts.join("\n\n")
}

const findings = (all: ReadonlyArray<ReviewFinding>): string => {
  if (all.length === 0) return ""
  const head = all.length === 1 ? "Review comment:" : "Full review comments:"
  return [head, ...all.flatMap(finding)].join("\n").trimEnd()
}

const finding = ({ body, code_location: { absolute_file_path, line_range }, title }: ReviewFinding) => [
  "",
  `- ${title} — ${absolute_file_path}:${line_range.start}-${line_range.end}`,
  ...linesOf(body).map((line) => `  ${line}`)
]

const linesOf = (text: string): ReadonlyArray<string> => {
  const lines = text.split("\n")
  if (lines.at(-1) === "") lines.pop()
  return lines.map((line) => line.replace(/\r$/, ""))
}
