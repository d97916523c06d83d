/** The tables of an index of files: what was read of each file, and the row of each thread as a store's lists have it. */
import type { Migration } from "../Migrator.js"

export const index: Migration = {
  version: 1,
  name: "index",
  statements: [
    `CREATE TABLE files (
  path TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  mtime_ms REAL NOT NULL,
  inode INTEGER NOT NULL,
  thread_id TEXT NOT NULL,
  segment_id TEXT NOT NULL,
  history_mode TEXT NOT NULL,
  base_id TEXT,
  base_offset INTEGER
) WITHOUT ROWID`,
    "CREATE INDEX files_thread ON files (thread_id)",
    `CREATE TABLE threads (
  pk INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  history_mode TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  archived_at INTEGER,
  path TEXT,
  reached_id TEXT,
  reached_offset INTEGER,
  progress TEXT NOT NULL,
  shelf INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  recency_at INTEGER NOT NULL,
  source TEXT NOT NULL,
  provider TEXT,
  cwd TEXT NOT NULL,
  parent TEXT
)`,
    `CREATE TABLE details (
  pk INTEGER PRIMARY KEY REFERENCES threads (pk) ON DELETE CASCADE,
  summary TEXT NOT NULL,
  explicit TEXT NOT NULL,
  name TEXT,
  title TEXT,
  preview TEXT NOT NULL
)`,
    `CREATE TABLE metadata (
  thread INTEGER NOT NULL REFERENCES threads (pk) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (thread, key)
) WITHOUT ROWID`,
    "CREATE INDEX threads_created ON threads (shelf, created_at, id)",
    "CREATE INDEX threads_updated ON threads (shelf, updated_at, id)",
    "CREATE INDEX threads_recency ON threads (shelf, recency_at, id)",
    "CREATE INDEX threads_cwd ON threads (cwd)",
    "CREATE INDEX threads_parent ON threads (parent) WHERE parent IS NOT NULL",
    "CREATE INDEX metadata_value ON metadata (key, value, thread)"
  ]
}
