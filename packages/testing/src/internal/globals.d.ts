/** The two web interfaces that the core relies on; every browser and Node have them. */
declare class TextDecoder {
  constructor(label?: string, options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean })
  decode(input: Uint8Array): string
}

declare class TextEncoder {
  encode(input: string): Uint8Array
}
