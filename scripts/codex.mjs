/**
 * "npm run test:codex": real Codex as a peer of the engine (packages/engine/peer).
 */
import { join } from "node:path"
import { run } from "./run.mjs"
import { helpOr, root } from "./workspace.mjs"

const args = process.argv.slice(2)

helpOr(
  args,
  `
Usage: npm run test:codex
       npm run test:codex -- [version ...] [--form legacy|paginated] [--keep]

Fetches releases of @openai/codex from the npm registry (default 0.142.4, 0.145.0 and 0.169.0; 400 MB each) into
$XDG_CACHE_HOME/skein/codex, or ~/.cache/skein/codex, and runs them against a model on loopback.

Threads that the engine wrote in each form are listed, read, resumed and continued by each release, and then resumed by
Skein. A cell says whether all of them went as they should; those in brackets are promised by nobody. What was odd is
told below, and the exit code is then 1.

  --form   one form only
  --keep   keep the homes, and tell what was odd in brackets too`
)

await run(join(root, "packages/engine/peer/main.ts"), [], args)
