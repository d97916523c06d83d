/** `skein init`: a new host that runs. */
import { FileSystem, Path } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import { InvalidRequest } from "@skein/store/StoreError"
import { Effect, Either } from "effect"
import * as EffectHost from "../init/EffectHost.js"
import * as Project from "../init/Project.js"
import * as PromiseHost from "../init/PromiseHost.js"
import * as Text from "../Text.js"

/** What `skein init --json` prints. */
export interface InitDocument {
  readonly folder: string
  readonly flavour: Project.Flavour
  /** What was written, as paths in the folder. */
  readonly files: ReadonlyArray<string>
}

/** The words of the command. */
export interface Options {
  readonly flavour: Project.Flavour
  /** A folder with the packed packages; undefined: they come from the registry. */
  readonly from: string | undefined
}

const hosts: Readonly<Record<Project.Flavour, Project.Host>> = {
  effect: EffectHost.flavour,
  promise: PromiseHost.flavour
}

/**
 * Writes a new host into a folder, which is made when it is not there. Fails with `InvalidRequest` and writes nothing
 * when something is in it (what git keeps of it may be), or when an archive of `from` is missing.
 */
export const init = (
  folder: string,
  { flavour, from }: Options
): Effect.Effect<InitDocument, InvalidRequest, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const host = hosts[flavour]
    const root = paths.resolve(folder)
    yield* empty(folder)
    if (from !== undefined) yield* archivesIn(from, Project.ours(host, true))
    const packed = from === undefined ? undefined : portable(paths.relative(root, paths.resolve(from)))
    const files = Object.entries(Project.files(host, Project.nameOf(paths.basename(root)), packed))
    yield* Effect.forEach(
      files,
      ([name, text]) =>
        fs
          .makeDirectory(paths.dirname(paths.join(root, name)), { recursive: true })
          // What came there in the meantime is not overwritten.
          .pipe(Effect.zipRight(fs.writeFileString(paths.join(root, name), text, { flag: "wx" }))),
      { discard: true }
    ).pipe(Effect.mapError((error) => unwritable(folder, error)))
    return { folder, flavour, files: files.map(([name]) => name).sort() }
  })

/** What a folder may have in it and still count as empty. */
const harmless: ReadonlyArray<string> = [".git", ".DS_Store"]

/** Fails unless a folder is empty or not there. */
const empty = (folder: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const found = yield* Effect.either(fs.readDirectory(folder))
    if (Either.isLeft(found)) {
      const { left } = found
      if (left._tag === "SystemError" && left.reason === "NotFound") return
      return yield* Effect.fail(unwritable(folder, left))
    }
    const names = found.right.filter((name) => !harmless.includes(name)).sort()
    if (names.length === 0) return
    return yield* Effect.fail(
      new InvalidRequest({
        field: "FOLDER",
        reason: `${folder} is not empty: ${names.slice(0, 3).join(", ")}${names.length > 3 ? " and more" : ""}`,
        advice: "Nothing was written. Name a folder that is empty or not there yet."
      })
    )
  })

/** Fails unless a folder has an archive of each of our packages. */
const archivesIn = (from: string, names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const there = yield* fs.readDirectory(from).pipe(Effect.orElseSucceed((): ReadonlyArray<string> => []))
    const missing = names.map(Project.archiveOf).filter((archive) => !there.includes(archive))
    if (missing.length === 0) return
    return yield* Effect.fail(
      new InvalidRequest({
        field: "--from",
        reason: `${from} has no ${missing.join(", no ")}`,
        advice: "In a clone of Skein: npm pack --workspaces --pack-destination <folder>."
      })
    )
  })

const unwritable = (folder: string, error: PlatformError): InvalidRequest =>
  new InvalidRequest({
    field: "FOLDER",
    reason: `${folder} cannot be used: ${error.message}`,
    advice: "Name a folder that may be written to."
  })

/** A path as npm takes it on every system. */
const portable = (path: string): string => path.replaceAll("\\", "/")

/** The document for a person: what there is now, and what to do next. */
export const render = ({ files, folder, flavour }: InitDocument, style: Text.Style): string =>
  Text.lines([
    `${style.good("A host")} with ${flavour === "effect" ? "Effect" : "promises"} in ${folder}`,
    ...files.map((name) => style.dim(`  ${name}`)),
    "Next:",
    ...(folder === "." ? [] : [`  cd ${folder}`]),
    "  npm install",
    "  npm start",
    "  npm test"
  ])
