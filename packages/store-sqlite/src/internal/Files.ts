/** What is done with the files of databases. */
import { mkdir } from "node:fs/promises"
import { join } from "node:path"

/** Makes a folder that was not there: `name-1`, or the next number that is free. */
export const freshFolder = async (parent: string, name: string): Promise<string> => {
  await mkdir(parent, { recursive: true })
  for (let n = 1; ; n++) {
    const folder = join(parent, `${name}-${n}`)
    const isNew = await mkdir(folder).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "EEXIST") return false
        throw error
      }
    )
    if (isNew) return folder
  }
}
