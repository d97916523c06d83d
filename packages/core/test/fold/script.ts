/** The shorthand of replay-semantics §0 for the functions that users write logs with. */
export * from "@skein/testing/Script"
export {
  aborted as A,
  communication as I,
  compacted as K,
  completed as C,
  delivery as M,
  header as Meta,
  rollback as B,
  started as S,
  turnContext as X,
  userEvent as U
} from "@skein/testing/Script"
