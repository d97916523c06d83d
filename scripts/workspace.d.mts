/** What tests in TypeScript take from workspace.mjs. */
import type { Plugin } from "esbuild"

export declare const root: string
export declare const aliasPlugin: Plugin
export declare const natives: Array<string>
export declare const requireBanner: string
