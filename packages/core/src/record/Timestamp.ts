/** Moments as the log writes them (rollout-format §2 and §3.1). */

const instant = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/
const inFileName = /^(\d{4}-\d{2}-\d{2}T\d{2})-(\d{2})-(\d{2})$/

/**
 * Milliseconds since 1970 of a text that is RFC 3339, or `YYYY-MM-DDThh-mm-ss` as file names have it, read as UTC.
 * Undefined for any other text. Cost: constant.
 */
export const parse = (text: string): number | undefined => {
  const [, hour, minute, second] = inFileName.exec(text) ?? []
  const moment = hour === undefined ? text : `${hour}:${minute}:${second}Z`
  if (!instant.test(moment)) return undefined
  const time = Date.parse(moment)
  return Number.isNaN(time) ? undefined : time
}
