/**
 * Stores that break a promise each, made of the one in memory: what the contract suite has to notice. An adapter gets
 * such a thing wrong more easily than one thinks.
 */
import type { RawLine } from "@skein/core/record/Jsonl"
import * as Derived from "@skein/store/Derived"
import type { Batch, Driver, NewSegment } from "@skein/store/Driver"
import type { EffectiveLog } from "@skein/store/EffectiveLog"
import * as LineSource from "@skein/store/LineSource"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import type { ReadError } from "@skein/store/StoreError"
import type { ThreadRow } from "@skein/store/Summary"
import * as SummaryQuery from "@skein/store/SummaryQuery"
import type { Followed, ThreadStoreService } from "@skein/store/ThreadStore"
import { Effect, Either, Stream } from "effect"

/** A store with something wrong. */
export interface Mutant {
  readonly name: string
  /** The cases that each have to fail for it. */
  readonly noticed: ReadonlyArray<string>
  /** Whether sequences at random (case 93) have to find it too. */
  readonly random?: boolean
  readonly driver?: (driver: Driver) => Driver
  readonly service?: (store: ThreadStoreService) => ThreadStoreService
}

type Lines = ReadonlyArray<Uint8Array>

/** A batch whose lines are others than they should be. */
const withLines =
  (change: (lines: Lines) => Lines) =>
  (batch: Batch): Batch =>
  (at) =>
    Either.map(batch(at), (write) => ({ ...write, lines: change(write.lines) }))

/** A driver that appends other lines than it is given. */
const appending =
  (change: (lines: Lines) => Lines) =>
  (driver: Driver): Driver => ({
    ...driver,
    append: (request) => driver.append({ ...request, batches: request.batches.map(withLines(change)) })
  })

/** A driver that makes other segments than it is told to. */
const making =
  (change: (segment: NewSegment) => NewSegment) =>
  (driver: Driver): Driver => ({
    ...driver,
    create: (thread) => driver.create({ ...thread, segment: change(thread.segment) }),
    branch: (threadId, segment, options) => driver.branch(threadId, change(segment), options)
  })

/** The lines of a segment, changed one by one; undefined drops a line. */
const storing = (change: (bytes: Uint8Array) => Uint8Array | undefined) =>
  making((segment) => {
    const lines: Array<Uint8Array> = []
    Effect.runSync(
      Effect.ignore(
        segment.content.forward((line) => {
          const bytes = change(new Uint8Array(line.bytes))
          if (bytes !== undefined) lines.push(bytes)
          return true
        })
      )
    )
    return { ...segment, content: LineSource.ofLines(lines) }
  })

/** A driver whose logs are others than what is stored. */
const opening =
  (change: (log: EffectiveLog<ReadError>, threadId: string) => EffectiveLog<ReadError>) =>
  (driver: Driver): Driver => ({
    ...driver,
    open: (threadId) => Effect.map(driver.open(threadId), (log) => change(log, threadId))
  })

/** A driver whose lists are others than they should be. */
const listing =
  (change: (rows: ReadonlyArray<ThreadRow>, query: SummaryQuery.RowQuery) => ReadonlyArray<ThreadRow>) =>
  (driver: Driver): Driver => ({
    ...driver,
    rows: (query) => Effect.map(driver.rows(query), (rows) => change(rows, query))
  })

/** A driver that answers lists from all of its rows in a way of its own. */
const selecting =
  (select: (rows: ReadonlyArray<ThreadRow>, query: SummaryQuery.RowQuery) => ReadonlyArray<ThreadRow>) =>
  (driver: Driver): Driver => ({
    ...driver,
    rows: (query) => Effect.map(driver.rows(everything), (rows) => select(rows, query))
  })

const everything: SummaryQuery.RowQuery = {
  limit: Number.MAX_SAFE_INTEGER,
  sortKey: "createdAt",
  direction: "asc",
  after: undefined,
  sources: undefined,
  modelProviders: undefined,
  unnamedProvider: true,
  cwds: undefined,
  archived: "any",
  searchTerm: undefined,
  relation: undefined,
  metadata: {},
  hidden: true
}

const toText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const asJson = (bytes: Uint8Array): Uint8Array => {
  try {
    return toBytes(JSON.stringify(JSON.parse(toText(bytes))))
  } catch {
    return bytes
  }
}

const headOf = (driver: Driver, threadId: string) => Effect.map(driver.locate(threadId), ({ head }) => head)

/** Lines of a source that come in another way. */
const reading = (
  log: EffectiveLog<ReadError>,
  change: (source: LineSource.LineSource<ReadError>) => LineSource.LineSource<ReadError>
): EffectiveLog<ReadError> => ({
  ...log,
  pieces: log.pieces.map((piece) => ({ ...piece, source: change(piece.source) }))
})

const writing: ReadonlyArray<Mutant> = [
  {
    name: "drops the last record of a batch",
    noticed: ["7", "11"],
    random: true,
    driver: appending((lines) => (lines.length > 1 ? lines.slice(0, -1) : lines))
  },
  {
    name: "writes a batch the other way round",
    noticed: ["7"],
    random: true,
    driver: appending((lines) => lines.toReversed())
  },
  {
    name: "writes a record twice",
    noticed: ["7"],
    random: true,
    driver: appending((lines) => lines.flatMap((line, i) => (i === 0 ? [line, line] : [line])))
  },
  {
    name: "writes the batches of a group in another order",
    noticed: ["append.interrupted"],
    driver: (driver) => ({
      ...driver,
      append: (request) =>
        Effect.map(driver.append({ ...request, batches: request.batches.toReversed() }), (ends) => ends.toReversed())
    })
  },
  {
    name: "cuts long lines off",
    noticed: ["append.8"],
    driver: appending((lines) =>
      lines.map((line) => (line.length > 1024 * 1024 ? line.subarray(0, 1024 * 1024) : line))
    )
  },
  {
    name: "ignores the expected position",
    noticed: ["append.1", "append.2", "append.5"],
    random: true,
    driver: (driver) => ({ ...driver, append: (request) => driver.append({ ...request, expected: "any" }) })
  },
  {
    name: "ignores what a revert expects",
    noticed: ["revert.4"],
    driver: (driver) => ({
      ...driver,
      branch: (threadId, segment, options) =>
        Effect.flatMap(headOf(driver, threadId), (expected) =>
          driver.branch(threadId, segment, { ...options, expected })
        )
    })
  },
  {
    name: "says that an append is done and forgets every seventh",
    noticed: ["7"],
    random: true,
    driver: (driver) => {
      let count = 0
      return {
        ...driver,
        append: (request) =>
          Effect.suspend(() => {
            if (++count % 7 !== 0) return driver.append(request)
            return Effect.map(
              driver.append({ ...request, batches: request.batches.map(withLines(() => [])) }),
              (ends) => ends
            )
          })
      }
    }
  },
  {
    name: "answers before it has stored",
    noticed: ["position.1", "12"],
    driver: (driver) => ({
      ...driver,
      append: (request) =>
        Effect.gen(function* () {
          const { head } = yield* driver.locate(request.threadId)
          yield* Effect.forkDaemon(Effect.delay(driver.append(request), "3 millis"))
          return request.batches.map(() => head)
        })
    })
  },
  {
    name: "tells a wrong place behind a batch",
    noticed: ["7"],
    driver: (driver) => ({
      ...driver,
      append: (request) =>
        Effect.map(driver.append(request), (ends) => ends.map(() => ends[0] ?? Positions.make("", 0)))
    })
  },
  {
    name: "tells the head of the append before",
    noticed: ["position.1"],
    driver: (driver) => {
      const heads = new Map<string, Position>()
      return {
        ...driver,
        locate: (threadId) =>
          Effect.map(driver.locate(threadId), (at) => {
            const head = heads.get(threadId) ?? at.head
            heads.set(threadId, at.head)
            return { ...at, head }
          })
      }
    }
  },
  {
    name: "writes the batches of a group one by one, so that a bad one leaves those before it",
    noticed: ["append.3"],
    driver: (driver) => ({
      ...driver,
      append: (request) =>
        Effect.map(
          Effect.forEach(request.batches, (batch) => driver.append({ ...request, batches: [batch] })),
          (ends) => ends.flat()
        )
    })
  },
  {
    name: "makes a thread again when it is written to after its deletion",
    noticed: ["8", "68"],
    driver: (driver) => ({
      ...driver,
      append: (request) =>
        driver.append(request).pipe(
          Effect.catchTag("ThreadNotFound", () =>
            driver
              .create({
                threadId: request.threadId,
                historyMode: "legacy",
                segment: {
                  segmentId: request.threadId,
                  base: undefined,
                  content: LineSource.ofLines([]),
                  nextOrdinal: undefined,
                  madeAt: 0
                },
                derived: undefined,
                explicit: {},
                archivedAt: undefined
              })
              .pipe(
                Effect.zipRight(driver.append(request)),
                Effect.catchTag("ThreadAlreadyExists", () => Effect.die("there"))
              )
          )
        )
    })
  },
  {
    name: "makes a thread anew when its id is taken",
    noticed: ["3", "6", "66"],
    driver: (driver) => ({
      ...driver,
      create: (thread) =>
        driver
          .create(thread)
          .pipe(
            Effect.catchTag("ThreadAlreadyExists", () =>
              Effect.zipRight(Effect.orDie(driver.remove(thread.threadId, "keep")), driver.create(thread))
            )
          )
    })
  },
  {
    name: "keeps a thread of which it could not write all",
    noticed: ["copy.5"],
    driver: (driver) => ({ ...driver, remove: () => Effect.succeed({ kept: [] }) })
  }
]

const leases: ReadonlyArray<Mutant> = [
  {
    name: "knows no leases",
    noticed: ["3", "14"],
    random: true,
    driver: (driver) => {
      let fence = 0
      return {
        ...driver,
        append: (request) => driver.append({ ...request, fence: undefined }),
        branch: (threadId, segment, options) => driver.branch(threadId, segment, { ...options, fence: undefined }),
        lease: () =>
          Effect.sync(() => ({ fence: ++fence, expiresAt: 0, renew: Effect.succeed(0), release: Effect.void }))
      }
    }
  },
  {
    name: "lets append whoever shows no lease",
    noticed: ["3"],
    random: true,
    driver: (driver) => {
      const fences = new Map<string, number>()
      return {
        ...driver,
        lease: (request) =>
          Effect.tap(driver.lease(request), (held) => Effect.sync(() => fences.set(request.threadId, held.fence))),
        append: (request) =>
          driver
            .append({ ...request, fence: request.fence ?? fences.get(request.threadId) })
            .pipe(Effect.catchTag("LeaseHeld", () => driver.append(request)))
      }
    }
  },
  {
    name: "takes any fence while nobody holds a lease",
    noticed: ["8"],
    random: true,
    driver: (driver) => ({
      ...driver,
      append: (request) =>
        driver.append(request).pipe(Effect.catchTag("LeaseHeld", () => driver.append({ ...request, fence: undefined })))
    })
  },
  {
    name: "knows the leases of its own instance alone",
    noticed: ["14"],
    driver: (driver) => {
      const held = new Set<string>()
      return {
        ...driver,
        append: (request) => driver.append({ ...request, fence: undefined }),
        lease: (request) =>
          Effect.suspend(() => {
            if (held.has(request.threadId)) return driver.lease(request)
            held.add(request.threadId)
            const release = Effect.sync(() => void held.delete(request.threadId))
            return Effect.succeed({ fence: 1, expiresAt: 0, renew: Effect.succeed(0), release })
          })
      }
    }
  },
  {
    name: "lets leases run out early",
    noticed: ["14.expiry"],
    driver: (driver) => ({
      ...driver,
      lease: (request) => driver.lease({ ...request, time: Math.ceil(request.time / 20) })
    })
  },
  {
    name: "never lets a lease run out",
    noticed: ["14.expiry"],
    driver: (driver) => ({ ...driver, lease: (request) => driver.lease({ ...request, time: 1_000_000 }) })
  },
  {
    name: "does not prolong leases",
    noticed: ["lease.2"],
    driver: (driver) => ({
      ...driver,
      lease: (request) =>
        Effect.map(driver.lease(request), (held) => ({ ...held, renew: Effect.succeed(Date.now() + 1000) }))
    })
  },
  {
    name: "keeps a lease that was given back",
    noticed: ["3", "9"],
    random: true,
    driver: (driver) => ({
      ...driver,
      lease: (request) => Effect.map(driver.lease(request), (held) => ({ ...held, release: Effect.void }))
    })
  },
  {
    name: "gives every lease the same fence",
    noticed: ["lease.1", "14.expiry"],
    driver: (driver) => ({
      ...driver,
      append: (request) =>
        driver
          .append({ ...request, fence: undefined })
          .pipe(Effect.catchTag("LeaseHeld", () => driver.append({ ...request, fence: undefined }))),
      lease: (request) => Effect.map(driver.lease(request), (held) => ({ ...held, fence: 1 }))
    })
  },
  {
    name: "lets a revert pass that holds no lease",
    noticed: ["3", "revert.4"],
    driver: (driver) => {
      const fences = new Map<string, number>()
      return {
        ...driver,
        lease: (request) =>
          Effect.tap(driver.lease(request), (held) => Effect.sync(() => fences.set(request.threadId, held.fence))),
        branch: (threadId, segment, options) =>
          driver
            .branch(threadId, segment, { ...options, fence: options.fence ?? fences.get(threadId) })
            .pipe(Effect.catchTag("LeaseHeld", () => driver.branch(threadId, segment, options)))
      }
    }
  }
]

const branches: ReadonlyArray<Mutant> = [
  {
    name: "forks and reverts at the end, whatever place is named",
    noticed: ["fork.1", "revert.1"],
    random: true,
    driver: (driver) => {
      const sizes = new Map<string, number>()
      const atEnd = (segment: NewSegment): NewSegment => {
        const end = segment.base === undefined ? undefined : sizes.get(segment.base.segmentId)
        return segment.base === undefined || end === undefined
          ? segment
          : { ...segment, base: { ...segment.base, offset: end } }
      }
      const note = <E, R>(effect: Effect.Effect<Position, E, R>) =>
        Effect.tap(effect, (end) => Effect.sync(() => sizes.set(end.segmentId, end.offset)))
      return {
        ...driver,
        append: (request) =>
          Effect.tap(driver.append(request), (ends) =>
            Effect.sync(() => {
              for (const end of ends) sizes.set(end.segmentId, end.offset)
            })
          ),
        create: (thread) => note(driver.create({ ...thread, segment: atEnd(thread.segment) })),
        branch: (threadId, segment, options) => note(driver.branch(threadId, atEnd(segment), options))
      }
    }
  },
  {
    name: "forgets what a segment stands on",
    noticed: ["fork.1", "revert.1", "94"],
    random: true,
    driver: making((segment) => ({ ...segment, base: undefined }))
  },
  {
    name: "mixes up what segments stand on",
    noticed: ["fork.2"],
    driver: (driver) => {
      let first: Position | undefined
      return making((segment) => {
        if (segment.base === undefined) return segment
        first ??= segment.base
        return { ...segment, base: first }
      })(driver)
    }
  },
  {
    name: "counts ordinals anew behind a fork or revert",
    noticed: ["revert.1", "copy.2"],
    random: true,
    driver: making((segment) => (segment.nextOrdinal === undefined ? segment : { ...segment, nextOrdinal: 0 }))
  },
  {
    name: "keeps the row of before a revert",
    noticed: ["revert.1"],
    driver: (driver) => ({
      ...driver,
      branch: (threadId, segment, options) =>
        Effect.gen(function* () {
          const { derived } = yield* driver.row(threadId)
          const end = yield* driver.branch(threadId, segment, options)
          yield* driver.putDerived(threadId, derived, end)
          return end
        })
    })
  },
  {
    name: "calls every thread legacy",
    noticed: ["19", "fork.3"],
    random: true,
    driver: (driver) => ({
      ...driver,
      locate: (threadId) => Effect.map(driver.locate(threadId), (at) => ({ ...at, historyMode: "legacy" }))
    })
  }
]

const reads: ReadonlyArray<Mutant> = [
  {
    name: "reads all but the last line",
    noticed: ["7", "position.1"],
    random: true,
    driver: opening((log) =>
      reading(log, (source) => ({
        ...source,
        forward: (take, range) => {
          let held: RawLine | undefined
          return Effect.map(
            source.forward((line) => {
              const before = held
              held = { ...line, bytes: new Uint8Array(line.bytes) }
              return before === undefined || take(before)
            }, range),
            (all) => all
          )
        }
      }))
    )
  },
  {
    name: "reads backward from one line too early",
    noticed: ["append.8", "position.1", "22"],
    random: true,
    driver: opening((log) =>
      reading(log, (source) => ({
        ...source,
        backward: (take, range) => {
          let isFirst = range?.to === undefined || range.to >= source.size
          return source.backward((line) => {
            if (!isFirst) return take(line)
            isFirst = false
            return true
          }, range)
        }
      }))
    )
  },
  {
    name: "reads no further than two thousand lines",
    noticed: ["append.9"],
    driver: opening((log) =>
      reading(log, (source) => ({
        ...source,
        forward: (take, range) => source.forward((line) => (line.number ?? 0) > 2000 || take(line), range)
      }))
    )
  },
  {
    name: "reads what was appended after it was opened",
    noticed: ["open.1"],
    driver: (driver) => ({
      ...driver,
      open: (threadId) =>
        Effect.map(driver.open(threadId), (log) =>
          reading(log, (source) => ({
            ...source,
            forward: (take) =>
              Effect.scoped(
                Effect.flatMap(driver.open(threadId), (now) => {
                  const piece = now.pieces.find((one) => one.source.path === source.path)
                  return (piece?.source ?? source).forward(take)
                })
              )
          }))
        )
    })
  },
  {
    name: "reads from a log that it opened earlier",
    noticed: ["fork.1", "revert.1"],
    random: true,
    driver: (driver) => {
      const logs = new Map<string, EffectiveLog<ReadError>>()
      return opening((log, threadId) => {
        const known = logs.get(threadId)
        logs.set(threadId, log)
        return known ?? log
      })(driver)
    }
  },
  {
    name: "loses the lines between two pages",
    noticed: ["append.9", "position.1"],
    driver: opening((log) =>
      reading(log, (source) => ({
        ...source,
        forward: (take, range) => {
          let isFirst = (range?.from ?? 0) > 0
          return source.forward((line) => {
            if (!isFirst) return take(line)
            isFirst = false
            return true
          }, range)
        }
      }))
    )
  },
  {
    name: "keeps a view behind the place that it says",
    noticed: ["86.reopen"],
    driver: (driver) => {
      const views = new Map<string, { readonly reached: Position; readonly view: string }>()
      return {
        ...driver,
        views: {
          load: () => Effect.succeed(undefined),
          save: (threadId, row) => Effect.sync(() => void views.set(threadId, row))
        },
        locate: (threadId) => driver.locate(threadId),
        open: driver.open,
        ...lateViews(driver, shelf)
      }
    }
  }
]

/** Views that outlast a store, as those of a table do. */
const shelf = new Map<string, { readonly reached: Position; readonly view: string }>()

/** Views that are handed back as if they had got to the end. */
const lateViews = (driver: Driver, kept: typeof shelf): Pick<Driver, "views"> => ({
  views: {
    load: (threadId) =>
      Effect.gen(function* () {
        const row = kept.get(threadId)
        const head = yield* Effect.option(headOf(driver, threadId))
        return row === undefined || head._tag === "None" ? undefined : { ...row, reached: head.value }
      }),
    save: (threadId, row) => Effect.sync(() => void kept.set(threadId, row))
  }
})

const bytes: ReadonlyArray<Mutant> = [
  { name: "writes lines anew as JSON", noticed: ["copy.1"], driver: storing(asJson) },
  { name: "keeps lines as text", noticed: ["21", "copy.1"], driver: storing((line) => toBytes(toText(line))) },
  {
    name: "drops blank lines",
    noticed: ["21", "copy.1"],
    random: true,
    driver: storing((line) => (toText(line).trim() === "" ? undefined : line))
  },
  {
    name: "cuts carriage returns off",
    noticed: ["21", "copy.1"],
    driver: storing((line) => (line.at(-1) === 0x0d ? line.subarray(0, -1) : line))
  },
  {
    name: "drops lines that it cannot read",
    noticed: ["21", "20", "copy.1"],
    random: true,
    driver: storing((line) => {
      try {
        return typeof JSON.parse(toText(line)).type === "string" && !toText(line).includes("of_tomorrow")
          ? line
          : undefined
      } catch {
        return undefined
      }
    })
  },
  {
    name: "ends a line at a NUL",
    noticed: ["21", "copy.1"],
    driver: storing((line) => {
      const at = line.indexOf(0)
      return at < 0 ? line : line.subarray(0, at)
    })
  },
  {
    name: "exports the newest segment alone",
    noticed: ["revert.2", "94"],
    driver: (driver) => ({
      ...driver,
      segments: (threadId) => Effect.map(driver.segments(threadId), (all) => all.slice(-1))
    })
  },
  {
    name: "exports segments without what they stand on",
    noticed: ["94", "copy.2"],
    driver: (driver) => ({
      ...driver,
      segments: (threadId) =>
        Effect.map(driver.segments(threadId), (all) => all.map((one) => ({ ...one, base: undefined })))
    })
  }
]

const lists: ReadonlyArray<Mutant> = [
  {
    name: "begins a page one row late",
    noticed: ["45", "46", "47"],
    random: true,
    driver: listing((rows, { after }) => (after === undefined ? rows : rows.slice(1)))
  },
  {
    name: "begins a page with the last row of the one before",
    noticed: ["45", "47"],
    random: true,
    driver: selecting((rows, query) => {
      const { after } = query
      if (after === undefined) return SummaryQuery.select(rows, query)
      const id = query.direction === "asc" ? "" : "~"
      return SummaryQuery.select(rows, { ...query, after: { ...after, id } })
    })
  },
  {
    name: "loses rows that share a moment with the last one of a page",
    noticed: ["45"],
    random: true,
    driver: selecting((rows, query) => {
      const { after } = query
      return SummaryQuery.select(
        rows,
        after === undefined ? query : { ...query, after: { ...after, id: query.direction === "asc" ? "~" : "" } }
      )
    })
  },
  {
    name: "sorts rows of one moment by chance",
    noticed: ["45"],
    driver: selecting((rows, query) =>
      SummaryQuery.select(rows, { ...query, direction: "asc" }).length === 0
        ? []
        : SummaryQuery.select(query.direction === "asc" ? rows : rows, query).toSorted((left, right) => {
            const key = (row: ThreadRow) => (row.derived.createdAt ?? 0) * (query.direction === "asc" ? 1 : -1)
            return query.sortKey === "createdAt"
              ? key(left) - key(right) || (left.threadId < right.threadId ? 1 : -1)
              : 0
          })
    )
  },
  {
    name: "answers from an index of before",
    noticed: ["40", "33", "49"],
    random: true,
    driver: (driver) => {
      let before: ReadonlyArray<ThreadRow> = []
      return {
        ...driver,
        rows: (query) =>
          Effect.map(driver.rows(everything), (rows) => {
            const stale = rows.map((row) => before.find(({ threadId }) => threadId === row.threadId) ?? row)
            before = rows
            return SummaryQuery.select(stale, query)
          })
      }
    }
  },
  {
    name: "knows no more than three hundred threads",
    noticed: ["55"],
    driver: selecting((rows, query) => SummaryQuery.select(rows.slice(0, 300), query))
  },
  {
    name: "shows an empty page when its index fails",
    noticed: ["52"],
    driver: (driver) => ({
      ...driver,
      rows: (query) => Effect.catchAll(driver.rows(query), () => Effect.succeed([])),
      lagging: (threadId) => Effect.catchAll(driver.lagging(threadId), () => Effect.succeed([]))
    })
  },
  {
    name: "never folds what it has not folded yet",
    noticed: ["fork.5", "17", "revert.1"],
    random: true,
    driver: (driver) => ({ ...driver, lagging: () => Effect.succeed([]) })
  },
  {
    name: "does not keep what was folded",
    noticed: ["fork.5", "17"],
    driver: (driver) => ({ ...driver, putDerived: () => Effect.void })
  },
  {
    name: "forgets to fold what is appended",
    noticed: ["26", "40", "41"],
    random: true,
    driver: (driver) => ({
      ...driver,
      append: (request) =>
        driver.append({
          ...request,
          batches: request.batches.map(
            (batch): Batch =>
              (at) =>
                Either.map(batch(at), (write) => ({ ...write, derive: (before) => before }))
          )
        })
    })
  },
  {
    name: "ignores the filter on metadata",
    noticed: ["48.metadata"],
    random: true,
    driver: selecting((rows, query) => SummaryQuery.select(rows, { ...query, metadata: {} }))
  },
  {
    name: "takes one of several metadata for enough",
    noticed: ["48.metadata"],
    driver: selecting((rows, query) => {
      const [first] = Object.entries(query.metadata)
      return SummaryQuery.select(rows, { ...query, metadata: first === undefined ? {} : { [first[0]]: first[1] } })
    })
  },
  {
    name: "compares directories letter by letter",
    noticed: ["48"],
    random: true,
    driver: selecting((rows, query) =>
      SummaryQuery.select(rows, { ...query, cwds: undefined }).filter(
        (row) => query.cwds === undefined || query.cwds.includes(row.derived.summary.cwd)
      )
    )
  },
  {
    name: "takes an empty list of directories for none",
    noticed: ["48"],
    driver: selecting((rows, query) =>
      SummaryQuery.select(rows, { ...query, cwds: query.cwds?.length === 0 ? undefined : query.cwds })
    )
  },
  {
    name: "leaves out threads that name no provider",
    noticed: ["48"],
    driver: selecting((rows, query) => SummaryQuery.select(rows, { ...query, unnamedProvider: false }))
  },
  {
    name: "searches rows whatever the case",
    noticed: ["50"],
    driver: selecting((rows, query) =>
      SummaryQuery.select(rows, { ...query, searchTerm: undefined }).filter(
        (row) =>
          query.searchTerm === undefined ||
          JSON.stringify([row.explicit, row.derived.summary]).toLowerCase().includes(query.searchTerm.toLowerCase())
      )
    )
  },
  {
    name: "searches previews and no names",
    noticed: ["33", "50"],
    driver: selecting((rows, query) =>
      SummaryQuery.select(rows, { ...query, searchTerm: undefined }).filter(
        (row) => query.searchTerm === undefined || row.derived.summary.preview.includes(query.searchTerm)
      )
    )
  },
  {
    name: "shows what is hidden",
    noticed: ["49"],
    random: true,
    driver: selecting((rows, query) => SummaryQuery.select(rows, { ...query, hidden: true }))
  },
  {
    name: "shows archived threads among the active ones",
    noticed: ["49", "63"],
    random: true,
    driver: selecting((rows, query) => SummaryQuery.select(rows, { ...query, archived: "any" }))
  },
  {
    name: "takes descendants for children",
    noticed: ["51"],
    random: true,
    driver: selecting((rows, query) =>
      SummaryQuery.select(rows, {
        ...query,
        relation: query.relation === undefined ? undefined : { ...query.relation, depth: "descendants" }
      })
    )
  },
  {
    name: "takes children for descendants",
    noticed: ["51", "69"],
    random: true,
    driver: selecting((rows, query) =>
      SummaryQuery.select(rows, {
        ...query,
        relation: query.relation === undefined ? undefined : { ...query.relation, depth: "children" }
      })
    )
  },
  {
    name: "finds no descendants behind a hidden or archived one",
    noticed: ["51"],
    driver: selecting((rows, query) => {
      const { relation } = query
      const visible = rows.filter((row) => !SummaryQuery.isHidden(row) && row.archivedAt === undefined)
      return relation === undefined ? SummaryQuery.select(rows, query) : SummaryQuery.select(visible, query)
    })
  },
  {
    name: "counts a thread in a circle among its descendants",
    noticed: ["51"],
    driver: selecting((rows, query) => {
      const { relation } = query
      const found = SummaryQuery.select(rows, query)
      const own = rows.find((row) => row.threadId === relation?.of && Derived.parentOf(row.derived) !== undefined)
      return own === undefined || found.length === 0 ? found : [...found, own]
    })
  },
  {
    name: "takes a thread that cannot be read for the end of the list",
    noticed: ["19", "53"],
    driver: listing((rows) => {
      const at = rows.findIndex(({ historyMode }) => Derived.knownMode(historyMode) === undefined)
      return at < 0 ? rows : rows.slice(0, at)
    })
  }
]

const explicits: ReadonlyArray<Mutant> = [
  {
    name: "forgets host metadata",
    noticed: ["31", "48.metadata"],
    random: true,
    driver: (driver) => ({
      ...driver,
      updateExplicit: (threadId, change) =>
        driver.updateExplicit(threadId, (before) => {
          const { metadata: _, ...rest } = change(before)
          return rest
        })
    })
  },
  {
    name: "forgets the state of the repository that was set",
    noticed: ["31", "34"],
    random: true,
    driver: (driver) => ({
      ...driver,
      updateExplicit: (threadId, change) =>
        driver.updateExplicit(threadId, (before) => {
          const { git: _, ...rest } = change(before)
          return rest
        })
    })
  },
  {
    name: "cannot clear a name",
    noticed: ["31", "33"],
    random: true,
    driver: (driver) => ({
      ...driver,
      updateExplicit: (threadId, change) =>
        driver.updateExplicit(threadId, (before) => ({
          ...(before.name === undefined ? {} : { name: before.name }),
          ...change(before)
        }))
    })
  },
  {
    name: "forgets what was said at creation",
    noticed: ["35", "70"],
    random: true,
    driver: (driver) => ({ ...driver, create: (thread) => driver.create({ ...thread, explicit: {} }) })
  },
  {
    name: "loses one of two changes at once",
    noticed: ["31.together"],
    driver: (driver) => ({
      ...driver,
      updateExplicit: (threadId, change) =>
        Effect.gen(function* () {
          const { explicit } = yield* driver.row(threadId)
          yield* Effect.yieldNow()
          yield* driver.updateExplicit(threadId, () => change(explicit))
        })
    })
  },
  {
    name: "forgets what was said when the thread is reverted",
    noticed: ["revert.1", "35"],
    random: true,
    driver: (driver) => ({
      ...driver,
      branch: (threadId, segment, options) =>
        Effect.tap(driver.branch(threadId, segment, options), () => driver.updateExplicit(threadId, () => ({})))
    })
  },
  {
    name: "forgets that a thread is archived",
    noticed: ["23", "64"],
    random: true,
    driver: (driver) => ({ ...driver, setArchived: (threadId) => Effect.asVoid(driver.locate(threadId)) })
  },
  {
    name: "lets archived threads be read and written",
    noticed: ["23"],
    random: true,
    driver: (driver) => ({
      ...driver,
      locate: (threadId) => Effect.map(driver.locate(threadId), (at) => ({ ...at, archivedAt: undefined })),
      append: (request) =>
        driver.append({
          ...request,
          batches: request.batches.map(
            (batch): Batch =>
              (at) =>
                batch({ ...at, archivedAt: undefined })
          )
        })
    })
  },
  {
    name: "archives the children too",
    noticed: ["64"],
    driver: (driver) => ({
      ...driver,
      setArchived: (threadId, at) =>
        Effect.gen(function* () {
          const children = yield* driver.rows({ ...everything, relation: { of: threadId, depth: "children" } })
          yield* driver.setArchived(threadId, at)
          for (const child of children) yield* driver.setArchived(child.threadId, at)
        })
    })
  },
  {
    name: "forgets where a copy was archived",
    noticed: ["94", "copy.2"],
    driver: (driver) => ({ ...driver, create: (thread) => driver.create({ ...thread, archivedAt: undefined }) })
  },
  {
    name: "makes rows of threads that are not there",
    noticed: ["32"],
    driver: (driver) => ({
      ...driver,
      updateExplicit: (threadId, change) =>
        Effect.catchTag(driver.updateExplicit(threadId, change), "ThreadNotFound", () =>
          Effect.asVoid(
            Effect.ignore(
              driver.create({
                threadId,
                historyMode: "legacy",
                segment: {
                  segmentId: threadId,
                  base: undefined,
                  content: LineSource.ofLines([]),
                  nextOrdinal: undefined,
                  madeAt: 0
                },
                derived: undefined,
                explicit: change({}),
                archivedAt: undefined
              })
            )
          )
        )
    })
  }
]

const deletions: ReadonlyArray<Mutant> = [
  {
    name: "leaves the row of what it deletes",
    noticed: ["67"],
    random: true,
    driver: (driver) => {
      const gone: Array<ThreadRow> = []
      return {
        ...driver,
        remove: (threadId, shared) =>
          Effect.zipRight(
            Effect.flatMap(driver.row(threadId), (row) => Effect.sync(() => gone.push(row))),
            driver.remove(threadId, shared)
          ),
        rows: (query) => Effect.map(driver.rows(everything), (rows) => SummaryQuery.select([...rows, ...gone], query))
      }
    }
  },
  {
    name: "takes from forks what they stand on",
    noticed: ["delete.default", "delete.keep"],
    random: true,
    driver: (driver) => {
      const gone = new Set<string>()
      return {
        ...opening((log) => ({
          ...log,
          pieces: log.pieces.filter((piece, i) => i === log.pieces.length - 1 || !gone.has(piece.segmentId))
        }))(driver),
        remove: (threadId, shared) =>
          Effect.tap(driver.remove(threadId, shared), () => Effect.sync(() => gone.add(threadId)))
      }
    }
  },
  {
    name: "deletes what others stand on although it was told not to",
    noticed: ["delete.refuse"],
    driver: (driver) => ({
      ...driver,
      remove: (threadId, shared) => driver.remove(threadId, shared === "refuse" ? "keep" : shared)
    })
  },
  {
    name: "does not say what it keeps, or for whom",
    noticed: ["delete.keep"],
    driver: (driver) => ({
      ...driver,
      remove: (threadId, shared) =>
        Effect.map(driver.remove(threadId, shared), ({ kept }) => ({ kept: kept.map((one) => ({ ...one, for: [] })) }))
    })
  },
  {
    name: "says that it deleted what was not there",
    noticed: ["1", "67"],
    random: true,
    driver: (driver) => ({
      ...driver,
      remove: (threadId, shared) =>
        Effect.catchTag(driver.remove(threadId, shared), "ThreadNotFound", () => Effect.succeed({ kept: [] }))
    })
  }
]

/** A store that tells followers something else. */
const telling =
  (change: (one: Followed, i: number) => ReadonlyArray<Followed>) =>
  (store: ThreadStoreService): ThreadStoreService => ({
    ...store,
    follow: (...args) =>
      Stream.suspend(() => {
        let count = 0
        return Stream.mapConcat(store.follow(...args), (one) => change(one, count++))
      })
  })

const services: ReadonlyArray<Mutant> = [
  {
    name: "tells a follower every record twice",
    noticed: ["follow.1", "follow.3"],
    service: telling((one) => (one._tag === "Record" ? [one, one] : [one]))
  },
  {
    name: "keeps a record from its followers",
    noticed: ["follow.1", "follow.3"],
    service: telling((one, i) => (one._tag === "Record" && i % 4 === 3 ? [] : [one]))
  },
  {
    name: "tells followers nothing of what comes",
    noticed: ["follow.1"],
    service: (store) => ({
      ...store,
      follow: (...args) =>
        Stream.concat(
          Stream.takeUntil(store.follow(...args), ({ _tag }) => _tag === "CaughtUp"),
          Stream.never
        )
    })
  },
  {
    name: "never says that a follower has caught up",
    noticed: ["follow.1", "follow.2"],
    service: telling((one) => (one._tag === "CaughtUp" ? [] : [one]))
  },
  {
    name: "says after every record that the follower has caught up",
    noticed: ["follow.1"],
    service: telling((one) => (one._tag === "Record" ? [one, { _tag: "CaughtUp", position: one.row.position }] : [one]))
  },
  {
    name: "does not tell followers of a revert",
    noticed: ["follow.4", "follow.5"],
    service: telling((one) => (one._tag === "Switched" ? [] : [one]))
  },
  {
    name: "tells followers that nothing is in common",
    noticed: ["follow.4"],
    service: telling((one) => [one._tag === "Switched" ? { ...one, commonEnd: undefined } : one])
  },
  {
    name: "ends following quietly when the thread is deleted",
    noticed: ["follow.6"],
    service: (store) => ({
      ...store,
      follow: (...args) => Stream.catchTag(store.follow(...args), "ThreadNotFound", () => Stream.empty)
    })
  },
  {
    name: "forgets the id of an operation",
    noticed: ["11", "append.4", "append.7"],
    random: true,
    service: (store) => ({
      ...store,
      append: (threadId, records, options) => store.append(threadId, records, { ...options, operationId: undefined })
    })
  },
  {
    name: "reads from the start, whatever place is named",
    noticed: ["position.1", "position.2"],
    random: true,
    service: (store) => ({ ...store, read: (threadId, range) => store.read(threadId, { ...range, after: undefined }) })
  },
  {
    name: "deletes one thread and leaves those below it",
    noticed: ["69"],
    random: true,
    service: (store) => ({
      ...store,
      delete: (threadId, options) => store.delete(threadId, { ...options, subtree: false })
    })
  },
  {
    name: "searches one page and no further",
    noticed: ["63"],
    service: (store) => ({
      ...store,
      search: (term, query) => Effect.map(store.search(term, query), (page) => ({ ...page, nextCursor: undefined }))
    })
  },
  {
    name: "does not report what it could not search",
    noticed: ["19", "63"],
    service: (store) => ({
      ...store,
      search: (term, query) => Effect.map(store.search(term, query), (page) => ({ ...page, failures: [] }))
    })
  },
  {
    name: "shows no turns behind the first page",
    noticed: ["89"],
    random: true,
    service: (store) => ({
      ...store,
      turns: (threadId, request) =>
        Effect.map(store.turns(threadId, request), (page) => ({ ...page, nextCursor: undefined }))
    })
  },
  {
    name: "gives no more than one item of a page",
    noticed: ["86", "89"],
    service: (store) => ({
      ...store,
      items: (threadId, request) =>
        Effect.map(store.items(threadId, request), (page) => ({ ...page, items: page.items.slice(0, 1) }))
    })
  }
]

/** All of them. */
export const all: ReadonlyArray<Mutant> = [
  ...writing,
  ...leases,
  ...branches,
  ...reads,
  ...bytes,
  ...lists,
  ...explicits,
  ...deletions,
  ...services
]
