/** What a case of the contract is, and what it is given. */
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Data, type Effect, type Scope } from "effect"
import type { Plan } from "../../Faults.js"
import type { BackupsService, FilesService } from "../../Hooks.js"
import type { Effort } from "./Property.js"

/**
 * What a case needs beyond a store: `reopen`: a storage that outlasts the store; `second`: two instances on one storage at
 * once; `faults`: operations that can be made to fail; `files`: a look at what lies in the storage; `backup`: a way to open
 * a backup; `model`: a store to compare with.
 */
export type Need = "reopen" | "second" | "faults" | "files" | "backup" | "model"

/** A case needs something that the suite was not given, and that was not declared missing either. */
export class Undeclared extends Data.TaggedError("Undeclared")<{ readonly need: Need; readonly advice: string }> {
  override get message(): string {
    return `the store has no ${this.need}, and nobody said that it may lack it. ${this.advice}, or declare it: skip: { ${this.need}: "why" }`
  }
}

/** The store says of itself, in its capabilities, that it does not do this. */
export class NotSupported extends Data.TaggedError("NotSupported")<{ readonly what: string }> {
  override get message(): string {
    return `the store does not: ${this.what}`
  }
}

/** How a case makes operations fail. */
export interface Failing {
  readonly fail: (plan?: Plan) => Effect.Effect<void>
  /** Lets all go through again; gives how many failed. */
  readonly stop: Effect.Effect<number>
}

/** What a case works with: a store over an empty storage of its own, and what it can do with it. */
export interface Bench {
  readonly store: ThreadStoreService
  /** Closes the store and opens another one over the same storage. */
  readonly reopen: Effect.Effect<ThreadStoreService, unknown, Scope.Scope>
  /** Another instance over the same storage: what another process would see. */
  readonly second: Effect.Effect<ThreadStoreService, unknown, Scope.Scope>
  readonly faults: Effect.Effect<Failing, Undeclared>
  readonly files: Effect.Effect<FilesService, Undeclared>
  readonly backups: Effect.Effect<BackupsService, Undeclared>
  /** A store of another kind, empty. */
  readonly model: Effect.Effect<ThreadStoreService, unknown, Scope.Scope>
  /** The same once more, over another empty storage. */
  readonly fresh: Effect.Effect<Bench, unknown, Scope.Scope>
  /** What a property of the contract is put to. */
  readonly effort: Effort
}

/** A promise of a store, as something that can be run. Fails or throws when the store breaks it. */
export interface Case {
  /** As in thread-store §11; cases beyond those have a word in front, such as `follow.3`. */
  readonly number: string
  readonly name: string
  readonly group: string
  readonly needs: ReadonlyArray<Need>
  readonly run: (bench: Bench) => Effect.Effect<void, unknown, Scope.Scope>
}

/** A case that is not yet in a group. */
export type Ungrouped = Omit<Case, "group">

/** A case. */
export const test = (number: string, name: string, run: Case["run"], needs: ReadonlyArray<Need> = []): Ungrouped => ({
  number,
  name,
  needs,
  run
})

/** Cases that belong together. */
export const group = (name: string, cases: ReadonlyArray<Ungrouped>): ReadonlyArray<Case> =>
  cases.map((one) => ({ ...one, group: name }))
