/** Hands vitest the projects of vitest.workspace.ts in the way that draws no deprecation notice. */
import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"
import projects from "./vitest.workspace.js"

// Left to itself vitest keeps one core free: half of a small machine.
export default defineConfig({ test: { projects, maxWorkers: availableParallelism() } })
