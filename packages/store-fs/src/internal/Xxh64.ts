/** The checksums of seek tables. */
import xxhash from "xxhash-wasm"
import type { Checksum } from "../SeekTable.js"

let made: Promise<Checksum> | undefined

/** The function, made once. Memory: as much as the longest bytes that it was given. */
export const load = (): Promise<Checksum> => {
  made ??= xxhash().then(
    ({ h64Raw }) =>
      (bytes) =>
        Number(h64Raw(bytes) & 0xffffffffn)
  )
  return made
}
