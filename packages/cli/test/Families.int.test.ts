/** What the command tells of files is what the folds tell of their records: threads and families of every form. */
import { join } from "node:path"
import * as AgentTree from "@skein/core/fold/AgentTree"
import * as Fold from "@skein/core/fold/Fold"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as Prompt from "@skein/core/fold/Prompt"
import * as ThreadView from "@skein/core/fold/view/ThreadView"
import { whenIdle } from "@skein/core/fold/view/Turn"
import type { StoredRecord } from "@skein/core/record/Record"
import * as Family from "@skein/testing/Family"
import * as Thread from "@skein/testing/Thread"
import type { File } from "@skein/testing/ThreadWriter"
import * as fc from "fast-check"
import { afterAll, describe, expect, it } from "vitest"
import * as Home from "../../store-fs/test/Home.js"
import * as Context from "../src/verb/Context.js"
import * as Diff from "../src/verb/Diff.js"
import * as Show from "../src/verb/Show.js"
import * as Tree from "../src/verb/Tree.js"
import { apply } from "./Diffs.js"

afterAll(Home.removeAll)

const folder = "sessions/2026/07/20"

const homeOf = (files: ReadonlyArray<File>): string =>
  Home.home(Object.fromEntries(files.map((file) => [join(folder, file.name), Thread.bytesOf(file)])))

const parsed = <A>(value: A): A => JSON.parse(JSON.stringify(value)) as A

/** Holds the answers about a file to the folds of its records. */
const check = async (path: string, log: ReadonlyArray<StoredRecord>) => {
  const shown = await Home.run(Show.show(path))
  const turns = ThreadView.turns(Fold.run(ThreadView.fold(), log)).map(whenIdle)
  expect(parsed(shown.turns)).toEqual(parsed(turns))
  expect(shown.diagnostics).toEqual([])
  const context = await Home.run(Context.context(path, undefined))
  const replayed = ModelContext.read(Fold.run(ModelContext.fold(), log))
  expect(context.prompt).toEqual(Prompt.normalise(replayed.history))
  expect(context.worldState).toEqual(replayed.worldState ?? null)
  expect(context.window).toEqual(Context.windowOf(replayed))
  return shown
}

const pathIn = (home: string, files: ReadonlyArray<File>): string => join(home, folder, files.at(-1)?.name ?? "")

describe("files of every form", () => {
  it("show and context answer as the folds do, and diff leads from any line to the end", async () => {
    await fc.assert(
      fc.asyncProperty(Thread.thread(), fc.nat(60), async ({ files, log }, at) => {
        const path = pathIn(homeOf(files), files)
        const { turns } = await check(path, log)
        const from = String(Math.min(at, files.at(-1)?.lines.length ?? 0))
        const before = await Home.run(Show.show(path, { at: from }))
        const diff = parsed(await Home.run(Diff.diff(path, { from })))
        expect(apply(parsed(before.turns), diff)).toEqual(parsed(turns))
      }),
      { numRuns: 80 }
    )
  })

  it("tree finds every member of a family in its place, show tells whose child it is", async () => {
    let found = 0
    await fc.assert(
      fc.asyncProperty(Family.family(), async ({ members }) => {
        const home = homeOf(members.flatMap(({ files }) => files))
        const forest = AgentTree.assemble(members.map(({ log }) => Fold.run(AgentTree.fold, log)))
        const { agents, diagnostics, unreadable } = await Home.run(Tree.tree(home))
        expect({ diagnostics, unreadable }).toEqual({ diagnostics: [], unreadable: [] })
        expect(agents.map(({ children, depth, id, note, status }) => ({ children, depth, id, note, status }))).toEqual(
          forest.map(({ children, depth, id, note, status }) => ({ children, depth, id, note: note ?? null, status }))
        )
        for (const { files, id, log, parentId } of members) {
          const path = pathIn(home, files)
          expect(agents.find((agent) => agent.id === id)?.file).toBe(path)
          const { thread } = await check(path, log)
          // 0.98.0 names the parent in the source alone.
          const source = JSON.stringify(thread.source)
          expect(thread.parentThreadId ?? (parentId !== undefined && source.includes(parentId) ? parentId : null)).toBe(
            parentId ?? null
          )
          found++
        }
      }),
      { numRuns: 30 }
    )
    expect(found).toBeGreaterThan(30)
  })
})
