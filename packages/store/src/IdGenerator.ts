/** Where new ids come from: UUIDs of version 7 (RFC 9562), unless a test says otherwise. */
import { Context, Effect } from "effect"
import { v7 } from "uuid"

/** Gives ids in the order of their making. */
export class IdGenerator extends Context.Reference<IdGenerator>()("@skein/store/IdGenerator", {
  defaultValue: () => ({ next: Effect.sync(() => v7()) })
}) {}
