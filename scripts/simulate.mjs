/** "npm run simulate": bundles the simulation of the store of files and runs it. */
import { join } from "node:path"
import { run } from "./run.mjs"
import { root } from "./workspace.mjs"

await run(join(root, "packages/cli/test/simulation/main.ts"), [], process.argv.slice(2))
