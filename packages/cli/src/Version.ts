/** The version of this package and of all others of ours, which are released together. */
export const version = "0.1.0"
