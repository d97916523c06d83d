/** What tests in TypeScript take from pages.mjs. */
export interface Block {
  readonly path: string
  readonly line: number
  readonly language: string
  readonly tags: ReadonlyArray<string>
  readonly text: string
}

export interface Step {
  readonly command: string
  readonly expected: ReadonlyArray<string>
}

interface Surroundings {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

export declare const pages: ReadonlyArray<string>
export declare const blocksOf: (path: string) => ReadonlyArray<Block>
export declare const fileOf: (block: Block) => string | undefined
export declare const isFollowed: (blocks: ReadonlyArray<Block>) => boolean
export declare const linesOf: (text: string) => ReadonlyArray<string>
export declare const stepsOf: (text: string) => ReadonlyArray<Step>
export declare const matches: (expected: ReadonlyArray<string>, actual: ReadonlyArray<string>) => boolean
export declare const run: (
  command: string,
  surroundings: Surroundings
) => Promise<{ readonly code: number; readonly output: string }>
export declare const follow: (
  path: string,
  folder: string,
  options?: { readonly env?: NodeJS.ProcessEnv; readonly onStep?: (command: string) => void }
) => Promise<ReadonlyArray<string>>
export declare const shims: (folder: string, command: string) => void
