/** `skein decompress`: makes cold threads plain again. */
import type { FileSystem, Path } from "@effect/platform"
import { type InvalidRequest, type StoreUnavailable, ThreadNotFound } from "@skein/store/StoreError"
import * as ColdWorker from "@skein/store-fs/ColdWorker"
import { Effect, Ref } from "effect"
import * as Output from "../Output.js"
import * as Progress from "../Progress.js"
import * as Store from "../Store.js"
import * as Text from "../Text.js"
import { noFiles } from "./Compress.js"

/** What `skein decompress --json` prints. */
export interface DecompressDocument {
  readonly store: string
  /** Files that are plain now. */
  readonly decompressed: number
  /** Bytes that they take. */
  readonly bytes: number
  /** Files that stay compressed, and why. */
  readonly left: ReadonlyArray<{ readonly path: string; readonly threadId: string; readonly why: string }>
}

/** Makes threads plain, or all of them; the exit code is 1 when one stays compressed. */
export const decompress = (
  address: Store.Address,
  ids: ReadonlyArray<string>,
  json: boolean,
  status: Ref.Ref<number>
): Effect.Effect<void, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const store = Store.format(address)
    if (address.kind !== "fs") return yield* noFiles(store, status)
    yield* Store.present(address)
    const missing = ids.length === 0 ? [] : yield* ColdWorker.missing(address.path, ids)
    for (const threadId of missing) {
      yield* Output.refuse(threadId, new ThreadNotFound({ threadId }), json, status)
    }
    const line = Output.line()
    const files = yield* ColdWorker.decompress({
      home: address.path,
      threadIds: ids.length === 0 ? undefined : ids,
      onFile: (_, done, total) => line.tell("decompressing", done, total, Progress.counted("file"))
    }).pipe(Effect.ensuring(Effect.sync(line.clear)))
    const plain = files.filter(({ result }) => result === "decompressed")
    const document: DecompressDocument = {
      store,
      decompressed: plain.length,
      bytes: plain.reduce((sum, { bytes }) => sum + bytes, 0),
      left: files.flatMap(({ error, path, result, threadId }) =>
        result === "decompressed" ? [] : [{ path, threadId, why: error ?? "somebody has the thread open" }]
      )
    }
    if (document.left.length > 0) yield* Ref.set(status, 1)
    yield* json ? Output.document(document) : Output.print(render(document, Output.style()))
  }).pipe(
    Effect.catchAll((refused: InvalidRequest | StoreUnavailable) =>
      Output.refuse(Store.format(address), refused, json, status)
    )
  )

const render = ({ bytes, decompressed, left, store }: DecompressDocument, style: Text.Style): string =>
  Text.lines([
    `${style.strong(store)}: ${decompressed === 0 ? "nothing was decompressed" : `${Text.plural(decompressed, "file")} of ${Text.bytes(bytes)} plain again`}`,
    ...left.map(({ path, why }) => `  ${style.bad("left")} ${path}: ${why}`)
  ])
