/** Compressed files as the store writes them, with frames as small as a test wants them. */
import * as FrameWriter from "../src/internal/FrameWriter.js"

/** Content as a seekable file whose frames end with the first line that reaches `target` bytes. */
export const packed = async (
  content: Uint8Array | string,
  target: number = FrameWriter.layout.target,
  most: number = FrameWriter.layout.most
): Promise<Buffer> => {
  const writer = FrameWriter.make({ ...FrameWriter.layout, target, most })
  const frames = [...(await writer.push(Buffer.from(content as string))), ...(await writer.end())]
  return Buffer.concat(frames.map(({ bytes }) => bytes))
}
