/** What makes up each kind of database. A step that was released is never changed; a change of a schema is a new one. */
import type { Schema } from "./Migrator.js"
import { index as files } from "./migrations/0001_index.js"
import { threads } from "./migrations/0001_threads.js"
import { lists } from "./migrations/0002_lists.js"
import { holders } from "./migrations/0003_holders.js"

/** The database of a store. */
export const store: Schema = {
  /** "SKst" in ASCII. */
  applicationId: 0x534b7374,
  migrations: [threads, lists, holders]
}

/** The database of an index of files. */
export const index: Schema = {
  /** "SKix". */
  applicationId: 0x534b6978,
  migrations: [files]
}
