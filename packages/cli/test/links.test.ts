/**
 * Every relative link of every Markdown file of the repository leads to something that is there, and every anchor to a
 * heading, named as repository browsers name them. What leads out of the repository is not asked for.
 */
import { existsSync, readFileSync, statSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { describe, expect, it } from "vitest"
import { pages } from "../../../scripts/pages.mjs"
import { root } from "../../../scripts/workspace.mjs"

/** The lines of a page that are prose: no fenced blocks. */
const proseOf = (text: string): ReadonlyArray<string> => {
  let fence: string | undefined
  return text.split(/\r?\n/).filter((line) => {
    const [, found] = /^\s*(`{3,}|~{3,})/.exec(line) ?? []
    if (fence !== undefined) {
      if (found !== undefined && found[0] === fence[0] && found.length >= fence.length) fence = undefined
      return false
    }
    fence = found
    return found === undefined
  })
}

/** Where the links and pictures of a page lead; what stands between backticks is no link. */
const linksOf = (text: string): ReadonlyArray<string> =>
  proseOf(text)
    .map((line) => line.replace(/(`+)(?:(?!\1).)+\1/g, ""))
    .flatMap((line) => [
      ...Array.from(line.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g), ([, target = ""]) => target),
      ...Array.from(line.matchAll(/^\s*\[[^\]]+\]:\s*(\S+)/g), ([, target = ""]) => target),
      ...Array.from(line.matchAll(/\b(?:href|src)="([^"]+)"/g), ([, target = ""]) => target)
    ])

/** The anchors of a page: its headings, a repeated one with a number, and what was named by hand. */
const anchorsOf = (text: string): ReadonlySet<string> => {
  const anchors = new Set<string>()
  const seen = new Map<string, number>()
  for (const line of proseOf(text)) {
    for (const [, name = ""] of line.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(name)
    const [, heading] = /^#{1,6}\s+(.*?)\s*#*$/.exec(line) ?? []
    if (heading === undefined) continue
    const slug = heading
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, "")
      .replaceAll(/\s/g, "-")
    const count = seen.get(slug) ?? 0
    seen.set(slug, count + 1)
    anchors.add(count === 0 ? slug : `${slug}-${count}`)
  }
  return anchors
}

/** What is wrong with a link of a page; undefined when it leads somewhere, or out of the repository. */
const wrongWith = (page: string, link: string, read: (path: string) => string): string | undefined => {
  if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return undefined
  if (link.startsWith("/")) return `${link}: a link from the root of a host`
  const [target = "", anchor] = link.split("#")
  const path = target === "" ? page : resolve(dirname(page), decodeURIComponent(target))
  if (relative(root, path).startsWith("..")) return `${link}: outside of the repository`
  if (!existsSync(path)) return `${link}: there is no such file`
  if (anchor === undefined) return undefined
  const file = statSync(path).isDirectory() ? join(path, "README.md") : path
  if (!file.endsWith(".md")) return undefined
  return existsSync(file) && anchorsOf(read(file)).has(decodeURIComponent(anchor))
    ? undefined
    : `${link}: no such anchor`
}

const contents = new Map<string, string>()
const read = (path: string): string => {
  const text = contents.get(path) ?? readFileSync(path, "utf8")
  contents.set(path, text)
  return text
}

describe("links", () => {
  it.each(pages.map((path) => [relative(root, path), path] as const))("of %s", (_, path) => {
    const wrong = linksOf(read(path)).flatMap((link) => wrongWith(path, link, read) ?? [])
    expect(wrong).toEqual([])
  })

  it("reach every page of the documentation from the README", () => {
    const reached = new Set([join(root, "README.md")])
    for (const page of reached) {
      for (const link of linksOf(read(page))) {
        const [target = ""] = link.split("#")
        const path = resolve(dirname(page), target)
        const file = existsSync(path) && statSync(path).isDirectory() ? join(path, "README.md") : path
        if (pages.includes(file)) reached.add(file)
      }
    }
    expect(
      pages.filter((page) => !page.includes("/test/") && !reached.has(page)).map((page) => relative(root, page))
    ).toEqual([])
  })

  it("are found, in prose and not in code", () => {
    const text = "[a](b.md) ![c](d.svg 'e') `[no](no.md)`\n```\n[no](no.md)\n```\n[f]: g.md\n<img src=\"h.png\">"
    expect(linksOf(text)).toEqual(["b.md", "d.svg", "g.md", "h.png"])
  })

  it("that lead nowhere are told", () => {
    const page = join(root, "README.md")
    const told = ["docs/none.md", "docs/cli.md#none", "../elsewhere.md", "/docs/cli.md", "#none"]
    expect(told.map((link) => wrongWith(page, link, read) === undefined)).toEqual(told.map(() => false))
    const fine = ["docs/cli.md", "docs", "docs/cli.md#exit-codes", "https://example.org/none", "#try-it"]
    expect(fine.map((link) => wrongWith(page, link, read))).toEqual(fine.map(() => undefined))
  })

  it("to headings are as repository browsers make them", () => {
    const text = "# `skein show FILE… [--items]`\n## A & B: what?\n## Same\n## Same\n### With [a link](x.md)"
    expect([...anchorsOf(text)]).toEqual(["skein-show-file---items", "a--b-what", "same", "same-1", "with-a-link"])
  })
})
