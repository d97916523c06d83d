/** What this process prints while something runs. */

type Stream = "stdout" | "stderr"

/** Runs a task and keeps what it prints instead of printing it. */
export const captured = async <A>(
  task: () => Promise<A>
): Promise<{ readonly result: A; readonly out: string; readonly err: string }> => {
  const texts = { stdout: "", stderr: "" }
  const streams: ReadonlyArray<Stream> = ["stdout", "stderr"]
  const writes = streams.map((name) => process[name].write)
  for (const name of streams) {
    process[name].write = ((text: unknown, ...more: ReadonlyArray<unknown>): boolean => {
      texts[name] += String(text)
      for (const taken of more) if (typeof taken === "function") taken()
      return true
    }) as typeof process.stdout.write
  }
  try {
    const result = await task()
    return { result, out: texts.stdout, err: texts.stderr }
  } finally {
    for (const [i, name] of streams.entries()) process[name].write = writes[i] as typeof process.stdout.write
  }
}
