/** What can be wrong with a rollout file as a whole. What is wrong inside it is a diagnostic, not an error. */
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
