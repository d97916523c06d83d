/**
 * Why something failed (rollout-format §5.1). An unknown `codex_error_info` reads as `other`, as 0.169.0 has it; July
 * rejected the line.
 */
import * as Schema from "effect/Schema"
import { Unsigned16 } from "./Integer.js"
import * as Shape from "./Shape.js"

const status = Schema.Struct({ http_status_code: Shape.nullable(Unsigned16) })

/** The causes that this version knows (rollout-format §5.1). */
export const ErrorInfo = Schema.Union(
  Schema.Literal(
    "context_window_exceeded",
    "session_budget_exceeded",
    "usage_limit_exceeded",
    "server_overloaded",
    "cyber_policy",
    "internal_server_error",
    "unauthorized",
    "bad_request",
    "sandbox_error",
    "thread_rollback_failed",
    "other"
  ),
  Schema.Struct({ http_connection_failed: status }),
  Schema.Struct({ response_stream_connection_failed: status }),
  Schema.Struct({ response_stream_disconnected: status }),
  Schema.Struct({ response_too_many_failed_attempts: status }),
  Schema.Struct({ active_turn_not_steerable: Schema.Struct({ turn_kind: Schema.Literal("review", "compact") }) })
)
export type ErrorInfo = typeof ErrorInfo.Type

/** A failure as records carry it; `codex_error_info` may hold a value that this version does not know. */
export const ErrorBody = Shape.struct({
  message: Schema.String,
  codex_error_info: Shape.nullable(Shape.json)
})
export type ErrorBody = Shape.TypeOf<typeof ErrorBody>

const isErrorInfo = Shape.compile(ErrorInfo) as (value: unknown) => value is ErrorInfo

/** The cause that a record names; an unknown one is `other`, none is `undefined`. */
export const of = (body: { readonly codex_error_info?: unknown }): ErrorInfo | undefined => {
  const value = body.codex_error_info ?? undefined
  return value === undefined || isErrorInfo(value) ? value : "other"
}
