/**
 * The words of a command as one line for a shell (thread-view §1.6).
 *
 * Clients compare these texts, so the quoting is that of the reference to the character. It also holds for shells of
 * Windows, which is why `^` is treated with such care.
 */

/** What stands for a command that no shell could be given. */
export const unquotable = "<command included NUL byte>"

/** The words, each quoted as far as it needs to be, with spaces between. Cost: one pass over the characters. */
export const join = (words: ReadonlyArray<string>): string =>
  words.some((word) => word.includes("\0")) ? unquotable : words.map(quote).join(" ")

const bare = 1
const single = 2
const double = 4

/** A word quoted part by part: each part is the longest that one kind of quotes can hold. */
export const quote = (word: string): string => {
  if (word === "") return "''"
  let out = ""
  for (let at = 0; at < word.length; ) {
    const { end, kinds } = part(word, at)
    const text = word.slice(at, end)
    if (kinds & bare) out += text
    else if (kinds & single) out += `'${text}'`
    else out += `"${text.replace(/["\\]/g, "\\$&")}"`
    at = end
  }
  return out
}

const part = (word: string, start: number): { readonly end: number; readonly kinds: number } => {
  // An initial `^` can only be held by single quotes, which hold no other one.
  const caret = word[start] === "^"
  let kinds = caret ? single : bare | single | double
  let end = caret ? start + 1 : start
  for (; end < word.length; end++) {
    const left = kinds & holders(word[end] as string)
    if (left === 0) break
    kinds = left
  }
  return { end, kinds }
}

const holders = (character: string): number =>
  (/[A-Za-z0-9+\-./:@\]_]/.test(character) ? bare : 0) |
  (/['\\^]/.test(character) ? 0 : single) |
  (/[`$!^]/.test(character) ? 0 : double)
