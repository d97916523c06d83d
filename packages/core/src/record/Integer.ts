/** Whole numbers of a fixed width (rollout-format §0); wider or narrower ones reject the line. */
import * as Schema from "effect/Schema"
import { refine } from "./Shape.js"

const within = (min: number, max: number) => (value: number) => Number.isInteger(value) && value >= min && value <= max

/** A whole number of 16 bits from 0: u16. */
export const Unsigned16 = refine(Schema.Number, "an integer from 0 to 65535", within(0, 0xffff))

/** A whole number of 32 bits from 0: u32 (rollout-format §0). */
export const Unsigned32 = refine(Schema.Number, "an integer from 0 to 4294967295", within(0, 0xffff_ffff))

/** A whole number of 32 bits: i32 (rollout-format §0). */
export const Integer32 = refine(
  Schema.Number,
  "an integer from -2147483648 to 2147483647",
  within(-0x8000_0000, 0x7fff_ffff)
)

/** A whole number from 1. */
export const Positive = refine(Schema.Number, "an integer from 1", (value) => Number.isInteger(value) && value >= 1)
