/**
 * The stores that are open in this process. Two of them may use one home: each can tell whether the other is still there,
 * and ask it for a lease that it holds only since it may be needed again soon.
 */
import { Effect } from "effect"

/** An open store, as others of its process see it. */
export interface Instance {
  /** Gives a lease back that is held without need. */
  readonly yields: (key: string) => Effect.Effect<void>
}

const open = new Map<string, Instance>()

/** Makes a store known until it is closed. */
export const enter = (id: string, instance: Instance): void => {
  open.set(id, instance)
}

export const leave = (id: string): void => {
  open.delete(id)
}

export const isOpen = (id: string): boolean => open.has(id)

/** Asks a store for a lease; nothing happens when it is no longer open. */
export const askFor = (id: string, key: string): Effect.Effect<void> =>
  Effect.suspend(() => open.get(id)?.yields(key) ?? Effect.void)
