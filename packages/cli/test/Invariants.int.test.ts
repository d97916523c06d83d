/** replay-semantics §10, 16 and 17: what lies between the lines of a file, and how it is kept, changes no answer. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { NodeContext } from "@effect/platform-node"
import { compress } from "@mongodb-js/zstd"
import { Effect } from "effect"
import * as fc from "fast-check"
import { afterAll, describe, expect, it } from "vitest"
import * as Context from "../src/verb/Context.js"

const samples = fileURLToPath(new URL("../../../samples/", import.meta.url))
const threads = [
  "0.42.0/sessions/2026/11/20/rollout-2026-11-20T11-51-22-01a1f8cc-0561-7f43-912e-b00fd4873808.jsonl",
  "0.142.4/sessions/2026/11/20/rollout-2026-11-20T11-52-18-01a1f8cc-e08d-7c83-8ca7-133ec5b8ea3d.jsonl",
  "0.169.0/sessions/2026/11/20/rollout-2026-11-20T11-53-49-01a1f8ce-4334-7a13-9ae8-7c0b7dd0809b.jsonl"
]

const folder = mkdtempSync(join(tmpdir(), "skein-invariants-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const answer = async (name: string, bytes: Uint8Array) => {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  writeFileSync(path, bytes)
  const document = await Effect.runPromise(Context.context(path, undefined).pipe(Effect.provide(NodeContext.layer)))
  const { diagnostics: _, file: __, recordsRead: ___, recordsTotal: ____, ...said } = document
  return said
}

/** Lines that no reader can make a record of. */
const unreadable = fc.constantFrom(
  "",
  "not json",
  "{",
  "[]",
  '{"timestamp":"2026-11-20T12:00:00.000Z","type":"event_msg"}',
  '{"timestamp":"2026-11-20T12:00:00.000Z","type":"response_item","payload":{"type":"message","role":"user"}}',
  '{"timestamp":"2026-11-20T12:00:00.000Z","type":"event_msg","payload":{"type":"thread_rolled_back","num_turns":"1"}}',
  `${"[".repeat(200)}${"]".repeat(200)}`
)

describe.each(threads)("%s", (thread) => {
  const original = readFileSync(join(samples, thread))
  const lines = original.toString("utf8").split("\n").slice(0, -1)

  it("§10.16: lines that cannot be read change nothing, wherever they stand", async () => {
    const expected = await answer("plain.jsonl", original)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(lines.length), unreadable), { minLength: 1, maxLength: 5 }),
        async (more) => {
          const changed = [...lines]
          for (const [at, line] of more) changed.splice(at, 0, line)
          expect(await answer("changed.jsonl", Buffer.from(`${changed.join("\n")}\n`))).toEqual(expected)
        }
      ),
      { numRuns: 60 }
    )
  })

  it("§10.17: a compressed thread gives the answers of the plain one", async () => {
    const expected = await answer("plain.jsonl", original)
    expect(await answer("cold.jsonl.zst", await compress(original))).toEqual(expected)
  })
})
