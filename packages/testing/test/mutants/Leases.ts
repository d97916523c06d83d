/** Stores that get the right to append wrong. */
import { Effect } from "effect"

import type { Mutant } from "./Mutant.js"

export const mutants: ReadonlyArray<Mutant> = [
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
