/** What a doctor finds, whichever store it looks at. */

/** How much it matters. `error`: something is lost or wrong; `warning`: it can be made right; `info`: no fault. */
export type Severity = "error" | "warning" | "info"

/** One thing that was found. */
export interface Finding {
  readonly severity: Severity
  readonly code: string
  readonly threadId: string | null
  /** The file or segment that it is in. */
  readonly path: string | null
  /** Number of the line, from 1. */
  readonly line: number | null
  /** Offset in bytes. */
  readonly offset: number | null
  readonly message: string
  /** What to do about it; null when there is nothing to do. */
  readonly advice: string | null
}

/** What a repair did. */
export interface Repair {
  /** Where what was changed is kept as it was; null when nothing was changed. */
  readonly backup: string | null
  /** What was done, a sentence each. */
  readonly done: ReadonlyArray<string>
  /** What could not be saved. */
  readonly losses: ReadonlyArray<string>
}

/** A finding; what is not given is null. */
export const make = (
  severity: Severity,
  code: string,
  message: string,
  where: Partial<Pick<Finding, "threadId" | "path" | "line" | "offset" | "advice">> = {}
): Finding => ({
  severity,
  code,
  threadId: null,
  path: null,
  line: null,
  offset: null,
  advice: null,
  ...where,
  message
})

/** Whether it is a fault. */
export const isFault = ({ severity }: Finding): boolean => severity !== "info"
