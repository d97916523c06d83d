import { createHash } from "node:crypto"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Sha1 from "../../src/internal/Sha1.js"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

describe("RFC 3174, SHA-1", () => {
  it("gives the digests of the test suite", () => {
    const of = (text: string) => hex(Sha1.digest(new TextEncoder().encode(text)))
    expect(of("abc")).toBe("a9993e364706816aba3e25717850c26c9cd0d89d")
    expect(of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).toBe(
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
    )
    expect(of("a".repeat(1_000_000))).toBe("34aa973cd4c4daa4f61eeb2bdbad27316534016f")
  })

  it("agrees with the platform at every length around a block", () => {
    for (let length = 0; length < 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff)
      expect(hex(Sha1.digest(bytes))).toBe(createHash("sha1").update(bytes).digest("hex"))
    }
  })

  it("agrees with the platform on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(hex(Sha1.digest(bytes))).toBe(createHash("sha1").update(bytes).digest("hex"))
      })
    )
  })
})

describe("RFC 9562 §5.5, UUID version 5", () => {
  it("gives the example of appendix A.4", () => {
    const dns = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    expect(Sha1.uuidV5(dns, "www.example.com")).toBe("2ed6657d-e927-568b-95e1-2665a8aea6a2")
  })

  it("has its version and variant for any name", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string({ unit: "grapheme" }), (namespace, name) => {
        expect(Sha1.uuidV5(namespace, name)).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
        )
      })
    )
  })
})
