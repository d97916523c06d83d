/** Which threads are measured (rollout-format §8): one in a hundred, by a hash of the thread's id. */
import { canonicalUuid } from "../record/Primitive.js"

/** The share of threads that are measured, as the metrics tag has it (rollout-format §8). */
export const sampleRate = "0.01"

const offset = 0xcbf29ce484222325n
const prime = 0x100000001b3n

/** FNV-1a with 64 bits over the lower-case hyphenated spelling of a thread id (rollout-format §8). */
export const hash = (threadId: string): bigint => {
  const text = canonicalUuid(threadId)
  let value = offset
  for (let i = 0; i < text.length; i++) {
    value = BigInt.asUintN(64, (value ^ BigInt(text.charCodeAt(i))) * prime)
  }
  return value
}

/** Whether a thread is measured. Cost: 36 multiplications; ask once per thread. */
export const isSampled = (threadId: string): boolean => hash(threadId) % 100n === 0n
