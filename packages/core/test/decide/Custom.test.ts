/** Records that a host defines itself. */
import { Schema } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Custom from "../../src/decide/Custom.js"
import * as Fold from "../../src/fold/Fold.js"
import * as Record from "../../src/record/Record.js"
import * as s from "../fold/script.js"
import { json } from "../json/JsonArbitrary.js"
import { context, fold, Host, kinds, reason, right } from "./Host.js"

const ticket = right(
  Custom.define({
    kind: "support.ticket",
    version: 3,
    schema: Schema.Struct({ number: Schema.NumberFromString, open: Schema.Boolean }),
    upcasts: {
      1: (data) => ({ number: data }),
      2: (data) => ({ ...(data as object), open: true })
    }
  })
)
const registry = right(Custom.registry([ticket]))

const written = (host: Host, value: unknown) => host.do(Custom.record(ticket, value as never, host.facts))
const stored = (data: unknown) =>
  s.log({
    type: "event_msg",
    payload: { type: "token_count", info: null, rate_limits: null },
    skein: { v: 1, kind: "custom", data }
  } as never)[0] as Record.StoredRecord
const read = (data: unknown, policy?: Custom.Policy) => Custom.read(registry, stored(data), policy)

describe("a host's own events", () => {
  it("are written as a carrier that other readers take for an empty token count, and read back", () => {
    const host = new Host()
    host.turn("u")
    const before = context(host.state)
    const drafts = written(host, { number: 7, open: true })
    expect(kinds(drafts)).toEqual(["token_count (custom)"])
    expect(drafts[0]?.payload).toEqual({ type: "token_count", info: null, rate_limits: null })
    expect(right(Custom.read(registry, host.log.at(-1) as Record.StoredRecord))).toEqual({
      _tag: "Event",
      kind: "support.ticket",
      version: 3,
      value: { number: 7, open: true }
    })
    expect(context(host.state)).toEqual(before)
  })

  it("are inert wherever they stand (§10.15)", () => {
    const host = new Host()
    host.turn("u")
    const [carrier] = right(Custom.record(ticket, { number: 7, open: true }, host.facts)).map(Record.reread)
    host.turn("v")
    fc.assert(
      fc.property(fc.nat(host.log.length), (at) => {
        const log = [...host.log.slice(0, at), carrier as Record.StoredRecord, ...host.log.slice(at)]
        expect(context(Fold.run(fold, log))).toEqual(host.context)
      })
    )
  })

  it("that do not fit their schema, or are no JSON, are refused and recorded nowhere", () => {
    const host = new Host()
    const record = (value: unknown) => reason(Custom.record(ticket, value as never, host.facts))
    expect(record({ number: "x", open: 1 })).toEqual(["InvalidRequest", "malformed", "custom.support.ticket"])
    expect(record(undefined)[1]).toBe("malformed")
    const any = right(Custom.define({ kind: "any", version: 1, schema: Schema.Unknown }))
    expect(reason(Custom.record(any, 1n, host.facts))).toEqual(["InvalidRequest", "malformed", "custom.any"])
    const throws = right(
      Custom.define({
        kind: "throws",
        version: 1,
        schema: Schema.transform(Schema.Unknown, Schema.Unknown, {
          decode: (value) => value,
          encode: () => {
            throw new Error("no")
          }
        })
      })
    )
    expect(reason(Custom.record(throws, 1, host.facts))[1]).toBe("malformed")
  })

  it("of older versions are brought up to date, step by step", () => {
    const value = { number: 5, open: true }
    expect(right(read({ kind: "support.ticket", version: 1, data: "5" }))).toMatchObject({
      _tag: "Event",
      value,
      version: 1
    })
    expect(right(read({ kind: "support.ticket", version: 2, data: { number: "5" } }))).toMatchObject({ value })
  })

  it.each<[string, unknown, Custom.Unread]>([
    ["of an unknown kind", { kind: "news", version: 1, data: 1 }, "unknown-kind"],
    ["of a newer version", { kind: "support.ticket", version: 4, data: 1 }, "newer-version"]
  ])("%s: warned of, ignored, or refused, as the host says", (_, data, why) => {
    expect(right(read(data))).toMatchObject({ _tag: "Unread", reason: why, stored: data })
    expect(right(read(data, "warn"))).toMatchObject({ _tag: "Unread" })
    expect(right(read(data, "ignore"))).toEqual({ _tag: "None" })
    expect(reason(read(data, "fail")).slice(0, 2)).toEqual(["InvalidRequest", "unsupported"])
  })

  it("whose data does not fit are never an error of reading", () => {
    for (const policy of ["warn", "ignore", "fail"] as const) {
      const found = right(read({ kind: "support.ticket", version: 3, data: { number: "x" } }, policy))
      expect(found).toMatchObject({ _tag: "Unread", reason: "bad-data" })
    }
    const gap = right(Custom.define({ kind: "gap", version: 3, schema: Schema.Number, upcasts: { 2: (data) => data } }))
    const gaps = right(Custom.registry([gap]))
    expect(right(Custom.read(gaps, stored({ kind: "gap", version: 1, data: 1 })))).toMatchObject({
      reason: "no-upcast"
    })
    const bad = right(
      Custom.define({
        kind: "gap",
        version: 2,
        schema: Schema.Number,
        upcasts: {
          1: () => {
            throw new Error("no")
          }
        }
      })
    )
    const bads = right(Custom.registry([bad]))
    expect(right(Custom.read(bads, stored({ kind: "gap", version: 1, data: 1 })))).toMatchObject({ reason: "bad-data" })
  })

  it("are told from everything else", () => {
    for (const data of [null, 1, {}, { kind: 1, version: 1 }, { kind: "news", version: 0 }, { kind: "news" }]) {
      expect(right(read(data, "fail"))).toEqual({ _tag: "None" })
    }
    for (const record of s.log(s.tokens(1), s.tokens(null), s.user("u"))) {
      expect(right(Custom.read(registry, record, "fail"))).toEqual({ _tag: "None" })
    }
  })

  it("have a kind and a version that can be written, each kind once", () => {
    const define = (kind: string, version = 1) => Custom.define({ kind, version, schema: Schema.Unknown })
    for (const bad of ["", "A", "-a", "a b", "x".repeat(101)]) expect(reason(define(bad))[2]).toBe("kind")
    for (const bad of [0, -1, 1.5, Number.NaN]) expect(reason(define("a", bad))[2]).toBe("version")
    expect(reason(Custom.registry([ticket, ticket]))).toEqual(["InvalidRequest", "duplicate", "kind"])
  })

  it("come back as they were, whatever JSON they hold", () => {
    const any = right(Custom.define({ kind: "any", version: 1, schema: Schema.Unknown }))
    const all = right(Custom.registry([any]))
    const { facts } = new Host()
    fc.assert(
      fc.property(json, (value) => {
        const [draft] = right(Custom.record(any, value, facts))
        if (draft === undefined) throw new Error("no draft")
        const found = right(Custom.read(all, Record.reread(draft)))
        expect(found).toMatchObject({ _tag: "Event" })
        if (found._tag === "Event") expect(JSON.stringify(found.value)).toBe(JSON.stringify(value))
      })
    )
  })
})
