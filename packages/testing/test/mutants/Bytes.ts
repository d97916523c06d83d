/** Stores that do not keep bytes as they are. */
import { Effect } from "effect"
import { asJson, type Mutant, storing, toBytes, toText } from "./Mutant.js"

export const mutants: ReadonlyArray<Mutant> = [
  { name: "writes lines anew as JSON", noticed: ["copy.1"], driver: storing(asJson) },
  { name: "keeps lines as text", noticed: ["21", "copy.1"], driver: storing((line) => toBytes(toText(line))) },
  {
    name: "drops blank lines",
    noticed: ["21", "copy.1"],
    random: true,
    driver: storing((line) => (toText(line).trim() === "" ? undefined : line))
  },
  {
    name: "cuts carriage returns off",
    noticed: ["21", "copy.1"],
    driver: storing((line) => (line.at(-1) === 0x0d ? line.subarray(0, -1) : line))
  },
  {
    name: "drops lines that it cannot read",
    noticed: ["21", "20", "copy.1"],
    random: true,
    driver: storing((line) => {
      try {
        return typeof JSON.parse(toText(line)).type === "string" && !toText(line).includes("of_tomorrow")
          ? line
          : undefined
      } catch {
        return undefined
      }
    })
  },
  {
    name: "ends a line at a NUL",
    noticed: ["21", "copy.1"],
    driver: storing((line) => {
      const at = line.indexOf(0)
      return at < 0 ? line : line.subarray(0, at)
    })
  },
  {
    name: "exports the newest segment alone",
    noticed: ["revert.2", "94"],
    driver: (driver) => ({
      ...driver,
      segments: (threadId) => Effect.map(driver.segments(threadId), (all) => all.slice(-1))
    })
  },
  {
    name: "exports segments without what they stand on",
    noticed: ["94", "copy.2"],
    driver: (driver) => ({
      ...driver,
      segments: (threadId) =>
        Effect.map(driver.segments(threadId), (all) => all.map((one) => ({ ...one, base: undefined })))
    })
  }
]
