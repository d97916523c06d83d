/** `skein init`: what it writes runs, holds its own properties, and overwrites nothing. */
import { execFileSync } from "node:child_process"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { repository } from "../../core/test/corpus.js"
import * as EffectHost from "../src/init/EffectHost.js"
import * as Project from "../src/init/Project.js"
import * as PromiseHost from "../src/init/PromiseHost.js"
import { documents, skein } from "./command.js"

const work = mkdtempSync(join(tmpdir(), "skein-init-"))
afterAll(() => rmSync(work, { recursive: true, force: true }))

const read = (path: string) => JSON.parse(readFileSync(path, "utf8"))
const flavours = { promise: PromiseHost.flavour, effect: EffectHost.flavour }
const names = ["promise", "effect"] as const

/** Runs a tool of this repository in a folder. */
const tool = (script: string, folder: string, ...words: ReadonlyArray<string>): string =>
  execFileSync(process.execPath, [join(repository, "node_modules", script), ...words], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", VITEST: undefined, NODE_ENV: undefined },
    stdio: ["ignore", "pipe", "pipe"]
  })

/** A host that has been made, with this repository in the place of what npm would install. */
const made = async (flavour: Project.Flavour): Promise<string> => {
  const folder = join(mkdtempSync(join(work, "made-")), "My host")
  const { code, err } = await skein("init", "--flavour", flavour, folder)
  expect([code, err]).toEqual([0, ""])
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"), "dir")
  return folder
}

describe.each(names)("a host with %s", (flavour) => {
  beforeAll(() => void tool("typescript/bin/tsc", repository, "-b"), 120_000)

  it("compiles, answers, goes on with its thread in the next run, and holds its properties", async () => {
    const folder = await made(flavour)
    tool("typescript/bin/tsc", folder)
    const run = (...words: ReadonlyArray<string>) =>
      execFileSync(process.execPath, ["dist/src/main.js", ...words], { cwd: folder, encoding: "utf8" })
    const first = "completed: userMessage → I have read 2 items.\n"
    expect(run()).toBe(first)
    expect(run("And now?")).toBe(`${first}completed: userMessage → I have read 4 items.\n`)
    expect(tool("vitest/vitest.mjs", folder, "run")).toMatch(/Tests\s+2 passed \(2\)/)
  }, 120_000)

  it("is written as this repository is, and finds fault when the fold or the host is wrong", async () => {
    const folder = await made(flavour)
    const options = ["check", "--error-on-warnings", "--diagnostic-level=warn", `--config-path=${repository}`]
    tool("@biomejs/biome/bin/biome", folder, ...options, "src", "test")
    const fold = join(folder, "src/Questions.ts")
    writeFileSync(fold, readFileSync(fold, "utf8").replace("[...asked, ", "[...asked.slice(1), "))
    expect(() => tool("vitest/vitest.mjs", folder, "run")).toThrow()
  }, 60_000)

  it("asks the registry for what it imports, in the ranges of this repository", async () => {
    const folder = await made(flavour)
    const { dependencies, devDependencies, name } = read(join(folder, "package.json"))
    expect(name).toBe("my-host")
    const { version } = read(join(repository, "packages/core/package.json"))
    const known = {
      ...read(join(repository, "package.json")).devDependencies,
      ...read(join(repository, "packages/skein/package.json")).dependencies
    }
    for (const [one, range] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect([one, range]).toEqual([one, /^(@skein\/|skein$)/.test(one) ? `^${version}` : known[one]])
    }
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"))
    const imported = files
      .filter((path) => !path.startsWith("node_modules"))
      .flatMap((path) => [...readFileSync(join(folder, path), "utf8").matchAll(/from "((?:@[^/"]+\/)?[^./"][^/"]*)/g)])
    for (const [, one] of imported) expect({ ...dependencies, ...devDependencies }).toHaveProperty([one ?? ""])
  })

  it("names every package that takes part when they come from a folder of archives", async () => {
    const packed = mkdtempSync(join(work, "packed-"))
    const all = Project.ours(flavours[flavour], true)
    for (const one of all) writeFileSync(join(packed, Project.archiveOf(one)), "")
    const folder = join(mkdtempSync(join(work, "from-")), "host")
    expect((await skein("init", "--flavour", flavour, "--from", packed, folder)).code).toBe(0)
    const { dependencies, devDependencies } = read(join(folder, "package.json"))
    const asked = Object.entries({ ...dependencies, ...devDependencies } as Record<string, string>).filter(
      ([one]) => one === "skein" || one.startsWith("@skein/")
    )
    expect(asked.map(([one]) => one).sort()).toEqual(all)
    for (const [, range] of asked) {
      expect(range).toMatch(/^file:\.\.\//)
      expect(statSync(join(folder, range.slice("file:".length))).isFile()).toBe(true)
    }
    // What those need of ours is among them: npm would look for the rest in the registry.
    for (const one of all) {
      const from = join(repository, "packages", one.replace("@skein/", ""), "package.json")
      const { dependencies: needed = {} } = read(from)
      for (const other of Object.keys(needed)) if (other.startsWith("@skein/")) expect(all).toContain(other)
    }
  })
})

describe("skein init", () => {
  it("tells what it wrote", async () => {
    const folder = join(work, "told")
    const [document] = documents(await skein("init", "--json", folder))
    expect(document).toEqual({
      folder,
      flavour: "promise",
      files: [
        ".gitignore",
        "README.md",
        "package.json",
        "src/Questions.ts",
        "src/host.ts",
        "src/main.ts",
        "src/model.ts",
        "test/host.test.ts",
        "tsconfig.json"
      ]
    })
    const written = readdirSync(folder, { recursive: true, encoding: "utf8" })
    expect(written.filter((path) => statSync(join(folder, path)).isFile()).sort()).toEqual(document?.["files"])
  })

  it("refuses a folder that is not empty, says what is in it, and writes nothing", async () => {
    const folder = join(work, "full")
    mkdirSync(join(folder, "src"), { recursive: true })
    for (const name of ["a", "b", "c"]) writeFileSync(join(folder, name), "kept")
    const answer = await skein("init", "--json", folder)
    expect(answer.code).toBe(1)
    expect(documents(answer)).toEqual([
      {
        file: folder,
        error: {
          tag: "InvalidRequest",
          field: "FOLDER",
          reason: `${folder} is not empty: a, b, c and more`,
          advice: "Nothing was written. Name a folder that is empty or not there yet."
        }
      }
    ])
    expect(readdirSync(folder).sort()).toEqual(["a", "b", "c", "src"])
    expect((await skein("init", folder)).err).toContain("is not empty: a, b, c and more. Nothing was written.")
  })

  it("takes a folder in which there is only a repository of git", async () => {
    const folder = join(work, "cloned")
    mkdirSync(join(folder, ".git"), { recursive: true })
    expect((await skein("init", folder)).code).toBe(0)
    expect(readdirSync(join(folder, ".git"))).toEqual([])
  })

  it("refuses what is no folder, and what may not be made", async () => {
    const file = join(work, "file")
    writeFileSync(file, "kept")
    for (const path of [file, join(file, "below")]) {
      const { code, err } = await skein("init", path)
      expect([code, err.split(":")[0]]).toEqual([1, "FOLDER"])
    }
    expect(readFileSync(file, "utf8")).toBe("kept")
  })

  it("refuses a folder that lacks an archive, before anything is written", async () => {
    const folder = join(work, "unpacked")
    const { code, err } = await skein("init", "--from", join(work, "nowhere"), folder)
    expect([code, err.split(":")[0]]).toEqual([1, "--from"])
    expect(err).toMatch(/has no skein-core-.*\.tgz, no skein-engine-/)
    expect(existsSync(folder)).toBe(false)
  })

  it("knows two flavours, and takes one folder", async () => {
    expect((await skein("init", "--flavour", "callback", join(work, "no"))).code).toBe(2)
    expect((await skein("init", join(work, "no"), join(work, "nor"))).code).toBe(2)
    expect((await skein("init", "--flavor", "effect")).code).toBe(2)
    expect(existsSync(join(work, "no"))).toBe(false)
  })

  it("makes a name that npm takes of any folder", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (folder) => {
        expect(Project.nameOf(folder)).toMatch(/^[a-z0-9]([a-z0-9._-]{0,198}[a-z0-9])?$/)
      })
    )
    expect(["My Host", "..", "日本", "a_b.c"].map(Project.nameOf)).toEqual(["my-host", "host", "host", "a_b.c"])
  })
})
