/** What the manifests of the packages have to say, so that npm publishes and installs what is meant. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { isBuiltin } from "node:module"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { repository } from "../../core/test/corpus.js"

interface Manifest {
  readonly name: string
  readonly version: string
  /** What nobody but this repository uses. */
  readonly private?: boolean
  readonly description?: string
  readonly license?: string
  readonly type?: string
  readonly sideEffects?: boolean
  readonly engines?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, unknown>>
  readonly files?: ReadonlyArray<string>
  readonly publishConfig?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

const read = (path: string): string => readFileSync(join(repository, path), "utf8")
const manifestOf = (folder: string): Manifest => JSON.parse(read(`${folder}/package.json`))

const packages = readdirSync(join(repository, "packages"))
  .map((name) => `packages/${name}`)
  .filter((folder) => existsSync(join(repository, folder, "package.json")))
  .map((folder) => ({ folder, manifest: manifestOf(folder) }))
const published = packages.filter((one) => one.manifest.private !== true)
const root = manifestOf(".")
const ours = new Map(packages.map(({ manifest }) => [manifest.name, manifest.version]))

/** The packages whose modules a folder of sources imports, but for what hosts import that `skein init` writes. */
const importedBy = (folder: string): ReadonlySet<string> => {
  const files = readdirSync(join(repository, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.parentPath.endsWith("cli/src/init"))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
  const specifiers = files.flatMap((text) => [...text.matchAll(/(?:\bfrom |\bimport\(|^import )"([@\w][\w@:/.-]*)"/gm)])
  return new Set(
    specifiers
      .map(([, specifier = ""]) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? "")
      .filter((name) => !isBuiltin(name) && !name.startsWith("node:"))
  )
}

/** What of a package is bundled: the command alone, which is imported by nobody. */
const isBundled = ({ name }: Manifest): boolean => name === "@skein/cli"

describe.each(published.map(({ folder, manifest }) => [manifest.name, folder, manifest] as const))(
  "%s",
  (_, folder, manifest) => {
    it("has licence, page and manifest as the others have", () => {
      expect(read(`${folder}/LICENSE`)).toBe(read("LICENSE"))
      expect(read(`${folder}/README.md`)).toMatch(/^# /)
      expect(manifest).toMatchObject({
        license: root.license,
        type: "module",
        engines: root.engines,
        publishConfig: { access: "public" }
      })
      expect(manifest.description).toMatch(/\S/)
      expect(manifest.files).toEqual(expect.arrayContaining(["README.md", "LICENSE"]))
    })

    it("keeps its internals to itself, and has nothing that happens on import", () => {
      if (isBundled(manifest)) return expect(manifest.exports).toBeUndefined()
      expect(manifest.sideEffects).toBe(false)
      // In this order: the first pattern that fits is taken, and types before code.
      expect(JSON.stringify(manifest.exports)).toBe(
        JSON.stringify({
          ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
          "./internal/*": null,
          "./package.json": "./package.json",
          "./*": { types: "./dist/*.d.ts", default: "./dist/*.js" }
        })
      )
    })

    it("declares what it imports, and ours in the version that lies here", () => {
      const declared = isBundled(manifest)
        ? { ...manifest.devDependencies, ...manifest.dependencies }
        : { ...manifest.peerDependencies, ...manifest.dependencies }
      for (const name of importedBy(`${folder}/src`)) expect(Object.keys(declared)).toContain(name)
      for (const [name, range] of Object.entries({ ...manifest.devDependencies, ...declared })) {
        if (ours.has(name)) expect([name, range]).toEqual([name, ours.get(name)])
      }
    })

    it("leaves effect to the host, where the host sees its values (decision 29)", () => {
      const { dependencies = {}, peerDependencies = {} } = manifest
      if (isBundled(manifest)) return expect(dependencies).not.toHaveProperty("effect")
      expect([dependencies["effect"], peerDependencies["effect"]]).toEqual(
        manifest.name === "skein" ? ["^3.22.4", undefined] : [undefined, "^3.22.4"]
      )
    })
  }
)

it("all packages have one version, and one range for each of their dependencies", () => {
  expect(new Set(ours.values()).size).toBe(1)
  const ranges = new Map<string, Set<string>>()
  for (const { manifest } of packages) {
    for (const kind of ["dependencies", "peerDependencies", "devDependencies"] as const) {
      for (const [name, range] of Object.entries(manifest[kind] ?? {})) {
        ranges.set(name, (ranges.get(name) ?? new Set()).add(range))
      }
    }
  }
  expect([...ranges].filter(([, all]) => all.size > 1).map(([name, all]) => [name, ...all])).toEqual([])
})
