/** The tools of this host: it may look at the files of one folder. */
import { readdir, readFile, realpath } from "node:fs/promises"
import { join, sep } from "node:path"

const path = {
  type: "object",
  properties: { path: { type: "string", description: "below the folder; . is the folder itself" } },
  required: ["path"],
  additionalProperties: false
}

/** What the model is told of them. */
export const specs = [
  { type: "function", name: "list_files", description: "Names of files and folders", strict: true, parameters: path },
  { type: "function", name: "read_file", description: "Text of a file", strict: true, parameters: path }
]

/** Runs a tool. What goes wrong is told to the model, which may try something else. */
export const run = async (folder: string, name: string, args: string): Promise<string> => {
  try {
    const root = await realpath(folder)
    const { path } = JSON.parse(args) as { readonly path: string }
    const at = await realpath(join(root, path))
    if (at !== root && !at.startsWith(root + sep)) return `error: ${path} is outside of the folder`
    switch (name) {
      case "list_files":
        return (await readdir(at)).join("\n")
      case "read_file":
        return (await readFile(at, "utf8")).slice(0, 20_000)
      default:
        return `error: there is no tool ${name}`
    }
  } catch (error) {
    return `error: ${error instanceof Error ? error.message : error}`
  }
}
