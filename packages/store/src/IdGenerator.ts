/** Where new ids come from: UUIDs of version 7 (RFC 9562), unless a test says otherwise. */
import { Context, Effect } from "effect"
import { v7 } from "uuid"

/** Random bytes are asked for by the page: asking costs more than having them. */
const page = new Uint8Array(4096)
let used = page.length

const random = (): Uint8Array => {
  if (used === page.length) {
    crypto.getRandomValues(page)
    used = 0
  }
  used += 16
  return page.subarray(used - 16, used)
}

/** The newest id: its millisecond, and its number within it (RFC 9562, §6.2). */
let msecs = 0
let seq = 0

const ordered = (): string => {
  const bytes = random()
  const now = Date.now()
  if (now > msecs) {
    msecs = now
    seq = (((bytes[6] ?? 0) & 0x7f) << 24) | ((bytes[7] ?? 0) << 16) | ((bytes[8] ?? 0) << 8) | (bytes[9] ?? 0)
  } else {
    seq = (seq + 1) | 0
    // Out of numbers: the next one is of the next millisecond.
    if (seq === 0) msecs++
  }
  return v7({ msecs, seq, random: bytes })
}

/** Gives ids in the order of their making. */
export class IdGenerator extends Context.Reference<IdGenerator>()("@skein/store/IdGenerator", {
  defaultValue: () => ({ next: Effect.sync(ordered) })
}) {}
