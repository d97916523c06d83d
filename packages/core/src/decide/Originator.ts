/**
 * Under which name a thread's requests are made (replay-semantics §5.4). It is found once, when a thread is made or
 * forked, and then stands in its header.
 */

/** Where a name can come from. Missing and empty names count for nothing. */
export interface Candidates {
  /** `CODEX_INTERNAL_ORIGINATOR_OVERRIDE` of the process. */
  readonly environment?: string | undefined
  /** The service that the client names itself. */
  readonly serviceName?: string | undefined
  /** That of the first header of the thread, or of the one that a fork copies. */
  readonly persisted?: string | undefined
  /** That of the live parent or source. */
  readonly inherited?: string | undefined
  readonly processDefault: string
}

/** How a thread comes to be opened. */
export type Opening = "new" | "fork" | "resume"

/**
 * By which rule: the requirement document's, where the override of the environment comes first and a process maps the
 * names that it knows; or the later one, where a service name comes first and the override next to last.
 */
export type Rule =
  | { readonly rule: "document"; readonly services?: ReadonlyMap<string, string> | undefined }
  | { readonly rule: "later" }

/** The services that the later rule knows, each of which maps to itself. */
export const services: ReadonlyArray<string> = [
  "codex_work_desktop",
  "codex_work_web",
  "codex_work_mobile",
  "codex_work_cca",
  "chatgpt_cca"
]

const later: ReadonlyMap<string, string> = new Map(services.map((name) => [name, name]))

/**
 * What a service name maps to: trimmed and without regard to the case of ASCII letters it has to be one of the names;
 * any other has no mapping.
 */
export const mapped = (serviceName: string | undefined, names: ReadonlyMap<string, string>): string | undefined => {
  if (serviceName === undefined) return undefined
  const wanted = lowerAscii(serviceName.trim())
  for (const [name, target] of names) if (lowerAscii(name) === wanted) return target
  return undefined
}

const lowerAscii = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

/**
 * The name. The one of a live parent or source counts only for new threads, and for forks that have lost their header;
 * never for a thread that is resumed.
 */
export const resolve = (candidates: Candidates, opening: Opening, rule: Rule = { rule: "document" }): string => {
  const environment = named(candidates.environment)
  const persisted = opening === "new" ? undefined : named(candidates.persisted)
  const inherited =
    opening === "new" || (opening === "fork" && persisted === undefined) ? named(candidates.inherited) : undefined
  const service = mapped(candidates.serviceName, rule.rule === "later" ? later : (rule.services ?? new Map()))
  const found =
    rule.rule === "document"
      ? (environment ?? service ?? persisted ?? inherited)
      : (service ?? persisted ?? inherited ?? environment)
  return found ?? candidates.processDefault
}

const named = (name: string | undefined): string | undefined => (name === "" ? undefined : name)
