/** "npm run fuzz": bundles what reads changed and random inputs, and runs it. */
import { join } from "node:path"
import { run } from "./run.mjs"
import { root } from "./workspace.mjs"

process.env.SKEIN_ROOT = root
await run(join(root, "packages/cli/test/fuzz/main.ts"), [], process.argv.slice(2))
