/**
 * SHA-1 and the UUIDs that are made with it.
 *
 * Written out because the platform's own hash is asynchronous and this package's functions are not. For names only:
 * SHA-1 protects nothing.
 */

/** The SHA-1 digest of `bytes`, 20 bytes (RFC 3174). Cost: 80 steps for every 64 bytes, and one padded copy. */
export const digest = (bytes: Uint8Array): Uint8Array => {
  const padded = new Uint8Array(((bytes.length + 72) >>> 6) << 6)
  padded.set(bytes)
  padded[bytes.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 0x20000000))
  view.setUint32(padded.length - 4, (bytes.length << 3) >>> 0)
  const words = new Int32Array(80)
  let h0 = 0x67452301
  let h1 = 0xefcdab89 | 0
  let h2 = 0x98badcfe | 0
  let h3 = 0x10325476
  let h4 = 0xc3d2e1f0 | 0
  for (let block = 0; block < padded.length; block += 64) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(block + i * 4)
    for (let i = 16; i < 80; i++) {
      words[i] = rotate(word(words, i - 3) ^ word(words, i - 8) ^ word(words, i - 14) ^ word(words, i - 16), 1)
    }
    let a = h0
    let b = h1
    let c = h2
    let d = h3
    let e = h4
    for (let i = 0; i < 80; i++) {
      const next = (rotate(a, 5) + mix(i, b, c, d) + e + word(words, i)) | 0
      e = d
      d = c
      c = rotate(b, 30)
      b = a
      a = next
    }
    h0 = (h0 + a) | 0
    h1 = (h1 + b) | 0
    h2 = (h2 + c) | 0
    h3 = (h3 + d) | 0
    h4 = (h4 + e) | 0
  }
  const out = new DataView(new ArrayBuffer(20))
  out.setInt32(0, h0)
  out.setInt32(4, h1)
  out.setInt32(8, h2)
  out.setInt32(12, h3)
  out.setInt32(16, h4)
  return new Uint8Array(out.buffer)
}

const word = (words: Int32Array, i: number): number => words[i] as number

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by))

const mix = (i: number, b: number, c: number, d: number): number => {
  if (i < 20) return ((b & c) | (~b & d)) + 0x5a827999
  if (i < 40) return (b ^ c ^ d) + 0x6ed9eba1
  if (i < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
  return (b ^ c ^ d) + 0xca62c1d6
}

const encoder = new TextEncoder()

/**
 * The UUID of version 5 of `name` in a namespace, as it is written (RFC 9562 §5.5).
 *
 * @param namespace A UUID, lower case with hyphens.
 */
export const uuidV5 = (namespace: string, name: string): string => {
  const digits = namespace.replaceAll("-", "")
  const text = encoder.encode(name)
  const bytes = new Uint8Array(16 + text.length)
  for (let i = 0; i < 16; i++) bytes[i] = Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16)
  bytes.set(text, 16)
  const hash = digest(bytes)
  hash[6] = ((hash[6] as number) & 0x0f) | 0x50
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80
  let hex = ""
  for (let i = 0; i < 16; i++) hex += (hash[i] as number).toString(16).padStart(2, "0")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
