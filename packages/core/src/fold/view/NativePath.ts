/** Paths as their host spells them, from the `file:` URLs of records (thread-view §1.6). */

/** How a host spells its paths. */
export type Convention = "posix" | "windows"

/** A path and the convention that it is spelt in. */
export interface NativePath {
  readonly path: string
  readonly convention: Convention
}

/** The path that a `file:` URL names. A URL with a drive or a server is one of Windows. */
export const fromUrl = (url: string): NativePath => {
  const rest = url.replace(/^file:/i, "")
  const [, host = "", raw = ""] = /^\/\/([^/]*)(.*)$/s.exec(rest) ?? ["", "", rest]
  const path = decode(raw)
  const drive = /^\/([a-z]:)(.*)$/is.exec(path)
  if (drive !== null) {
    return { path: `${drive[1]}${(drive[2] ?? "").replaceAll("/", "\\")}`, convention: "windows" }
  }
  if (host !== "" && host.toLowerCase() !== "localhost") {
    return { path: `\\\\${host}${path.replaceAll("/", "\\")}`, convention: "windows" }
  }
  return { path, convention: "posix" }
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A path, resolved against a folder of the same convention; `.` and `..` are taken out by their text alone. */
export const resolve = (folder: NativePath, path: string): string => {
  const windows = folder.convention === "windows"
  const separator = windows ? "\\" : "/"
  const split = windows ? /[\\/]+/ : /\/+/
  const isAbsolute = windows ? /^(?:[a-z]:[\\/]|\\\\)/i.test(path) : path.startsWith("/")
  const whole = isAbsolute ? path : `${folder.path}${separator}${path}`
  const root = windows ? (/^(?:[a-z]:|\\\\[^\\/]+[\\/][^\\/]+)/i.exec(whole)?.[0] ?? "") : ""
  const parts: Array<string> = []
  for (const part of whole.slice(root.length).split(split)) {
    if (part === "..") parts.pop()
    else if (part !== "" && part !== ".") parts.push(part)
  }
  return `${root}${separator}${parts.join(separator)}`
}
