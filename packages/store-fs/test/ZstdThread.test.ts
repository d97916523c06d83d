/** The thread that encodes and decodes frames: what it says is done is done, and whatever else comes to it does no harm. */
import { compress, decompress } from "@mongodb-js/zstd"
import * as fc from "fast-check"
import { beforeEach, describe, expect, it } from "vitest"
import * as FrameWriter from "../src/internal/FrameWriter.js"
import * as ZstdThread from "../src/internal/ZstdThread.js"

beforeEach(ZstdThread.start)

const shared = (content: Uint8Array): Uint8Array => {
  const memory = ZstdThread.memory(content.length)
  memory.set(content)
  return memory
}

const content = fc.uint8Array({ minLength: 1, maxLength: 3000 })

describe("a thread that decodes", () => {
  it("decodes any frame into memory of its length, and tells it from any other content", () =>
    fc.assert(
      fc.asyncProperty(content, content, async (bytes, other) => {
        const frame = await compress(Buffer.from(bytes), 3)
        const memory = ZstdThread.memory(bytes.length)
        expect(await ZstdThread.decode(frame, memory)).toBe(true)
        expect(Buffer.compare(memory, bytes)).toBe(0)
        expect(await ZstdThread.isOf(frame, shared(bytes))).toBe(true)
        expect(await ZstdThread.isOf(frame, shared(other))).toBe(Buffer.compare(bytes, other) === 0)
      })
    ))

  it("many at once: each gets its own", async () => {
    const all = Array.from({ length: 50 }, (_, i) => Buffer.alloc(1000 + i, i))
    const frames = await Promise.all(all.map((bytes) => compress(bytes, 3)))
    const memories = all.map(({ length }) => ZstdThread.memory(length))
    const done = await Promise.all(frames.map((frame, i) => ZstdThread.decode(frame, memories[i] as Uint8Array)))
    expect(done.every((isDone) => isDone)).toBe(true)
    expect(memories.map((memory) => memory[0])).toEqual(all.map((bytes) => bytes[0]))
  })

  it("what is no frame, one that is damaged or cut, memory of another length: it is not done, and it goes on", () =>
    fc.assert(
      fc.asyncProperty(content, fc.nat(), fc.nat(), async (bytes, place, cut) => {
        const frame = Buffer.from(await compress(Buffer.from(bytes), 3))
        const damaged = Buffer.from(frame)
        damaged[place % 4] = (damaged[place % 4] as number) ^ 0xff
        const memory = ZstdThread.memory(bytes.length)
        expect(await ZstdThread.decode(damaged, memory)).toBe(false)
        expect(await ZstdThread.decode(frame.subarray(0, cut % frame.length), memory)).toBe(false)
        expect(await ZstdThread.decode(frame, ZstdThread.memory(bytes.length + 1))).toBe(false)
        expect(await ZstdThread.isOf(damaged, memory)).toBe(false)
        expect(await ZstdThread.decode(frame, memory)).toBe(true)
      })
    ))
})

describe("a thread that encodes", () => {
  const any = fc.oneof(
    content,
    fc.nat(200_000).map((length) => new Uint8Array(length).fill(7))
  )

  it("gives the frame that is made without it, which says what it holds", () =>
    fc.assert(
      fc.asyncProperty(any, async (bytes) => {
        const given = Buffer.from(shared(bytes).buffer)
        const room = ZstdThread.memory(FrameWriter.bound(bytes.length))
        const made = await FrameWriter.encodeFrame(given, undefined, room)
        expect(made.bytes.buffer).toBe(room.buffer)
        const without = await FrameWriter.encodeFrame(given)
        expect(Buffer.compare(made.bytes, without.bytes)).toBe(0)
        expect(made.entry).toEqual(without.entry)
        expect(Buffer.compare(await decompress(Buffer.from(made.bytes)), bytes)).toBe(0)
      })
    ))

  it("where it has no room for it, the frame is made without it", async () => {
    const given = Buffer.from(shared(Buffer.from("abcdefgh")).buffer)
    const room = ZstdThread.memory(8)
    expect(await ZstdThread.encode(given, 3, room)).toBeUndefined()
    const { bytes } = await FrameWriter.encodeFrame(given, undefined, room)
    expect(bytes.buffer).not.toBe(room.buffer)
    expect((await decompress(Buffer.from(bytes))).toString()).toBe("abcdefgh")
  })
})
