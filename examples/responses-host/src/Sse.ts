/** Server-sent events: the data of each, as it comes in. Comments, names and ids of events are not needed here. */
export async function* data(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder()
  let rest = ""
  let lines: Array<string> = []
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    // A line may come in two pieces, between its two end marks too.
    const complete = rest.split(/\r\n|\n|\r(?!$)/)
    rest = complete.pop() ?? ""
    for (const line of complete) {
      if (line.startsWith("data:")) lines.push(line.slice(line[5] === " " ? 6 : 5))
      if (line !== "" || lines.length === 0) continue
      yield lines.join("\n")
      lines = []
    }
  }
}
