/** What fuzzing starts from: short rollouts, and the same compressed. */
import { readFileSync, statSync } from "node:fs"
import { compress } from "@mongodb-js/zstd"
import type { Originals } from "./Fuzz.js"

/** From the rollouts at these paths. */
export const from = async (paths: ReadonlyArray<string>): Promise<Originals> => {
  const plain = paths
    .filter((path) => path.endsWith(".jsonl") && statSync(path).size < 200_000)
    .map((path) => readFileSync(path))
  const compressed = await Promise.all(
    plain.slice(0, 40).map(async (content) => ({ content, bytes: Buffer.from(await compress(content, 3)) }))
  )
  return { plain, compressed }
}
