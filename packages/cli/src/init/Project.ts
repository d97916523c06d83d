/** The files of a new host, whatever its flavour: what it is made of, how it is built and tested, and its page. */
import { version } from "../Version.js"

/** How a host is written. */
export type Flavour = "promise" | "effect"

/** Files by their paths in the project, with their texts. */
export type Files = Readonly<Record<string, string>>

/** What a host needs from elsewhere, by name. */
export type Ranges = Readonly<Record<string, string>>

/** What one flavour brings along. */
export interface Host {
  readonly files: Files
  /** Our packages that it imports. */
  readonly imports: ReadonlyArray<string>
  /** Our packages that these bring along. */
  readonly brings: ReadonlyArray<string>
  readonly dependencies: Ranges
  /** What its README says of it. */
  readonly about: string
  /** Its modules, and what each is for. */
  readonly modules: ReadonlyArray<readonly [path: string, about: string]>
}

/** Tools, as this repository has them. */
export const tools: Ranges = {
  "@types/node": "^20.19.0",
  "fast-check": "^4.10.2",
  typescript: "7.0.2",
  vitest: "^3.2.7"
}

const testing = "@skein/testing"

/** Our packages that a host asks for; all that take part where they come from a folder of archives. */
export const ours = (host: Host, isPacked: boolean): ReadonlyArray<string> =>
  [...host.imports, ...(isPacked ? host.brings : []), testing].sort()

/** The archive that `npm pack` makes of one of our packages. */
export const archiveOf = (name: string): string => `${name.replace("@", "").replace("/", "-")}-${version}.tgz`

/** A name for npm from that of a folder. */
export const nameOf = (folder: string): string => {
  const name = folder.toLowerCase().replace(/[^a-z0-9._-]+/g, "-")
  return name.replace(/^[._-]+|[._-]+$/g, "").slice(0, 200) || "host"
}

/**
 * The files of a project.
 *
 * @param name The name of the project, as {@link nameOf} gives it.
 * @param from Where the archives of our packages lie, as the project names that folder; undefined: in the registry.
 */
export const files = (host: Host, name: string, from: string | undefined): Files => {
  const range = (one: string) => (from === undefined ? `^${version}` : `file:${from}/${archiveOf(one)}`)
  const all = ours(host, from !== undefined)
  const runtime = all.filter((one) => one !== testing).map((one) => [one, range(one)] as const)
  const manifest = {
    name,
    version: "0.0.0",
    private: true,
    type: "module",
    engines: { node: ">=20.19" },
    scripts: { build: "tsc", start: "tsc && node dist/src/main.js", test: "tsc --noEmit && vitest run" },
    dependencies: sorted([...runtime, ...Object.entries(host.dependencies)]),
    devDependencies: sorted([[testing, range(testing)], ...Object.entries(tools)])
  }
  return {
    ".gitignore": "node_modules/\ndist/\n*.db\n*.db-shm\n*.db-wal\n",
    "README.md": readme(host, name, from),
    "package.json": `${JSON.stringify(manifest, null, 2)}\n`,
    "tsconfig.json": `${JSON.stringify(tsconfig, null, 2)}\n`,
    ...host.files
  }
}

const sorted = (entries: ReadonlyArray<readonly [string, string]>): Ranges =>
  Object.fromEntries([...entries].sort(([one], [other]) => (one < other ? -1 : 1)))

const tsconfig = {
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2023", "ESNext.Disposable"],
    module: "NodeNext",
    rootDir: ".",
    outDir: "dist",
    strict: true,
    skipLibCheck: true,
    types: ["node"]
  },
  include: ["src", "test"]
}

const readme = ({ about, modules }: Host, name: string, from: string | undefined): string => `# ${name}

${about}

\`\`\`sh
npm install
npm start                    # asks, and answers
npm start -- "And now?"      # goes on with the same thread
npm test                     # types, and properties
\`\`\`

Threads lie in \`threads.db\`. Kill the process in the middle of a turn: the next run shows that turn as interrupted, and goes on.

| file | what it is |
| --- | --- |
${[...modules, ["test/host.test.ts", "properties of both: for any log, and for whatever is said"] as const]
  .map(([path, what]) => `| \`${path}\` | ${what} |`)
  .join("\n")}

The model is one line that stands in for a real one: put the call of yours into \`src/model.ts\`.

## Where Skein comes from

${from === undefined ? "`package.json` asks the registry for it." : `\`package.json\` asks for archives in \`${from}\`, by their paths: all that take part are named, since npm would look for the others in the registry.`} Without a registry, pack the packages in a clone of Skein and name the archives:

\`\`\`sh
npm pack --workspaces --pack-destination ../packed
skein init --from ../packed my-host
\`\`\`
`
