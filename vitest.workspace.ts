/** One test project for each package and example; imports of our packages resolve to their sources, without a build. */
import { basename } from "node:path"
import { defineWorkspace } from "vitest/config"
import { aliases, examples, packages } from "./scripts/workspace.mjs"

export default defineWorkspace(
  [...packages, ...examples].map(({ folder }) => ({
    resolve: { alias: aliases },
    test: {
      name: basename(folder),
      root: folder,
      include: ["test/**/*.test.ts"],
      environment: "node",
      testTimeout: 20_000
    }
  }))
)
