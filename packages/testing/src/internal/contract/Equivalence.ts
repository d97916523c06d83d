/** That stores are one as the other (thread-store §11 Equivalence; design §8.4). */
import type { ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Exit } from "effect"
import * as Drafts from "../../Drafts.js"
import type { Bench } from "./Case.js"
import * as Case from "./Case.js"
import { Broken, equal, holds } from "./Check.js"
import * as Look from "./Look.js"
import * as Player from "./Player.js"
import { property } from "./Property.js"
import type { Op } from "./Sequences.js"
import * as Sequences from "./Sequences.js"

/** Plays a sequence on a store and on the model; says at which operation they part. */
const compare = (bench: Bench, ops: ReadonlyArray<Op>) =>
  Effect.gen(function* () {
    const { reopen, store } = yield* bench.fresh
    const other = yield* bench.model
    const strict = sameSharing(store, other)
    // A store that cannot be opened again goes on as it is.
    const again = Effect.catchTag(
      reopen as Effect.Effect<ThreadStoreService, { readonly _tag: string }>,
      "Undeclared",
      () => Effect.succeed(store)
    )
    const real = Player.world(store, again, strict)
    const model = Player.world(other, Effect.succeed(other), strict)
    for (const [step, op] of ops.entries()) {
      const where = `operation ${step}, ${JSON.stringify(op)}, to come to what it does in the model`
      if (typeof op === "object" && "together" in op) yield* together(real, model, op, step, where)
      else equal(yield* Player.play(real, op, step), yield* Player.play(model, op, step), where)
    }
    for (const [i] of model.modes.entries()) {
      const read: Op = { read: i, archived: true }
      equal(
        yield* Player.play(real, read, 0),
        yield* Player.play(model, read, 0),
        `thread ${i + 1} to end as in the model`
      )
    }
    const list: Op = { list: { size: 3, sort: "updatedAt", direction: "desc", archived: "any", hidden: true } }
    equal(yield* Player.play(real, list, 0), yield* Player.play(model, list, 0), "the list to end as in the model")
  })

const sameSharing = (left: ThreadStoreService, right: ThreadStoreService): boolean =>
  left.supports.sharedPrefixes.legacy === right.supports.sharedPrefixes.legacy &&
  left.supports.sharedPrefixes.paginated === right.supports.sharedPrefixes.paginated

/**
 * Callers at once. In which order they come to pass is the store's affair, as long as each caller's own is kept: the
 * model then has to come to the same in that order.
 */
const together = (
  real: Player.World,
  model: Player.World,
  { callers, together: target }: Extract<Op, { readonly together: number }>,
  step: number,
  where: string
) =>
  Effect.gen(function* () {
    const id = Drafts.id(real.modes.length === 0 ? 1 : (target % real.modes.length) + 1)
    const batches = callers.map((sizes, caller) =>
      sizes.map((size, i) => ({ name: `${step}.${caller}.${i}`, size, caller }))
    )
    const recordsOf = ({ name, size }: { readonly name: string; readonly size: number }) =>
      Array.from({ length: size }, (_, k) => Look.say(`${name}:${k}`, (step + 1) * 2_000))
    const exits = yield* Effect.forEach(
      batches,
      (own) => Effect.forEach(own, (batch) => Effect.exit(real.store.append(id, recordsOf(batch)))),
      { concurrency: "unbounded" }
    )
    const failures = exits.flat().filter(Exit.isFailure)
    const order =
      failures.length > 0
        ? batches.flat().map(({ name }) => name)
        : (yield* Effect.orDie(Look.said(real.store, id)))
            .filter((text) => text.startsWith(`${step}.`) && text.endsWith(":0"))
            .map((text) => text.slice(0, -2))
    for (const own of batches) {
      const names = own.map(({ name }) => name)
      equal(
        order.filter((name) => names.includes(name)),
        names,
        `${where}: each caller's order`
      )
    }
    for (const name of order) {
      const batch = batches.flat().find((one) => one.name === name)
      if (batch === undefined) throw new Broken(`${where}: a batch that nobody appended`)
      const exit = yield* Effect.exit(model.store.append(id, recordsOf(batch)))
      equal(Exit.isSuccess(exit), failures.length === 0, `${where}: to succeed or to fail`)
    }
    holds(failures.length === 0 || failures.length === batches.flat().length, `${where}: all or none to fail`)
    const seen = (world: Player.World) =>
      Effect.map(Effect.either(Look.rows(world.store, id, { includeArchived: true })), (rows) =>
        rows._tag === "Left" ? rows.left._tag : Player.content(world, Look.numbers([{ id }])[0] ?? 0, rows.right)
      )
    equal(yield* seen(real), yield* seen(model), where)
  })

export const cases = Case.group("Equivalence", [
  Case.test(
    "93",
    "whatever is done to it, the store comes to what the model comes to",
    (bench) => property(bench.effort, Sequences.sequence, (ops) => compare(bench, ops)),
    ["model"]
  )
])
