/** Stands in for a model. `examples/responses-host` asks a real one. */
export const ask = async (input: ReadonlyArray<unknown>): Promise<string> => `I have read ${input.length} items.`
