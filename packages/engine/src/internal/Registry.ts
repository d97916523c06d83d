/**
 * What is loaded in this process, by id: made when it is first asked for, shared by all who ask, gone when the last of
 * them lets go of it. Somebody who asks while it is on its way out waits and gets a new one.
 */
import { Deferred, Effect, Exit, Fiber, FiberId, Scope } from "effect"

/** A registry of things that are opened by their id. */
export interface Registry<A, E> {
  /** The thing with this id, until the scope closes. A failure to open it is told to all who waited, and forgotten. */
  readonly get: (id: string) => Effect.Effect<A, E, Scope.Scope>
  /** Lets go of it on behalf of all who hold it; done when it is closed. */
  readonly evict: (id: string) => Effect.Effect<void>
  readonly peek: (id: string) => A | undefined
  readonly ids: () => ReadonlyArray<string>
  readonly all: () => ReadonlyArray<A>
}

interface Entry<A, E> {
  readonly opened: Deferred.Deferred<A, E>
  /** Holds the thing for as long as it runs. */
  readonly keeper: Deferred.Deferred<Fiber.RuntimeFiber<never, E>>
  readonly closed: Deferred.Deferred<void>
  holders: number
  value: A | undefined
  closing: boolean
}

/**
 * An empty registry; what is still loaded when the scope closes is closed with it.
 *
 * @param open Opens the thing with an id for as long as its scope lasts.
 */
export const make = <A, E>(
  open: (id: string) => Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<Registry<A, E>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const entries = new Map<string, Entry<A, E>>()

    const forget = (id: string, entry: Entry<A, E>): void => {
      if (entries.get(id) === entry) entries.delete(id)
    }

    /** Opens a thing and holds it until it is interrupted. */
    const keep = (id: string, entry: Entry<A, E>): Effect.Effect<never, E> =>
      open(id).pipe(
        Effect.onExit((exit) =>
          Effect.suspend(() => {
            if (Exit.isSuccess(exit)) entry.value = exit.value
            // What failed is not what the next one who asks gets.
            else forget(id, entry)
            return Deferred.done(entry.opened, exit)
          })
        ),
        Effect.zipRight(Effect.never),
        Effect.scoped,
        Effect.interruptible
      )

    const add = (id: string): Effect.Effect<Entry<A, E>> =>
      Effect.suspend(() => {
        const entry: Entry<A, E> = {
          opened: Deferred.unsafeMake(FiberId.none),
          keeper: Deferred.unsafeMake(FiberId.none),
          closed: Deferred.unsafeMake(FiberId.none),
          holders: 0,
          value: undefined,
          closing: false
        }
        entries.set(id, entry)
        return Effect.forkDaemon(keep(id, entry)).pipe(
          Effect.flatMap((fiber) => Deferred.succeed(entry.keeper, fiber)),
          Effect.as(entry)
        )
      })

    const close = (id: string, entry: Entry<A, E>): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (entry.closing) return Deferred.await(entry.closed)
        entry.closing = true
        return Deferred.await(entry.keeper).pipe(
          Effect.flatMap(Fiber.interrupt),
          Effect.zipRight(
            Effect.suspend(() => {
              forget(id, entry)
              return Deferred.succeed(entry.closed, undefined)
            })
          )
        )
      }).pipe(Effect.asVoid, Effect.uninterruptible)

    const letGo = (id: string, entry: Entry<A, E>): Effect.Effect<void> =>
      Effect.suspend(() => (--entry.holders === 0 ? close(id, entry) : Effect.void))

    const get = (id: string): Effect.Effect<A, E, Scope.Scope> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const scope = yield* Effect.scope
          for (let entry = entries.get(id); ; entry = entries.get(id)) {
            if (entry?.closing === true) {
              yield* restore(Deferred.await(entry.closed))
              continue
            }
            entry ??= yield* add(id)
            entry.holders++
            const held = entry
            yield* Scope.addFinalizer(scope, letGo(id, held))
            return yield* restore(Deferred.await(held.opened))
          }
        })
      )

    yield* Effect.addFinalizer(() =>
      Effect.forEach([...entries].reverse(), ([id, entry]) => close(id, entry), { discard: true })
    )

    const loaded = (): ReadonlyArray<readonly [string, A]> =>
      [...entries].flatMap(([id, { closing, value }]) => (value === undefined || closing ? [] : [[id, value] as const]))

    return {
      get,
      evict: (id) =>
        Effect.suspend(() => {
          const entry = entries.get(id)
          return entry === undefined ? Effect.void : close(id, entry)
        }),
      peek: (id) => {
        const entry = entries.get(id)
        return entry?.closing === true ? undefined : entry?.value
      },
      ids: () => loaded().map(([id]) => id),
      all: () => loaded().map(([, value]) => value)
    }
  })
