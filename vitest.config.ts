/** Hands vitest the projects of vitest.workspace.ts in the way that draws no deprecation notice. */
import { defineConfig } from "vitest/config"
import projects from "./vitest.workspace.js"

export default defineConfig({ test: { projects } })
