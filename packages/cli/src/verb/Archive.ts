/** `skein archive` and `skein unarchive`. */
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect } from "effect"
import * as Text from "../Text.js"

/** What they print with `--json`, a line for each thread. */
export interface ArchiveDocument {
  readonly id: string
  readonly archived: boolean
}

/** Moves a thread into the archive. */
export const archive = (store: ThreadStoreService, id: string) =>
  Effect.as(store.archive(id), { id, archived: true } satisfies ArchiveDocument)

/** Takes a thread out of the archive. */
export const unarchive = (store: ThreadStoreService, id: string) =>
  Effect.as(store.unarchive(id), { id, archived: false } satisfies ArchiveDocument)

/** The document for a person. */
export const render = ({ archived, id }: ArchiveDocument): string =>
  Text.lines([`${id} is ${archived ? "archived" : "active again"}`])
