/** Where a store lies, in one word: `fs:<folder>`, `sqlite:<file>`, or `memory:` for one that is empty and goes away. */
import { Either } from "effect"

/** Where a store lies. */
export interface Address {
  readonly kind: "fs" | "sqlite" | "memory"
  /** Of its folder or file; empty for one in memory. */
  readonly path: string
}

/** The forms, for people. */
export const forms = "fs:<folder> (a Codex home), sqlite:<file> or memory:"

/** The store that a word names, or what is wrong with the word. Nothing is looked at. */
export const parse = (word: string): Either.Either<Address, string> => {
  const at = word.indexOf(":")
  const kind = word.slice(0, Math.max(0, at))
  const path = word.slice(at + 1)
  if (kind !== "fs" && kind !== "sqlite" && kind !== "memory") {
    const guess = at < 0 && word !== "" ? ` Did you mean fs:${word}?` : ""
    return Either.left(`${JSON.stringify(word)} names no store; write ${forms}.${guess}`)
  }
  if (kind === "memory" && path !== "") return Either.left(`a store in memory has no path; write memory: alone`)
  if (kind !== "memory" && path === "") return Either.left(`${kind}: names no ${nouns[kind]}; write ${forms}`)
  if (path.includes("\0")) return Either.left("a path has no NUL in it")
  return Either.right({ kind, path })
}

const nouns = { fs: "folder", sqlite: "file" } as const

/** How an address is written. */
export const format = ({ kind, path }: Address): string => `${kind}:${path}`
