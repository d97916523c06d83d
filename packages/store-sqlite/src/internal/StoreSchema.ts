/** What makes up the database of a store. */
import type { Schema } from "./Migrator.js"
import { threads } from "./migrations/0001_threads.js"
import { lists } from "./migrations/0002_lists.js"

/** The steps so far. One that was released is never changed; a change of the schema is a new one. */
export const store: Schema = {
  /** "SKst" in ASCII. */
  applicationId: 0x534b7374,
  migrations: [threads, lists]
}
