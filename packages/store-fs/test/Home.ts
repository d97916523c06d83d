/** Codex homes made of a few lines, in temporary folders. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { FileSystem, type Path } from "@effect/platform"
import { SystemError } from "@effect/platform/Error"
import { NodeContext } from "@effect/platform-node"
import { Effect, Layer, type Scope } from "effect"

const made: Array<string> = []

/** An empty temporary folder. */
export const temporary = (below: string = tmpdir()): string => {
  const folder = mkdtempSync(join(below, "skein-home-"))
  made.push(folder)
  return folder
}

/** A home with these files, by path inside it. */
export const home = (files: Readonly<Record<string, string | Uint8Array>>, below?: string): string => {
  const folder = temporary(below)
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
  }
  return folder
}

/** Removes every folder that was made. */
export const removeAll = (): void => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
}

/** A thread or segment id. */
export const id = (n: number): string => `019c2b10-7a00-7c00-8000-${n.toString(16).padStart(12, "0")}`

/** The path of a thread's file, or of one of its segments, inside a home. */
export const file = (thread: number, segment?: number): string => `sessions/2026/07/20/${name(thread, segment)}`

export const name = (thread: number, segment?: number): string =>
  `rollout-2026-07-20T10-00-${String(segment ?? 0).padStart(2, "0")}-${id(thread)}${
    segment === undefined ? "" : `_${id(segment)}`
  }.jsonl`

const line = (type: string, payload: unknown, ordinal?: number): string =>
  JSON.stringify({
    timestamp: `2026-07-20T10:00:${String((ordinal ?? 0) % 60).padStart(2, "0")}.000Z`,
    ...(ordinal === undefined ? {} : { ordinal }),
    type,
    payload
  })

export interface Base {
  readonly thread: number
  readonly ordinal: number
  readonly offset: number
}

/** The opening line of a paginated thread. */
export const meta = (thread: number, ordinal = 0, base?: Base, more: object = {}): string =>
  line(
    "session_meta",
    {
      session_id: id(thread),
      id: id(thread),
      timestamp: "2026-07-20T10:00:00.000Z",
      cwd: "/repo",
      originator: "test",
      cli_version: "0.169.0",
      source: "cli",
      model_provider: "openai",
      base_instructions: null,
      history_mode: "paginated",
      ...(base === undefined
        ? {}
        : {
            history_base: {
              thread_id: id(base.thread),
              end_ordinal_exclusive: base.ordinal,
              end_byte_offset: base.offset
            }
          }),
      ...more
    },
    ordinal
  )

/** The opening line of a legacy thread. */
export const legacyMeta = (thread: number, more: object = {}): string =>
  meta(thread, 0, undefined, { history_mode: "legacy", ...more }).replace(/"ordinal":0,/, "")

/** A line that says something. */
export const say = (text: string, ordinal?: number): string =>
  line("response_item", { type: "message", role: "user", content: [{ type: "input_text", text }] }, ordinal)

export const event = (payload: unknown, ordinal?: number): string => line("event_msg", payload, ordinal)
export const record = line

/** Lines as a file. */
export const document = (...lines: ReadonlyArray<string>): string => lines.map((one) => `${one}\n`).join("")

/** The offset at which the line with a text begins. */
export const offsetOf = (content: string, text: string): number => {
  const at = content.indexOf(text)
  return Buffer.byteLength(content.slice(0, content.lastIndexOf("\n", at) + 1))
}

/** Runs an effect on the real file system. */
export const run = <A, E>(effect: Effect.Effect<A, E, FileSystem.FileSystem | Path.Path | Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(effect).pipe(Effect.provide(NodeContext.layer)))

/** The real file system but for one path, that of a file or a folder, which may not be read: not by root either. */
const denying = (denied: string): Layer.Layer<FileSystem.FileSystem> =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => {
      const guarded =
        <A extends ReadonlyArray<unknown>, B, E, R>(
          method: string,
          call: (path: string, ...more: A) => Effect.Effect<B, E, R>
        ) =>
        (path: string, ...more: A) =>
          path === denied
            ? Effect.fail(
                new SystemError({ reason: "PermissionDenied", module: "FileSystem", method, pathOrDescriptor: path })
              )
            : call(path, ...more)
      return {
        ...fs,
        open: guarded("open", fs.open),
        readFile: guarded("readFile", fs.readFile),
        readDirectory: guarded("readDirectory", fs.readDirectory)
      }
    })
  ).pipe(Layer.provide(NodeContext.layer))

/** Runs an effect on the real file system, in which one path may not be read. */
export const runDenied = <A, E>(
  denied: string,
  effect: Effect.Effect<A, E, FileSystem.FileSystem | Path.Path | Scope.Scope>
): Promise<A> =>
  Effect.runPromise(Effect.scoped(effect).pipe(Effect.provide(Layer.provideMerge(denying(denied), NodeContext.layer))))

/** The error that an effect fails with; fails itself when the effect succeeds. */
export const refused = <A, E>(
  effect: Effect.Effect<A, E, FileSystem.FileSystem | Path.Path | Scope.Scope>
): Promise<E> => run(Effect.flip(effect).pipe(Effect.orDieWith(() => new Error("it was not refused"))))
