export interface RawLine { readonly bytes: Uint8Array; readonly offset: number; readonly number: number | undefined; readonly terminated: boolean }
