/** Files as accidents and strangers leave them: random changes to good ones, the same for the same seed. */

/** Random numbers from a seed (mulberry32). */
export interface Random {
  /** A whole number from 0 up to, and without, `end`. */
  readonly below: (end: number) => number
  readonly pick: <A>(all: ReadonlyArray<A>) => A
}

export const random = (seed: number): Random => {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (end: number): number => Math.floor(next() * Math.max(end, 1))
  return { below, pick: (all) => all[below(all.length)] as (typeof all)[number] }
}

type Mutation = (bytes: Buffer, random: Random, other: Buffer) => Buffer

const range = (bytes: Buffer, { below }: Random, most = 400): readonly [from: number, to: number] => {
  const from = below(bytes.length)
  return [from, Math.min(bytes.length, from + 1 + below(most))]
}

const flip: Mutation = (bytes, random) => {
  const out = Buffer.from(bytes)
  for (let count = 1 + random.below(8); count > 0 && out.length > 0; count--) {
    const at = random.below(out.length)
    out[at] = (out[at] ?? 0) ^ (1 + random.below(255))
  }
  return out
}

const remove: Mutation = (bytes, random) => {
  const [from, to] = range(bytes, random)
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
}

const repeat: Mutation = (bytes, random) => {
  const [from, to] = range(bytes, random)
  const at = random.below(bytes.length)
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, to), bytes.subarray(at)])
}

const truncate: Mutation = (bytes, random) => bytes.subarray(0, random.below(bytes.length))

const strange = [
  "\0\0\0\0",
  "\xff",
  "\r\n",
  "\n\n",
  "\ufeff",
  "\u2028",
  '{"',
  "{}\n",
  "null\n",
  "[]\n",
  "[".repeat(300),
  '\n{"record_type":"state"}\n'
]

const insert: Mutation = (bytes, random) => {
  const at = random.below(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(random.pick(strange), "latin1"), bytes.subarray(at)])
}

/** Byte by byte: for any file. */
const ofBytes: ReadonlyArray<Mutation> = [flip, remove, repeat, truncate, insert]

const linesOf = (bytes: Buffer): Array<string> => bytes.toString("latin1").split("\n")
const fromLines = (lines: ReadonlyArray<string>): Buffer => Buffer.from(lines.join("\n"), "latin1")

const onLines =
  (change: (lines: Array<string>, random: Random, other: ReadonlyArray<string>) => void): Mutation =>
  (bytes, random, other) => {
    const lines = linesOf(bytes)
    change(lines, random, linesOf(other))
    return fromLines(lines)
  }

/** Line by line. */
const ofLines: ReadonlyArray<Mutation> = [
  onLines((lines, random) => {
    const [a, b] = [random.below(lines.length), random.below(lines.length)]
    ;[lines[a], lines[b]] = [lines[b] ?? "", lines[a] ?? ""]
  }),
  onLines((lines, random) => void lines.splice(random.below(lines.length), 1 + random.below(3))),
  onLines((lines, random) => void lines.splice(random.below(lines.length), 0, random.pick(lines))),
  onLines((lines, random, other) => void lines.splice(random.below(lines.length), 0, random.pick(other))),
  onLines((lines, random) => void lines.splice(0, 1 + random.below(lines.length)))
]

type Json = null | boolean | number | string | Array<Json> | { [key: string]: Json }

const odd = (random: Random, donor: Json): Json =>
  random.pick<() => Json>([
    () => null,
    () => random.below(2) === 0,
    () => random.below(5) - 1,
    () => 2 ** 60,
    () => 0.5,
    () => random.pick(["", "\ud800", "__proto__", "legacy", "paginated", "message", "compacted", "x".repeat(3000)]),
    () => [],
    () => ({}),
    () => [donor],
    () => donor
  ])()

/** Every object and list of a value, outermost first. */
const holders = (value: Json): ReadonlyArray<Exclude<Json, null | boolean | number | string>> =>
  typeof value === "object" && value !== null ? [value, ...Object.values(value).flatMap(holders)] : []

const mutateJson = (value: Json, random: Random, donor: Json): void => {
  const holder = random.pick(holders(value))
  if (holder === undefined) return
  const from = random.pick(holders(donor))
  const piece = from === undefined ? donor : (random.pick(Object.values(from)) ?? null)
  if (Array.isArray(holder)) {
    const at = random.below(holder.length + 1)
    random.pick([
      () => holder.splice(at, 1),
      () => holder.splice(at, 0, odd(random, piece)),
      () => holder.splice(at, 1, odd(random, piece)),
      () => holder.reverse()
    ])()
    return
  }
  const key = random.pick(Object.keys(holder))
  const held = key === undefined ? undefined : holder[key]
  random.pick([
    () => {
      if (key !== undefined) delete holder[key]
    },
    () => {
      holder[key ?? "x"] = odd(random, piece)
    },
    () => {
      holder[random.pick(["type", "payload", "id", "call_id", "role", "extra", "ordinal"])] = odd(random, piece)
    },
    () => {
      if (key === undefined || held === undefined) return
      delete holder[key]
      holder[key.toUpperCase()] = held
    },
    () => {
      if (typeof held === "number") holder[key ?? "x"] = held + random.below(7) - 3
      if (typeof held === "string") holder[key ?? "x"] = held.slice(random.below(held.length))
    }
  ])()
}

const parsed = (line: string): Json | undefined => {
  try {
    return JSON.parse(Buffer.from(line, "latin1").toString()) as Json
  } catch {
    return undefined
  }
}

/** Within the JSON of a line: it stays JSON, but not what it was. */
const ofJson: Mutation = onLines((lines, random, other) => {
  for (let count = 1 + random.below(3); count > 0; count--) {
    const at = random.below(lines.length)
    const value = parsed(lines[at] ?? "")
    if (value === undefined) continue
    mutateJson(value, random, parsed(random.pick(random.below(2) === 0 ? lines : other)) ?? null)
    lines[at] = Buffer.from(JSON.stringify(value)).toString("latin1")
  }
})

/** A mutation of a file: of its bytes only, or of its lines and their JSON too. */
export const mutate = (bytes: Buffer, random: Random, other: Buffer, binary: boolean): Buffer => {
  const kinds = binary ? ofBytes : [...ofBytes, ...ofLines, ofJson, ofJson, ofJson, ofJson, ofJson]
  let out = bytes
  for (let count = random.below(5) === 0 ? 3 : 1; count > 0; count--) out = random.pick(kinds)(out, random, other)
  return out
}
