/** Threads of every form, written to files: what is read of them is what was written. */
import { join } from "node:path"
import type { StoredRecord } from "@skein/core/record/Record"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import * as Family from "@skein/testing/Family"
import * as Thread from "@skein/testing/Thread"
import type { File } from "@skein/testing/ThreadWriter"
import { Effect } from "effect"
import * as fc from "fast-check"
import { afterAll, describe, expect, it } from "vitest"
import * as RolloutLog from "../src/RolloutLog.js"
import * as Home from "./Home.js"

afterAll(Home.removeAll)

const folder = "sessions/2026/07/20"

const homeOf = (files: ReadonlyArray<File>): string =>
  Home.home(Object.fromEntries(files.map((file) => [join(folder, file.name), Thread.bytesOf(file)])))

/** The records that a file stands for, and what was noticed. */
const read = (home: string, { name }: File) =>
  Home.run(
    Effect.gen(function* () {
      const log = yield* RolloutLog.open(join(home, folder, name))
      const records: Array<StoredRecord> = []
      let damaged = 0
      yield* EffectiveLog.forward(log, (decoded) => {
        if (EffectiveLog.isRecord(decoded)) records.push(decoded)
        else damaged++
        return true
      })
      const older: Array<StoredRecord> = []
      yield* EffectiveLog.backward(log, (decoded) => {
        if (EffectiveLog.isRecord(decoded)) older.unshift(decoded)
        return true
      })
      return { records, older, damaged, diagnostics: log.diagnostics, whole: log.whole }
    })
  )

/** What a record is, wherever it stands. */
const contentOf = ({ kind, ordinal, payload, timestamp, upcast }: StoredRecord) =>
  JSON.stringify({ kind, ordinal, payload, timestamp, upcast })

const same = (records: ReadonlyArray<StoredRecord>, expected: ReadonlyArray<StoredRecord>) =>
  expect(records.map(contentOf)).toEqual(expected.map(contentOf))

const newest = (files: ReadonlyArray<File>): File => files.at(-1) ?? { name: "", lines: [] }

describe("threads as files", () => {
  it("the newest file stands for the log: its header, what it inherits, its own records; from the end the same", async () => {
    let chains = 0
    await fc.assert(
      // Half of them of the form that has chains, so that there always are some.
      fc.asyncProperty(
        fc.oneof(Thread.thread(), Thread.thread({ form: "paginated" })),
        async ({ files, log, model }) => {
          const { damaged, diagnostics, older, records, whole } = await read(homeOf(files), newest(files))
          expect({ damaged, diagnostics, whole }).toEqual({ damaged: 0, diagnostics: [], whole: true })
          same(records, log)
          // Backward the header stands where it stands in its file.
          if (model.form !== "paginated" || files.length === 1) same(older, log)
          else {
            chains++
            same(
              older.toSorted((one, other) => (one.ordinal ?? 0) - (other.ordinal ?? 0)),
              older
            )
            expect(new Set(older.map(contentOf))).toEqual(new Set(log.map(contentOf)))
          }
        }
      ),
      { numRuns: 120 }
    )
    expect(chains).toBeGreaterThan(0)
  })

  it("every file of a family stands for the log of its member, whatever lies beside it", async () => {
    await fc.assert(
      fc.asyncProperty(Family.family(), async ({ members }) => {
        const home = homeOf(members.flatMap(({ files }) => files))
        for (const { files, log } of members) same((await read(home, newest(files))).records, log)
      }),
      { numRuns: 40 }
    )
  })
})
