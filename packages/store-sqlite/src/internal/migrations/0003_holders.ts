/** Which process holds a lease, so that one whose holder is dead is nobody's at once. */
import type { Migration } from "../Migrator.js"

export const holders: Migration = {
  version: 3,
  name: "holders",
  statements: ["ALTER TABLE leases ADD COLUMN process TEXT"]
}
