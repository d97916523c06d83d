/** A turn as clients see it (thread-view §1.2). */
import type { ErrorBody, ErrorInfo } from "../../record/ErrorInfo.js"
import * as Info from "../../record/ErrorInfo.js"
import type { ThreadItem } from "./ThreadItem.js"

/** How a turn stands. */
export type TurnStatus = "inProgress" | "completed" | "interrupted" | "failed"

type HttpStatus = { readonly httpStatusCode: number | null }

/** Why a turn failed: a bare cause, or one with what belongs to it. */
export type CodexErrorInfo =
  | "contextWindowExceeded"
  | "sessionBudgetExceeded"
  | "usageLimitExceeded"
  | "serverOverloaded"
  | "cyberPolicy"
  | "internalServerError"
  | "unauthorized"
  | "badRequest"
  | "threadRollbackFailed"
  | "sandboxError"
  | "other"
  | { readonly httpConnectionFailed: HttpStatus }
  | { readonly responseStreamConnectionFailed: HttpStatus }
  | { readonly responseStreamDisconnected: HttpStatus }
  | { readonly responseTooManyFailedAttempts: HttpStatus }
  | { readonly activeTurnNotSteerable: { readonly turnKind: "review" | "compact" } }

/** What a failed turn failed of; nothing in a log fills `additionalDetails`. */
export interface TurnError {
  readonly message: string
  readonly codexErrorInfo: CodexErrorInfo | null
  readonly additionalDetails: null
}

/** What is known of a turn beside its items. Times are in seconds since 1970, the duration in milliseconds. */
export interface TurnFacts {
  readonly id: string
  /** The turn that this one was started for, of 0.169.0. */
  readonly rootTurnId: string | null
  readonly status: TurnStatus
  readonly error: TurnError | null
  readonly startedAt: number | null
  readonly completedAt: number | null
  readonly durationMs: number | null
}

/** How many of a turn's items are there. */
export type ItemsView = "notLoaded" | "summary" | "full"

/** A turn with its items, in the order in which they first appeared. */
export interface Turn extends TurnFacts {
  readonly items: ReadonlyArray<ThreadItem>
  readonly itemsView: ItemsView
}

/** The error of a turn as a record tells it (thread-view §1.2). */
export const errorOf = (body: ErrorBody): TurnError => {
  const info = Info.of(body)
  return { message: body.message, codexErrorInfo: info === undefined ? null : infoOf(info), additionalDetails: null }
}

/** Whether an error fails its turn; two kinds refuse a request and leave the turn alone (thread-view §1.2). */
export const affectsStatus = (body: ErrorBody): boolean => {
  const info = Info.of(body)
  return info !== "thread_rollback_failed" && !(typeof info === "object" && "active_turn_not_steerable" in info)
}

const camel = <S extends string>(name: S): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const infoOf = (info: ErrorInfo): CodexErrorInfo => {
  if (typeof info === "string") return camel(info) as CodexErrorInfo
  if ("active_turn_not_steerable" in info) {
    return { activeTurnNotSteerable: { turnKind: info.active_turn_not_steerable.turn_kind } }
  }
  const [name = "", status] = Object.entries(info)[0] ?? []
  return { [camel(name)]: { httpStatusCode: status?.http_status_code ?? null } } as unknown as CodexErrorInfo
}

/**
 * The turn as it is shown while its thread is not active: one that never ended was interrupted (the stale-turn rule,
 * thread-view §2.2). Presentation only.
 */
export const whenIdle = (turn: Turn): Turn => (turn.status === "inProgress" ? { ...turn, status: "interrupted" } : turn)

/** The turn with fewer of its items: none, or its first user message and its last agent message (thread-view §2.6). */
export const viewedAs = (turn: Turn, itemsView: ItemsView): Turn => {
  if (itemsView === "full") return turn
  if (itemsView === "notLoaded") return { ...turn, items: [], itemsView }
  const first = turn.items.find((item) => item.type === "userMessage")
  const last = turn.items.findLast((item) => item.type === "agentMessage")
  return { ...turn, items: [first, last].filter((item) => item !== undefined), itemsView }
}
