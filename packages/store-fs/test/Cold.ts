/** Compressed files as the store writes them, with frames as small as a test wants them. */
import * as FrameWriter from "../src/internal/FrameWriter.js"

/** Content as a seekable file whose frames end with the first line that reaches `target` bytes. */
export const packed = async (
  content: Uint8Array | string,
  target: number = FrameWriter.layout.target,
  most: number = FrameWriter.layout.most
): Promise<Buffer> => {
  const all = Buffer.from(content as string)
  const layout = { ...FrameWriter.layout, target, most }
  const frames: Array<FrameWriter.Frame> = []
  let from = 0
  do {
    let held = 0
    let end: number | undefined
    do {
      held = FrameWriter.reach(from, all.length, held, layout)
      end = FrameWriter.cut(all.subarray(from, from + held), from, all.length, layout)
    } while (end === undefined)
    frames.push(await FrameWriter.encodeFrame(all.subarray(from, from + end)))
    from += end
  } while (from < all.length)
  return Buffer.concat([...frames.map(({ bytes }) => bytes), await FrameWriter.table(frames.map(({ entry }) => entry))])
}
