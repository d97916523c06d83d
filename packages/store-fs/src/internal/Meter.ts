/** What is counted and measured of compression, by the names and tags of the reference (thread-store §8). */
import { Effect, Metric, MetricBoundaries } from "effect"
import type { Outcome } from "./Compress.js"

const milliseconds = MetricBoundaries.exponential({ start: 1, factor: 2, count: 24 })
const bytes = MetricBoundaries.exponential({ start: 1024, factor: 4, count: 12 })
const basisPoints = MetricBoundaries.linear({ start: 250, width: 250, count: 40 })

const name = (end: string): string => `codex.rollout_compression.${end}`
const counter = (end: string, tag: string) => {
  const metric = Metric.counter(name(end))
  return (value: string): Effect.Effect<void> => Metric.update(Metric.tagged(metric, tag, value), 1)
}
const histogram = (end: string, tag: string, boundaries: MetricBoundaries.MetricBoundaries) => {
  const metric = Metric.histogram(name(end), boundaries)
  return (value: string, measured: number): Effect.Effect<void> =>
    Metric.update(Metric.tagged(metric, tag, value), measured)
}

/** What became of a run. */
export type RunStatus = "started" | "completed" | "failed" | "skipped_already_running" | "skipped_no_runtime"

/** A run that began, ended, or did not come to be. */
export const run: (status: RunStatus) => Effect.Effect<void> = counter("run", "status")

/** How long a run took. */
export const runDuration: (status: "completed" | "failed", ms: number) => Effect.Effect<void> = histogram(
  "run.duration_ms",
  "status",
  milliseconds
)

const files = counter("file", "outcome")
const fileDuration = histogram("file.duration_ms", "outcome", milliseconds)
const sourceBytes = histogram("file.source_bytes", "outcome", bytes)
const compressedBytes = histogram("file.compressed_bytes", "outcome", bytes)
const ratio = histogram("file.compression_ratio", "outcome", basisPoints)

/** A file that is looked at. */
export const scanned: Effect.Effect<void> = files("scanned")

/** What became of it, and how long that took. The ratio is that of the compressed size, in hundredths of a per cent. */
export const file = (outcome: Outcome, ms: number): Effect.Effect<void> => {
  const { compressedBytes: compressed, result, sourceBytes: source } = outcome
  const all = [files(result), fileDuration(result, ms)]
  if (source !== undefined) all.push(sourceBytes(result, source))
  if (compressed !== undefined) all.push(compressedBytes(result, compressed))
  if (compressed !== undefined && source !== undefined && source > 0) {
    all.push(ratio(result, Math.round((10_000 * compressed) / source)))
  }
  return Effect.all(all, { discard: true })
}

/** A temporary file that somebody left. */
export const temporary: (outcome: "removed" | "failed") => Effect.Effect<void> = counter("temp_cleanup", "outcome")

/** A compressed file that was to be made plain. */
export const materialized: (outcome: "plain_exists" | "missing" | "decompressed" | "failed") => Effect.Effect<void> =
  counter("materialize", "outcome")
