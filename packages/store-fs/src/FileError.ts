/** What can be wrong with a rollout file as a whole. What is wrong inside it is a diagnostic, not an error. */
import type { PlatformError } from "@effect/platform/Error"
import { Data } from "effect"

/** Why a file was refused. */
export type Reason =
  | "missing"
  | "directory"
  | "not-a-folder"
  | "not-a-file"
  | "no-permission"
  | "io"
  | "zstd-damaged"
  | "zstd-too-large"
  | "empty"
  | "unknown-history-mode"

/** A file that cannot be read as a rollout: which one, why, and what to do about it. */
export class FileRefused extends Data.TaggedError("FileRefused")<{
  readonly path: string
  readonly reason: Reason
  readonly detail: string
  readonly advice: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `${this.path}: ${this.detail}. ${this.advice}`
  }
}

/** What it means for a path that the system refused to open, read or list it. */
export const ofSystem =
  (path: string) =>
  (error: PlatformError): FileRefused => {
    const reason = error._tag === "SystemError" ? error.reason : undefined
    if (reason === "NotFound") {
      return new FileRefused({ path, reason: "missing", detail: "there is no such file", advice: "Check the path." })
    }
    if (reason === "PermissionDenied") {
      return new FileRefused({
        path,
        reason: "no-permission",
        detail: "it may not be read",
        advice: "Check the permissions of the file and of its folders."
      })
    }
    return new FileRefused({
      path,
      reason: "io",
      detail: error.message,
      advice: "The system could not read it; check the path and the disk.",
      cause: error
    })
  }
