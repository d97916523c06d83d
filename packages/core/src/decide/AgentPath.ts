/**
 * Where an agent stands in its tree: `/root`, `/root/name`, `/root/name/name` and so on; `/morpheus` stands alone
 * (replay-semantics §8).
 *
 * A reference is a path or names that go on from one's own path; there is no way up. Reading and printing are inverse,
 * for a path is its own text.
 */
import * as Either from "effect/Either"
import { AgentPath } from "../record/Primitive.js"
import * as Shape from "../record/Shape.js"
import * as Errors from "./DecisionError.js"
import type { Decision } from "./Draft.js"

/** The path of the agent that a user talks to. */
export const root = "/root"

const name = /^[a-z0-9_]+$/

/** Whether a text is a path. Cost: linear in it. */
export const isPath = (text: string): boolean => Shape.matches(AgentPath, text)

/** Whether a text can be the name of an agent below another: `[a-z0-9_]+`, and not `root`. */
export const isName = (text: string): boolean => name.test(text) && text !== "root"

/** The path that a text is. Errors: `InvalidRequest`. */
export const parse = (text: string, field = "path"): Decision<string> =>
  isPath(text)
    ? Either.right(text)
    : Errors.invalid(
        field,
        "malformed",
        `${JSON.stringify(text)} is no path of an agent`,
        "Write /root, or /root/ and names of a-z, 0-9 and _ with a / between, none of them root"
      )

/** The path of an agent called `name` below another. Errors: `InvalidRequest` for a bad name, or below `/morpheus`. */
export const child = (parent: string, name: string, field = "name"): Decision<string> => {
  if (!isName(name)) {
    const detail = `${JSON.stringify(name)} is no name of an agent`
    return Errors.invalid(field, "malformed", detail, "Use a-z, 0-9 and _, and not the name root")
  }
  return parse(`${parent}/${name}`, field)
}

/**
 * The path that a reference means to the agent at `from`: a path means itself, names go on from `from`. What comes of
 * names lies below `from`, so no reference leads out of the tree. Errors: `InvalidRequest`.
 */
export const resolve = (from: string, reference: string, field = "path"): Decision<string> => {
  if (reference.startsWith("/")) return parse(reference, field)
  const names = reference.split("/")
  if (names.every(isName)) return parse(`${from}/${reference}`, field)
  const detail = `${JSON.stringify(reference)} is no path and no names below one`
  return Errors.invalid(field, "malformed", detail, "Write a path, or names with a / between; there is no way up")
}

/** The path above, undefined for those at the top. */
export const parent = (path: string): string | undefined => {
  const at = path.lastIndexOf("/")
  return at <= 0 ? undefined : path.slice(0, at)
}

/** Whether a path is another one or lies below it; names count as wholes. */
export const isWithin = (path: string, above: string): boolean => path === above || path.startsWith(`${above}/`)

/** How many agents stand above: 0 at the top. */
export const depth = (path: string): number => path.split("/").length - 2
