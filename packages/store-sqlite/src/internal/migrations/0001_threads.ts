/**
 * The tables of a store.
 *
 * A line's key is its segment's number, shifted left by 36 bits, plus its offset in the segment: lines of a segment lie
 * side by side, are found by their offset, and appended at a third less than in a table with a key of two columns. The
 * view `lines` shows them to people.
 *
 * A segment without an id is one that nobody knows: on its way in until `kept_until`, afterwards on its way out.
 */
import type { Migration } from "../Migrator.js"

export const threads: Migration = {
  version: 1,
  name: "threads",
  statements: [
    `CREATE TABLE segments (
  pk INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT UNIQUE,
  thread INTEGER REFERENCES threads (pk) ON DELETE SET NULL,
  base_id TEXT,
  base_offset INTEGER,
  size INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  kept_until INTEGER
)`,
    "CREATE INDEX segments_thread ON segments (thread)",
    "CREATE INDEX segments_base ON segments (base_id) WHERE base_id IS NOT NULL",
    "CREATE INDEX segments_unknown ON segments (pk) WHERE id IS NULL",
    "CREATE TABLE content (key INTEGER PRIMARY KEY, line BLOB NOT NULL)",
    `CREATE VIEW lines AS
SELECT s.id AS segment_id, c.key & 68719476735 AS offset, CAST(c.line AS TEXT) AS line
FROM content AS c JOIN segments AS s ON s.pk = c.key >> 36`,
    `CREATE TABLE threads (
  pk INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  history_mode TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  archived_at INTEGER,
  head INTEGER NOT NULL REFERENCES segments (pk) DEFERRABLE INITIALLY DEFERRED,
  next_ordinal INTEGER,
  version INTEGER NOT NULL,
  lags INTEGER NOT NULL,
  reached INTEGER,
  progress TEXT NOT NULL CHECK (json_valid(progress)),
  shelf INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  recency_at INTEGER NOT NULL,
  source TEXT NOT NULL,
  provider TEXT,
  cwd TEXT NOT NULL,
  parent TEXT
)`,
    "CREATE INDEX threads_head ON threads (head)",
    "CREATE INDEX threads_lagging ON threads (pk) WHERE lags = 1",
    `CREATE TABLE details (
  pk INTEGER PRIMARY KEY REFERENCES threads (pk) ON DELETE CASCADE,
  summary TEXT NOT NULL CHECK (json_valid(summary)),
  explicit TEXT NOT NULL CHECK (json_valid(explicit)),
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
    `CREATE TABLE leases (
  fence INTEGER PRIMARY KEY AUTOINCREMENT,
  thread INTEGER NOT NULL UNIQUE REFERENCES threads (pk) ON DELETE CASCADE,
  name TEXT NOT NULL,
  expires_at INTEGER NOT NULL
)`,
    `CREATE TABLE views (
  thread INTEGER PRIMARY KEY REFERENCES threads (pk) ON DELETE CASCADE,
  segment_id TEXT NOT NULL,
  offset INTEGER NOT NULL,
  view TEXT NOT NULL
)`
  ]
}
