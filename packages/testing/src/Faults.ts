/**
 * A store that fails on demand: wraps any driver so that operations of it fail with `StoreUnavailable`, before they did
 * anything or after they did all of it.
 */
import type { Driver } from "@skein/store/Driver"
import { StoreUnavailable } from "@skein/store/StoreError"
import { Context, Effect, Layer } from "effect"

/** The operations of a driver that can be made to fail; renewing and releasing a lease are operations too. */
export type Operation =
  | Exclude<keyof Driver, "name" | "supports" | "marksBatches" | "views" | "backup">
  | "renew"
  | "release"
  | "loadView"
  | "saveView"

/** Which operations fail, and how. */
export interface Plan {
  /** Only these. Default: any. */
  readonly operations?: ReadonlyArray<Operation> | undefined
  /** Whether the operation is done all the same and only its answer is lost. Default false. */
  readonly after?: boolean | undefined
  /** So many are let through first. Default 0. */
  readonly skip?: number | undefined
  /** How many fail then. Default 1. */
  readonly times?: number | undefined
}

interface Handle {
  /** Makes operations of the store fail from now on; replaces the plan before. */
  readonly fail: (plan?: Plan) => Effect.Effect<void>
  /** Makes none fail any more. Gives how many failed since {@link fail}. */
  readonly stop: Effect.Effect<number>
  /** Says that there is a store that asks before its operations. */
  readonly attach: Effect.Effect<void>
  /** Whether there is one. */
  readonly isAttached: Effect.Effect<boolean>
  /** An operation of a store: what a store without a driver of this package wraps its own operations with. */
  readonly around: <A, E, R>(
    operation: Operation,
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | StoreUnavailable, R>
}

/** The handle by which a test makes its store fail. */
export class Faults extends Context.Tag("@skein/testing/Faults")<Faults, Handle>() {}

/** A handle; nothing fails yet. */
export const make: Effect.Effect<Handle> = Effect.sync(() => {
  let attached = false
  let failed = 0
  let plan: { readonly operations: ReadonlyArray<Operation> | undefined; readonly after: boolean } | undefined
  let skip = 0
  let times = 0
  /** Whether this operation is one that fails. */
  const hits = (operation: Operation): boolean => {
    if (plan === undefined || (plan.operations !== undefined && !plan.operations.includes(operation))) return false
    if (skip > 0) {
      skip--
      return false
    }
    if (times <= 0) return false
    times--
    failed++
    return true
  }
  return {
    fail: (next = {}) =>
      Effect.sync(() => {
        plan = { operations: next.operations, after: next.after ?? false }
        skip = next.skip ?? 0
        times = next.times ?? 1
        failed = 0
      }),
    stop: Effect.sync(() => {
      plan = undefined
      return failed
    }),
    attach: Effect.sync(() => {
      attached = true
    }),
    isAttached: Effect.sync(() => attached),
    around: (operation, effect) =>
      Effect.suspend(() => {
        if (!hits(operation)) return effect
        const fault = Effect.fail(
          new StoreUnavailable({
            operation,
            reason: "a test made it fail",
            advice: "Nothing is to be done.",
            retryable: true,
            paths: []
          })
        )
        return plan?.after === true ? Effect.zipRight(effect, fault) : fault
      })
  }
})

/** A layer of a handle. */
export const layer: Layer.Layer<Faults> = Layer.effect(Faults, make)

/** A driver whose operations fail when the handle says so. */
export const inject = <E, R>(driver: Effect.Effect<Driver, E, R>): Effect.Effect<Driver, E, R | Faults> =>
  Effect.flatMap(Faults, ({ around, attach }) =>
    Effect.map(Effect.zipLeft(driver, attach), (of): Driver => {
      const { views } = of
      return {
        ...of,
        create: (...args) => around("create", of.create(...args)),
        locate: (...args) => around("locate", of.locate(...args)),
        append: (...args) => around("append", of.append(...args)),
        branch: (...args) => around("branch", of.branch(...args)),
        open: (...args) => around("open", of.open(...args)),
        segments: (...args) => around("segments", of.segments(...args)),
        row: (...args) => around("row", of.row(...args)),
        rows: (...args) => around("rows", of.rows(...args)),
        lagging: (...args) => around("lagging", of.lagging(...args)),
        putDerived: (...args) => around("putDerived", of.putDerived(...args)),
        updateExplicit: (...args) => around("updateExplicit", of.updateExplicit(...args)),
        setArchived: (...args) => around("setArchived", of.setArchived(...args)),
        remove: (...args) => around("remove", of.remove(...args)),
        lease: (request) =>
          Effect.map(around("lease", of.lease(request)), (held) => ({
            ...held,
            renew: around("renew", held.renew),
            release: around("release", held.release)
          })),
        views:
          views === undefined
            ? undefined
            : {
                load: (threadId) => around("loadView", views.load(threadId)),
                save: (threadId, row) => around("saveView", views.save(threadId, row))
              }
      }
    })
  )
