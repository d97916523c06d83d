/** The verbs of the command, in the order of its help, and what each is about. */
export const about = {
  show: "What the user saw: the thread, its turns and their items.",
  diff: "What changed between two points of a thread: turns, items, world and window.",
  context: "What the model must see next, and the state that goes with it.",
  world: "The world as the model knows it.",
  windows: "The context windows of a thread and what opened each.",
  verify: "Every problem of a file, with line, byte offset and meaning; exit code 1 if there is any.",
  tree: "The agents of a home by parent: how each stands, and when it was last active.",
  demo: "Replay threads and draw what they come to.",
  ls: "The threads of a store, a page at a time.",
  search: "The threads in which a user or an agent said something.",
  rename: "Gives a thread a name.",
  archive: "Moves threads into the archive. What stands on them stays where it is.",
  unarchive: "Takes threads out of the archive.",
  rm: "Deletes threads and those below them, once you have said yes.",
  copy: "Copies threads to another store, line for line, and reads back what it wrote. Repeatable.",
  backup: "Copies a database while it is used.",
  compress: "Compresses threads of a home that nobody touches, once you have said yes.",
  decompress: "Makes compressed threads plain again.",
  doctor: "Finds what is wrong with a store and says what to do about it.",
  init: "Makes a new host that runs, with promises or with Effect."
} as const

/** A verb. */
export type Verb = keyof typeof about

/** Whether a word is a verb. */
export const isVerb = (word: string): word is Verb => Object.hasOwn(about, word)

/** What a verb does: it reads threads wherever they are, it is about a store, or it makes something new. */
export type Kind = "reading" | "stores" | "making"

/** The kind of each verb. */
export const kindOf: Readonly<Record<Verb, Kind>> = {
  show: "reading",
  diff: "reading",
  context: "reading",
  world: "reading",
  windows: "reading",
  verify: "reading",
  tree: "reading",
  demo: "reading",
  ls: "stores",
  search: "stores",
  rename: "stores",
  archive: "stores",
  unarchive: "stores",
  rm: "stores",
  copy: "stores",
  backup: "stores",
  compress: "stores",
  decompress: "stores",
  doctor: "stores",
  init: "making"
}
