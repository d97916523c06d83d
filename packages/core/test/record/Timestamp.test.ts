import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Timestamp from "../../src/record/Timestamp.js"

describe("rollout-format §2 and §3.1: moments", () => {
  it("reads the form that lines are written in as Date does", () => {
    fc.assert(
      fc.property(
        fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z") }),
        (date) => {
          expect(Timestamp.parse(date.toISOString())).toBe(date.getTime())
        }
      )
    )
  })

  it("reads other RFC 3339 forms and that of file names", () => {
    expect(Timestamp.parse("2026-07-20T10:11:12Z")).toBe(Date.UTC(2026, 6, 20, 10, 11, 12))
    expect(Timestamp.parse("2026-07-20T10:11:12.123456789Z")).toBe(Date.UTC(2026, 6, 20, 10, 11, 12, 123))
    expect(Timestamp.parse("2026-07-20T10:11:12.5+02:00")).toBe(Date.UTC(2026, 6, 20, 8, 11, 12, 500))
    expect(Timestamp.parse("2026-07-20T10-11-12")).toBe(Date.UTC(2026, 6, 20, 10, 11, 12))
  })

  it("is undefined for what is no moment, also right behind one that is", () => {
    for (const text of [
      "",
      "unknown",
      "2026-13-20T10:11:12.000Z",
      "2026-07-40T10:11:12.000Z",
      "2026-07-20T10:61:12.000Z",
      "2026-07-20T10:11:6x.000Z",
      "2026-07-20T10:11:60.000Z",
      "2026-07-20T10:11:12.00xZ",
      "2026-07-20T24:00:01.000Z",
      "2026-07-20 10:11:12.000Z",
      "20260720T101112000000000Z"
    ]) {
      expect(Timestamp.parse("2026-07-20T10:11:12.000Z")).toBeDefined()
      expect(Timestamp.parse(text)).toBeUndefined()
    }
  })
})
