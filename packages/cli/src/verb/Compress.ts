/** `skein compress`: makes threads cold that nobody touches, and says what that saves. */
import type { FileSystem, Path } from "@effect/platform"
import type { InvalidRequest, StoreUnavailable } from "@skein/store/StoreError"
import * as ColdWorker from "@skein/store-fs/ColdWorker"
import { type Duration, Effect, Ref } from "effect"
import * as Output from "../Output.js"
import * as Progress from "../Progress.js"
import * as Prompt from "../Prompt.js"
import * as Store from "../Store.js"
import * as Text from "../Text.js"

/** What `skein compress --json` prints. */
export interface CompressDocument {
  readonly store: string
  /** Whether it only says what would be done. */
  readonly dryRun: boolean
  /** Files by what became of them, or would. */
  readonly files: Readonly<Partial<Record<ColdWorker.Result, number>>>
  /** Bytes of the plain files that were compressed, or would be. */
  readonly sourceBytes: number
  /** Bytes that they take now; null when it was not done. */
  readonly compressedBytes: number | null
  /** Files that could not be compressed, and why. */
  readonly failed: ReadonlyArray<{ readonly path: string; readonly error: string }>
}

/** How it is done. */
export interface Options {
  readonly json: boolean
  readonly yes: boolean
  readonly dryRun: boolean
  readonly olderThan: Duration.Duration
}

/** Tells what is to be compressed, asks, and compresses; the exit code is 1 when a file failed. */
export const compress = (
  address: Store.Address,
  { dryRun, json, olderThan, yes }: Options,
  status: Ref.Ref<number>
): Effect.Effect<void, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const store = Store.format(address)
    if (address.kind !== "fs") return yield* noFiles(store, status)
    yield* Store.present(address)
    const options: ColdWorker.Options = { home: address.path, olderThan }
    if (dryRun || !yes) {
      const wanted = yield* ColdWorker.candidates(options).pipe(Output.busy(`looking at ${store}`))
      const plan = documentOf(store, wanted, true)
      if (dryRun) return yield* show(plan, json)
      const count = plan.files.compressed ?? 0
      yield* Output.error(`${Text.plural(count, "file")} of ${Text.bytes(plan.sourceBytes)} would be compressed`)
      if (count === 0) return yield* show(documentOf(store, wanted, false), json)
      if (!Prompt.isTerminal()) {
        return yield* Output.usage("Nothing was compressed: nobody can be asked here. Say --yes.", status)
      }
      if (!(yield* Prompt.confirm("Compress them?"))) {
        yield* Output.error("Nothing was compressed.")
        return yield* Ref.set(status, 1)
      }
    }
    const line = Output.line()
    let saved = 0
    const { files } = yield* ColdWorker.compress({
      ...options,
      onFile: (file, done, total) => {
        if (file.result === "compressed") saved += file.sourceBytes - file.compressedBytes
        line.tell(`compressing, ${Text.bytes(Math.max(0, saved))} saved`, done, total, Progress.counted("file"))
      }
    }).pipe(Effect.ensuring(Effect.sync(line.clear)))
    const document = documentOf(store, files, false)
    if (document.failed.length > 0) yield* Ref.set(status, 1)
    yield* show(document, json)
  }).pipe(
    Effect.catchAll((refused: InvalidRequest | StoreUnavailable) =>
      Output.refuse(Store.format(address), refused, json, status)
    )
  )

/** Says that a store has no files that could be compressed. */
export const noFiles = (store: string, status: Ref.Ref<number>): Effect.Effect<void> =>
  Output.usage(`${store} has no files to compress; only a home of files does: fs:<folder>.`, status)

const documentOf = (store: string, files: ReadonlyArray<ColdWorker.FileReport>, dryRun: boolean): CompressDocument => {
  const counts: Partial<Record<ColdWorker.Result, number>> = {}
  for (const { result } of files) counts[result] = (counts[result] ?? 0) + 1
  const compressed = files.filter(({ result }) => result === "compressed")
  const sum = (of: (file: ColdWorker.FileReport) => number): number =>
    compressed.reduce((total, file) => total + of(file), 0)
  return {
    store,
    dryRun,
    files: counts,
    sourceBytes: sum((file) => file.sourceBytes),
    compressedBytes: dryRun ? null : sum((file) => file.compressedBytes),
    failed: files.flatMap(({ error, path }) => (error === undefined ? [] : [{ path, error: error.message }]))
  }
}

const show = (document: CompressDocument, json: boolean): Effect.Effect<void> =>
  json ? Output.document(document) : Output.print(render(document, Output.style()))

const words: Readonly<Record<ColdWorker.Result, string>> = {
  compressed: "compressed",
  skipped_not_cold: "not old enough",
  skipped_changed: "changed meanwhile",
  skipped_already_compressed: "there in both forms",
  skipped_in_use: "in use",
  failed: "failed"
}

const render = (
  { compressedBytes, dryRun, failed, files, sourceBytes, store }: CompressDocument,
  style: Text.Style
): string => {
  const count = files.compressed ?? 0
  const saved = sourceBytes - (compressedBytes ?? 0)
  const percent = sourceBytes === 0 ? 0 : Math.round((100 * saved) / sourceBytes)
  const others = (Object.keys(words) as Array<ColdWorker.Result>).filter(
    (result) => result !== "compressed" && (files[result] ?? 0) > 0
  )
  const head = dryRun
    ? `${Text.plural(count, "file")} of ${Text.bytes(sourceBytes)} would be compressed`
    : count === 0
      ? "nothing was compressed"
      : `${Text.plural(count, "file")} compressed: ${Text.bytes(sourceBytes)} are ${Text.bytes(compressedBytes ?? 0)} now, ${style.good(`${Text.bytes(saved)} saved`)} (${percent} %)`
  return Text.lines([
    `${style.strong(store)}: ${head}`,
    ...others.map((result) => `  ${Text.plural(files[result] ?? 0, "file")} ${words[result]}`),
    ...failed.map(({ error, path }) => `  ${style.bad("failed")} ${path}: ${error}`)
  ])
}
