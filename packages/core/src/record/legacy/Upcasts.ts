export interface Upcast { readonly name: string; readonly kind: string; readonly upcast: (payload: unknown) => unknown | undefined }
export const forKind = (_kind: string): ReadonlyArray<Upcast> => []
