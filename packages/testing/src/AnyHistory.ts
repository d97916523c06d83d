/**
 * Histories at random, for code that makes requests of them: items of every kind, and calls and outputs that belong
 * together, stand alone, or come in the wrong order.
 */
import type { ResponseItem } from "@skein/core/record/ResponseItem"
import * as ResponseItems from "@skein/core/record/ResponseItem"
import * as fc from "fast-check"
import { recordOfKind } from "./AnyRecord.js"

/** So few that calls and outputs meet. */
const callIds = ["c1", "c2", "c3"]

/** Kinds that are called, or answer a call. */
const isCall = (type: string): boolean => /_call(_output)?$|^tool_search_output$/.test(type)

const ofKind = (type: string): fc.Arbitrary<ResponseItem> =>
  fc
    .record({
      record: recordOfKind(`item ${type}`).map(({ record }) => record),
      call_id: fc.constantFrom(...callIds),
      id: fc.constantFrom(undefined, "i1", "i2", ""),
      execution: fc.constantFrom("client", "server")
    })
    .map(({ call_id, execution, id, record }) => {
      const item = record.payload as ResponseItem
      return {
        ...item,
        ...("id" in item ? { id } : {}),
        // What needs no call keeps saying so.
        ...("call_id" in item && typeof item.call_id === "string" ? { call_id } : {}),
        ...("execution" in item ? { execution } : {})
      } as ResponseItem
    })

const types = Object.keys(ResponseItems.variants)

/** An item of any kind; calls and outputs come more often than the others. Shrinks within its kind. */
export const anyItem: fc.Arbitrary<ResponseItem> = fc.oneof(
  ...types.map((type) => ({ weight: isCall(type) ? 3 : 1, arbitrary: ofKind(type) }))
)

/** A history of up to 14 items. Shrinks to the fewest items, and those to the fewest keys. */
export const anyHistory: fc.Arbitrary<ReadonlyArray<ResponseItem>> = fc.array(anyItem, { maxLength: 14 })
