/**
 * Runs a program of the packages that is no test: bundles it from the sources, so that nothing must be built first.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { basename, join } from "node:path"
import { ensureInstalled } from "./ensure.mjs"
import { aliasPlugin, natives, requireBanner, root } from "./workspace.mjs"

/**
 * Bundles a file and runs it where the user typed the command. The exit code becomes that of this process.
 *
 * @param {string} file Absolute path of what is run.
 * @param {ReadonlyArray<string>} flags Flags of node.
 * @param {ReadonlyArray<string>} options What the program is given.
 */
export const run = async (file, flags, options) => {
  await ensureInstalled()
  const { build } = await import("esbuild")
  // Inside the repository, so that the native modules left outside of the bundle are found above it.
  mkdirSync(join(root, ".tsbuild"), { recursive: true })
  const folder = mkdtempSync(join(root, ".tsbuild/run-"))
  try {
    const outfile = join(folder, `${basename(file, ".ts")}.mjs`)
    await build({
      entryPoints: [file],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: "inline",
      external: natives,
      plugins: [aliasPlugin],
      banner: { js: requireBanner }
    })
    const { status } = spawnSync(process.execPath, [...flags, "--enable-source-maps", outfile, ...options], {
      cwd: process.env.INIT_CWD ?? root,
      stdio: "inherit"
    })
    process.exitCode = status ?? 1
  } catch {
    process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
