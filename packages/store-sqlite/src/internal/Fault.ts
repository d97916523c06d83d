/** What an error of SQLite means for who asked: told apart by its code, never by its words. */
import { SqlError } from "@effect/sql/SqlError"
import { StoreUnavailable } from "@skein/store/StoreError"

/** `busy`: somebody else is writing, and the same call may do later. `corrupt`: the file is not what SQLite wrote. */
export type Kind = "busy" | "corrupt" | "full" | "readonly" | "missing" | "size" | "other"

/** SQLite's name of what went wrong, such as `SQLITE_BUSY_SNAPSHOT`; empty for anything else. */
export const codeOf = (error: unknown): string => {
  const cause = error instanceof SqlError ? error.cause : error
  const code = (cause as { readonly code?: unknown } | null | undefined)?.code
  return typeof code === "string" ? code : ""
}

/** By the primary code; those that are not listed say something about the disk or a mistake of ours. */
const kinds: Readonly<Record<string, Kind>> = {
  SQLITE_BUSY: "busy",
  SQLITE_LOCKED: "busy",
  SQLITE_PROTOCOL: "busy",
  SQLITE_CORRUPT: "corrupt",
  SQLITE_NOTADB: "corrupt",
  SQLITE_FULL: "full",
  SQLITE_READONLY: "readonly",
  SQLITE_PERM: "readonly",
  SQLITE_CANTOPEN: "missing",
  SQLITE_TOOBIG: "size"
}

/** What kind of fault an error is. Extended codes count as the primary one that they begin with. */
export const kindOf = (error: unknown): Kind => kinds[codeOf(error).split("_").slice(0, 2).join("_")] ?? "other"

/** The files of a database. */
export const filesOf = (path: string): ReadonlyArray<string> => [path, `${path}-wal`, `${path}-shm`]

const says: Readonly<Record<Kind, { readonly reason: string; readonly advice: string; readonly retryable: boolean }>> =
  {
    busy: {
      reason: "another process kept the database locked",
      advice: "Try again; if that goes on, look for a process that stopped in the middle of a write.",
      retryable: true
    },
    corrupt: {
      reason: "the database is damaged",
      advice:
        'Nothing more is written to it. Run "skein doctor --repair": it keeps a copy and saves every row that can be read.',
      retryable: false
    },
    full: { reason: "the disk is full", advice: "Make room and try again; nothing was written.", retryable: true },
    readonly: {
      reason: "the database may not be written to",
      advice: "Check the permissions of the file and of its folder, which SQLite writes to as well.",
      retryable: false
    },
    missing: {
      reason: "the database cannot be opened",
      advice: "Check that its folder exists and that both may be read and written.",
      retryable: false
    },
    size: {
      reason: "a value is larger than SQLite keeps",
      advice: "Lines can have up to about a billion bytes.",
      retryable: false
    },
    other: { reason: "SQLite could not do it", advice: "See the cause; check the disk.", retryable: false }
  }

/** An error of SQLite as a store's. */
export const unavailable = (operation: string, path: string, error: unknown): StoreUnavailable => {
  const kind = kindOf(error)
  const { advice, reason, retryable } = says[kind]
  const cause = error instanceof SqlError ? error.cause : error
  const detail = kind === "other" && cause instanceof Error ? `: ${cause.message}` : ""
  return new StoreUnavailable({
    operation,
    reason: `${reason}${detail}`,
    advice,
    retryable,
    paths: filesOf(path),
    cause
  })
}
