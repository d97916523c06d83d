/** Texts that are one XML element and nothing else, as some messages are that no person wrote. */

/** An element without elements inside. */
export interface XmlElement {
  readonly attributes: ReadonlyMap<string, string>
  /** Its text, with references decoded; comments and the like are none of it. */
  readonly text: string
}

/**
 * The element of the name `tag` that `[from, to)` of a text is; undefined when it is anything else, is not well formed,
 * or has elements inside. Cost: linear.
 */
export const parse = (text: string, tag: string, from: number, to: number): XmlElement | undefined => {
  const open = `<${tag}`
  if (!text.startsWith(open, from)) return undefined
  const attributes = new Map<string, string>()
  let at = from + open.length
  for (;;) {
    const nameAt = skipSpace(text, at)
    if (text.startsWith("/>", nameAt)) return nameAt + 2 === to ? { attributes, text: "" } : undefined
    if (text.startsWith(">", nameAt)) {
      const content = contentBefore(text, nameAt + 1, to, `</${tag}`)
      return content === undefined ? undefined : { attributes, text: content }
    }
    const nameEnd = endOfName(text, nameAt)
    const equals = skipSpace(text, nameEnd)
    const valueAt = skipSpace(text, equals + 1) + 1
    const quote = text.charAt(valueAt - 1)
    if (nameAt === at || nameEnd === nameAt || text.charAt(equals) !== "=" || (quote !== '"' && quote !== "'")) {
      return undefined
    }
    const valueEnd = text.indexOf(quote, valueAt)
    const value = valueEnd < 0 ? undefined : decoded(text.slice(valueAt, valueEnd))
    const name = text.slice(nameAt, nameEnd)
    if (value === undefined || attributes.has(name)) return undefined
    attributes.set(name, value)
    at = valueEnd + 1
  }
}

/** The text of `[from, to)` when that is content without elements, then the closing tag and nothing behind it. */
const contentBefore = (text: string, from: number, to: number, close: string): string | undefined => {
  const parts: Array<string> = []
  let at = from
  for (;;) {
    const tag = text.indexOf("<", at)
    const data = tag < 0 ? undefined : decoded(text.slice(at, tag))
    if (data === undefined) return undefined
    parts.push(data)
    if (text.startsWith(close, tag)) {
      const end = skipSpace(text, tag + close.length)
      return text.charAt(end) === ">" && end + 1 === to ? parts.join("") : undefined
    }
    const markup = inert.find(({ start }) => text.startsWith(start, tag))
    if (markup === undefined) return undefined
    const inside = tag + markup.start.length
    const end = text.indexOf(markup.end, inside)
    if (end < 0) return undefined
    if (markup.isText) parts.push(text.slice(inside, end))
    at = end + markup.end.length
  }
}

/** Markup that is no element. */
const inert = [
  { start: "<!--", end: "-->", isText: false },
  { start: "<![CDATA[", end: "]]>", isText: true },
  { start: "<?", end: "?>", isText: false }
]

const named: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"]
])

/** Character data with its references decoded; undefined when it holds a tag, or an ampersand that begins none. */
const decoded = (data: string): string | undefined => {
  if (data.includes("<")) return undefined
  let bad = false
  const plain = data.replace(/&([^&;]{0,9};)?/g, (_, body: string | undefined) => {
    const name = body?.slice(0, -1) ?? ""
    const character = named.get(name) ?? numeric(name)
    bad ||= character === undefined
    return character ?? ""
  })
  return bad ? undefined : plain
}

const numeric = (name: string): string | undefined => {
  const match = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name)
  if (match === null) return undefined
  const code = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16)
  const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
  return isCharacter ? String.fromCodePoint(code) : undefined
}

const skipSpace = (text: string, from: number): number => {
  let at = from
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

const endOfName = (text: string, from: number): number => {
  let at = from
  while (at < text.length && isNameCharacter(text.charCodeAt(at))) at++
  return at
}

/** Anything but the characters that end a name: space, `=`, `>`, `/`, `<`, `&` and quotes. */
const isNameCharacter = (code: number): boolean => !isSpace(code) && !"=>/<&\"'".includes(String.fromCharCode(code))
