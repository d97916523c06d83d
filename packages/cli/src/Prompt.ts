/** Questions to a person at a terminal. */
import { createInterface } from "node:readline"
import { Effect } from "effect"

/** Whether there is somebody to ask. */
export const isTerminal = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true

/** Asks whether to go on; only a clear yes is one. The question goes to standard error. */
export const confirm = (question: string): Effect.Effect<boolean> =>
  Effect.async<boolean>((resume) => {
    const terminal = createInterface({ input: process.stdin, output: process.stderr })
    let answer = ""
    terminal.once("close", () => resume(Effect.succeed(/^\s*y(es)?\s*$/i.test(answer))))
    terminal.question(`${question} [y/N] `, (given) => {
      answer = given
      terminal.close()
    })
    return Effect.sync(() => terminal.close())
  })
