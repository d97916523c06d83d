/**
 * Inputs of every kind that Skein reads, changed at random or made of nothing: lines, compressed files, addresses, queries
 * and their cursors, the words of the command. None may end in a defect, be invented, or come to more than its limit. All
 * follows from a seed.
 */
import * as Jsonl from "@skein/core/record/Jsonl"
import * as Record from "@skein/core/record/Record"
import * as Address from "@skein/store/Address"
import type { SummaryQuery as Query } from "@skein/store/SummaryQuery"
import * as SummaryQuery from "@skein/store/SummaryQuery"
import * as Zstd from "@skein/store-fs/Zstd"
import { Either } from "effect"
import * as Mutations from "../Mutations.js"
import { command } from "./Command.js"

/** What inputs are made from. */
export interface Originals {
  readonly plain: ReadonlyArray<Buffer>
  readonly compressed: ReadonlyArray<{ readonly bytes: Buffer; readonly content: Uint8Array }>
}

/** What was wrong with one input. */
export interface Failure {
  readonly seed: number
  readonly target: string
  readonly reason: string
}

type Target = (random: Mutations.Random, originals: Originals) => Promise<string | undefined> | string | undefined

const noise = (random: Mutations.Random, most: number): Buffer =>
  Buffer.from(Array.from({ length: random.below(most) }, () => random.below(256)))

const changed = (random: Mutations.Random, all: ReadonlyArray<Buffer>): Buffer => {
  if (all.length === 0 || random.below(8) === 0) return noise(random, 2000)
  const whole = random.pick(all)
  const from = whole.length > 20_000 ? random.below(whole.length - 20_000) : 0
  let bytes: Buffer = Buffer.from(whole.subarray(from, from + 20_000))
  for (let left = random.below(4); left >= 0; left--)
    bytes = Mutations.mutate(bytes, random, random.pick(all).subarray(0, 20_000), false)
  return bytes
}

/** In pieces of any size the same lines come out, from either end, and together they are the input. */
const lines: Target = (random, { plain }) => {
  const input = changed(random, plain)
  const found: Array<Jsonl.RawLine> = []
  const splitter = Jsonl.forward()
  const take = (line: Jsonl.RawLine): boolean => found.push({ ...line, bytes: new Uint8Array(line.bytes) }) > 0
  for (let at = 0; at < input.length; ) {
    const end = Math.min(input.length, at + 1 + random.below(random.below(2) === 0 ? 20 : 5000))
    splitter.push(input.subarray(at, end), take)
    at = end
  }
  splitter.end(take)
  const behind: Array<Jsonl.RawLine> = []
  const other = Jsonl.backward(input.length)
  const takeBack = (line: Jsonl.RawLine): boolean => behind.push({ ...line, bytes: new Uint8Array(line.bytes) }) > 0
  for (let at = input.length; at > 0; ) {
    const from = Math.max(0, at - 1 - random.below(3000))
    other.push(input.subarray(from, at), takeBack)
    at = from
  }
  other.end(takeBack)
  behind.reverse()
  if (!Buffer.concat(found.map(Record.encode)).equals(input)) return "the lines do not come to the input"
  if (found.length !== behind.length) return "from the end there are other lines"
  for (const [i, line] of found.entries()) {
    const back = behind[i]
    if (back?.offset !== line.offset || Buffer.compare(back.bytes, line.bytes) !== 0)
      return "from the end a line differs"
    const decoded = Record.decode(line)
    if (Buffer.compare(Record.encode(decoded.line), Record.encode(line)) !== 0)
      return "a line was changed by reading it"
    // Whatever is a record of a kind that is known says that kind in its own bytes.
    if (decoded.kind === "damage" || decoded.kind === "blank" || decoded.kind === "unknown") continue
    const type = (JSON.parse(new TextDecoder().decode(line.bytes)) as { readonly type?: unknown }).type
    if (type !== undefined && type !== decoded.kind) return `a record of ${String(type)} was read as ${decoded.kind}`
  }
  return undefined
}

const limit = 1024 * 1024

/** A file that was cut short gives a beginning of its content; any other change no more than the limit. */
const zstd: Target = async (random, { compressed }) => {
  const original = compressed.length === 0 || random.below(8) === 0 ? undefined : random.pick(compressed)
  const isCut = original !== undefined && random.below(3) === 0
  const input =
    original === undefined
      ? Buffer.concat([Buffer.from(random.below(2) === 0 ? [0x28, 0xb5, 0x2f, 0xfd] : []), noise(random, 500)])
      : isCut
        ? original.bytes.subarray(0, random.below(original.bytes.length))
        : Mutations.mutate(original.bytes, random, random.pick(compressed).bytes, true)
  const decoded = await Zstd.decode(input, limit).catch((error: unknown) => error)
  if (decoded instanceof Zstd.NotZstd || decoded instanceof Zstd.TooLarge) return undefined
  if (decoded instanceof Error) return `it was refused with ${decoded.name}: ${decoded.message}`
  const { bytes, damagedAt } = decoded as Zstd.Decoded
  if (bytes.length > limit) return `it came to ${bytes.length} bytes`
  if (!isCut || original === undefined) return undefined
  if (Buffer.compare(bytes, original.content.subarray(0, bytes.length)) !== 0) return "a cut file gave other content"
  const isWhole = bytes.length === original.content.length
  return damagedAt === undefined && !isWhole && input.length > 0 ? "a cut file passes for a whole one" : undefined
}

const words = [
  "",
  "fs:",
  "sqlite:",
  "memory:",
  "c",
  "u",
  "r",
  ".",
  "-",
  "0",
  "z",
  "\0",
  "é",
  "\ud800",
  "%",
  "/",
  "..",
  "~"
]
const id = "019c2b10-7a00-7c00-8000-000000000001"

const word = (random: Mutations.Random): string => {
  const base = random.pick([id, `cabc123.${id}`, `u-1.${id}`, "fs:/home", "sqlite:/x.db", "memory:", ""])
  const made = random.below(3) === 0 ? noise(random, 40).toString("latin1") : base
  const at = random.below(made.length + 1)
  const cut = random.below(3) === 0 ? 1 : 0
  return made.slice(0, at) + random.pick(words) + made.slice(at + cut)
}

/** An address that is read is written as it was. */
const addresses: Target = (random) => {
  const given = word(random)
  const parsed = Address.parse(given)
  return Either.isRight(parsed) && Address.format(parsed.right) !== given
    ? `${given} is read as another one`
    : undefined
}

const anything = (random: Mutations.Random): unknown =>
  random.pick([
    undefined,
    null,
    0,
    -1,
    1.5,
    Number.NaN,
    1e99,
    "",
    word(random),
    [],
    [word(random)],
    [1],
    {},
    { a: "b" },
    true
  ])

const keys: ReadonlyArray<keyof Query> = [
  "pageSize",
  "cursor",
  "sortKey",
  "sortDirection",
  "sources",
  "modelProviders",
  "cwds",
  "archived",
  "searchTerm",
  "childrenOf",
  "descendantsOf",
  "metadata",
  "hidden"
]

/** A query of anything is refused, or has a page of a size and a place that make sense. */
const queries: Target = (random) => {
  const query: { [key: string]: unknown } = {}
  for (const key of keys) if (random.below(4) === 0) query[key] = anything(random)
  if (random.below(2) === 0) query["cursor"] = word(random)
  const checked = SummaryQuery.check(query as Query)
  if (Either.isLeft(checked)) return checked.left.field in query ? undefined : `${checked.left.field} was not asked for`
  const { after, limit: rows } = checked.right
  if (!(Number.isInteger(rows) && rows > 0)) return `a page of ${rows} rows`
  if (after !== undefined && !Number.isFinite(after.time)) return `a cursor at ${after.time}`
  return SummaryQuery.select([], checked.right).length === 0 ? undefined : "rows of nothing"
}

/** The command, over one to three files, plain ones or compressed. */
const commands: Target = (random, { compressed, plain }) => {
  const all = compressed.map(({ bytes }) => bytes)
  const file = () => (random.below(3) === 0 ? changed(random, all) : changed(random, plain))
  return command(random, Array.from({ length: 1 + random.below(3) }, file))
}

const targets: Readonly<Record<string, Target>> = { lines, zstd, addresses, queries, commands }
const names = Object.keys(targets).filter((name) => name !== "commands")

/** One input of so many is for the command, which takes a hundred times as long. */
const seldom = 100

const targetOf = (seed: number): string =>
  Math.abs(seed) % seldom === seldom - 1 ? "commands" : (names[Math.abs(seed) % names.length] ?? "lines")

/** The input of a seed. Gives what was wrong. */
export const one = async (seed: number, originals: Originals): Promise<Failure | undefined> => {
  const random = Mutations.random(seed)
  const target = targetOf(seed)
  try {
    const reason = await targets[target]?.(random, originals)
    return reason === undefined ? undefined : { seed, target, reason }
  } catch (error) {
    return { seed, target, reason: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
