import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { rewritten, shapeFor } from "@skein/testing/AnyRecord"
import { assert, describe, it } from "vitest"
import * as Bare from "../../src/record/legacy/Bare.js"
import * as Upcasts from "../../src/record/legacy/Upcasts.js"
import * as Shape from "../../src/record/Shape.js"

const corpus = fileURLToPath(new URL("../../../../../shared/corpus/", import.meta.url))

/** Keys that older versions wrote and that neither July 2026 nor 0.169.0 reads. */
const abandoned = new Set([
  "session_meta.instructions",
  "turn_context.user_instructions",
  "turn_context.truncation_policy",
  "event_msg.kind"
])

const filesOf = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === "damaged" ? [] : filesOf(path)
    return entry.name.startsWith("rollout-") && entry.name.endsWith(".jsonl") ? [path] : []
  })

interface Reading {
  readonly type: string
  readonly payload: unknown
  readonly upcasts: ReadonlyArray<string>
}

const lift = (type: string, payload: unknown): Reading => {
  const matches = (value: unknown) => shapeFor(type, value)?.is(value) ?? false
  let current = payload
  const upcasts: Array<string> = []
  for (const older of Upcasts.forKind(type)) {
    if (matches(current)) break
    const lifted = older.upcast(current)
    if (lifted === undefined) continue
    upcasts.push(older.name)
    current = lifted
  }
  return { type, payload: current, upcasts }
}

const read = (line: string): Reading | undefined => {
  const value = JSON.parse(line) as { readonly type?: unknown; readonly payload?: unknown }
  if (typeof value.type === "string" && value.payload !== undefined) return lift(value.type, value.payload)
  const bare = Bare.bareLine(value)
  if (bare === "state") return undefined
  assert.isDefined(bare, `neither an envelope nor a bare line: ${line.slice(0, 200)}`)
  return bare === undefined ? undefined : lift(bare.type, bare.payload)
}

const versions = existsSync(corpus)
  ? readdirSync(corpus, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() && entry.name !== "damaged" ? [entry.name] : []
    )
  : []

describe.skipIf(versions.length === 0)("real rollouts (skipped where there are none beside the repository)", () => {
  it.each(versions)("every line of %s has its shape, and no key is left unread", (version) => {
    for (const file of filesOf(join(corpus, version))) {
      for (const [i, line] of readFileSync(file, "utf8").split("\n").entries()) {
        if (line.trim() === "") continue
        const reading = read(line)
        if (reading === undefined) continue
        const at = `${file}:${i + 1}`
        const shape = shapeFor(reading.type, reading.payload)
        if (shape === undefined) assert.fail(`${at}: no shape for a record of type ${reading.type}`)
        if (!shape.is(reading.payload)) {
          assert.fail(`${at}: ${JSON.stringify(Shape.explain(shape.schema, reading.payload))}`)
        }
        const unread = Shape.unknownKeys(shape.schema, reading.payload)
          .map((path) => reading.type + path)
          .filter((path) => !abandoned.has(path))
        assert.deepStrictEqual(unread, [], at)
      }
    }
  })

  it("newer versions than 0.98.0 need no upcast at all", () => {
    for (const version of versions.filter((name) => /^0\.1\d\d\./.test(name))) {
      for (const file of filesOf(join(corpus, version))) {
        for (const line of readFileSync(file, "utf8").split("\n")) {
          if (line.trim() === "") continue
          assert.deepStrictEqual(read(line)?.upcasts, [], `${file}: ${line.slice(0, 200)}`)
        }
      }
    }
  })

  it("0.143.0 and 0.145.0 write their payloads as the shapes do, key by key", () => {
    for (const version of ["0.143.0", "0.145.0"]) {
      for (const file of filesOf(join(corpus, version))) {
        for (const line of readFileSync(file, "utf8").split("\n")) {
          if (line.trim() === "") continue
          const reading = read(line)
          const shape = reading === undefined ? undefined : shapeFor(reading.type, reading.payload)
          if (reading === undefined || shape === undefined) assert.fail(`${file}: ${line.slice(0, 200)}`)
          assert.strictEqual(JSON.stringify(rewritten(shape, reading.payload)), JSON.stringify(reading.payload), file)
        }
      }
    }
  })

  it("no version is missing", () => {
    for (const version of ["0.20.0", "0.42.0", "0.63.0", "0.98.0", "0.142.4", "0.143.0", "0.145.0", "0.169.0"]) {
      assert.include(versions, version)
      assert.isAbove(filesOf(join(corpus, version)).length, 0)
    }
  })
})
