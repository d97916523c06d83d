/** The threads that the processes of a test append to. */

/** The id of the k-th thread. */
export const threadOf = (k: number): string => `019c2b10-7a00-7c00-8000-${String(k + 1).padStart(12, "0")}`
