/**
 * What lists are found by: each order within each shelf (active or archived, shown or hidden), and the filters that let
 * few threads pass.
 */
import type { Migration } from "../Migrator.js"

export const lists: Migration = {
  version: 2,
  name: "lists",
  statements: [
    "CREATE INDEX threads_created ON threads (shelf, created_at, id)",
    "CREATE INDEX threads_updated ON threads (shelf, updated_at, id)",
    "CREATE INDEX threads_recency ON threads (shelf, recency_at, id)",
    "CREATE INDEX threads_cwd ON threads (cwd)",
    "CREATE INDEX threads_parent ON threads (parent) WHERE parent IS NOT NULL",
    "CREATE INDEX metadata_value ON metadata (key, value, thread)"
  ]
}
