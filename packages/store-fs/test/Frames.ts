/** Zstd frames made by hand (RFC 8878): what no compressor writes, a test can. */

const number = (value: number, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256)

/** A block as it stands. */
export interface Block {
  readonly type: "raw" | "rle" | "compressed" | "reserved"
  /** Its size field: the bytes it holds or, for `rle`, how often its byte is repeated. */
  readonly size: number
  readonly body: Uint8Array
}

export const raw = (body: Uint8Array): Block => ({ type: "raw", size: body.length, body })
export const rle = (byte: number, size: number): Block => ({ type: "rle", size, body: Uint8Array.of(byte) })

export interface Header {
  /** Declared content size, in 8 bytes; none when absent. */
  readonly contentSize?: number | undefined
  /** One segment: no window descriptor, the window is the content. */
  readonly single?: boolean | undefined
}

/** A frame without checksum. Its window is 128 KiB unless it is of one segment. */
export const frame = (blocks: ReadonlyArray<Block>, { contentSize, single = false }: Header = {}): Uint8Array => {
  const sizes = { raw: 0, rle: 1, compressed: 2, reserved: 3 } as const
  return Buffer.concat([
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, (contentSize === undefined ? 0 : 0xc0) | (single ? 0x20 : 0)),
    ...(single ? [] : [Uint8Array.of(7 << 3)]),
    ...(contentSize === undefined ? [] : [number(contentSize, 8)]),
    ...blocks.flatMap(({ type, size, body }, i) => [
      number((size << 3) | (sizes[type] << 1) | (i === blocks.length - 1 ? 1 : 0), 3),
      body
    ])
  ])
}

/** A skippable frame. */
export const skippable = (body: Uint8Array, variant = 0): Uint8Array =>
  Buffer.concat([Uint8Array.of(0x50 + variant, 0x2a, 0x4d, 0x18), number(body.length, 4), body])

/** A frame that decodes to `count` × 128 KiB of one byte, at 4 bytes for each. */
export const bomb = (count: number, header: Header = {}): Uint8Array => {
  const one = frame([rle(0, 128 * 1024), rle(0, 128 * 1024)], header)
  const [block, last] = [one.subarray(-8, -4), one.subarray(-4)]
  return Buffer.concat([one.subarray(0, -8), Buffer.alloc((count - 1) * 4, block), last])
}
