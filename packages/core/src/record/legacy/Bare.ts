export const name = "bare"
export const bareLine = (_value: unknown): { readonly type: string; readonly timestamp: string; readonly payload: unknown } | "state" | undefined => undefined
