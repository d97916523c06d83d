/** `skein doctor`: what is wrong with a store, what to do about it, and doing what is safe. */
import type { FileSystem, Path } from "@effect/platform"
import type { StoreError } from "@skein/store/StoreError"
import { Effect, Ref } from "effect"
import type { Finding, Repair } from "../doctor/Finding.js"
import * as Findings from "../doctor/Finding.js"
import * as Output from "../Output.js"
import * as Store from "../Store.js"
import * as Text from "../Text.js"

/** What `skein doctor --json` prints. */
export interface DoctorDocument {
  readonly store: string
  readonly findings: ReadonlyArray<Finding>
  /** What `--repair` did; null without it. */
  readonly repair: Repair | null
  /** What is still there after it; null without it. */
  readonly remaining: ReadonlyArray<Finding> | null
}

/** Prints what is wrong; the exit code is 1 when a fault is left. */
export const doctor = (
  address: Store.Address,
  { json, repair }: { readonly json: boolean; readonly repair: boolean },
  status: Ref.Ref<number>
) =>
  Effect.gen(function* () {
    const store = Store.format(address)
    yield* Store.present(address)
    const doctor = yield* doctorOf(address)
    const findings = yield* doctor.check.pipe(Output.busy(`looking at ${store}`))
    const done = repair && findings.some(Findings.isFault) ? yield* doctor.repair(findings) : undefined
    const remaining = done === undefined ? undefined : yield* doctor.check.pipe(Output.busy("looking again"))
    const document: DoctorDocument = {
      store,
      findings,
      repair: repair ? (done ?? { backup: null, done: [], losses: [] }) : null,
      remaining: repair ? (remaining ?? findings) : null
    }
    if ((remaining ?? findings).some(Findings.isFault)) yield* Ref.set(status, 1)
    yield* json ? Output.document(document) : Output.print(render(document, Output.style()))
  }).pipe(Effect.catchAll((refused) => Output.refuse(Store.format(address), refused, json, status)))

/** Who looks at a kind of store, and what may go wrong while doing so. */
interface Doctor {
  readonly check: Effect.Effect<ReadonlyArray<Finding>, StoreError, Environment>
  readonly repair: (findings: ReadonlyArray<Finding>) => Effect.Effect<Repair, StoreError, Environment>
}

type Environment = FileSystem.FileSystem | Path.Path

/** The doctor for a kind of store, loaded when it is called. */
const doctorOf = ({ kind, path }: Store.Address): Effect.Effect<Doctor> => {
  switch (kind) {
    case "sqlite":
      return Effect.map(
        Effect.promise(() => import("../doctor/Database.js")),
        ({ check, repair }): Doctor => ({ check: check(path), repair: () => repair(path) })
      )
    case "fs":
      return Effect.map(
        Effect.promise(() => import("../doctor/Files.js")),
        ({ check, repair }): Doctor => ({ check: check(path), repair: (findings) => repair(path, findings) })
      )
    default:
      return Effect.succeed<Doctor>({ check: Effect.succeed([]), repair: () => Effect.succeed(nothing) })
  }
}

const nothing: Repair = { backup: null, done: [], losses: [] }

const severities: ReadonlyArray<Findings.Severity> = ["error", "warning", "info"]

const render = ({ findings, remaining, repair, store }: DoctorDocument, style: Text.Style): string => {
  const faults = findings.filter(Findings.isFault).length
  const left = (remaining ?? []).filter(Findings.isFault).length
  return Text.lines([
    `${style.strong(store)}: ${faults === 0 ? style.good("nothing is wrong") : style.bad(Text.plural(faults, "problem"))}`,
    ...severities.flatMap((severity) =>
      findings.filter((one) => one.severity === severity).flatMap((one) => lines(one, style))
    ),
    ...(repair === null || faults === 0 ? [] : repairLines(repair, left, style))
  ])
}

const lines = (
  { advice, code, line, message, offset, path, severity, threadId }: Finding,
  style: Text.Style
): ReadonlyArray<string> => {
  const mark = { error: style.bad, warning: style.warn, info: style.dim }[severity](severity)
  const place = [
    threadId === null || path?.includes(threadId) === true ? undefined : `thread ${threadId}`,
    path ?? undefined,
    line === null ? undefined : `line ${line}`,
    offset === null ? undefined : `byte ${offset}`
  ].filter((part) => part !== undefined)
  return [
    `  ${mark} ${place.length === 0 ? "" : `${place.join(", ")}: `}${Text.brief(message, 400)} [${code}]`,
    ...(advice === null ? [] : [`    ${advice}`])
  ]
}

const repairLines = ({ backup, done, losses }: Repair, left: number, style: Text.Style): ReadonlyArray<string> => [
  ...done.map((one) => `  ${style.good("done")} ${one}`),
  ...losses.map((one) => `  ${style.bad("lost")} ${one}`),
  ...(backup === null ? [] : [`  what was changed is kept as it was in ${backup}`]),
  left === 0 ? style.good("  nothing is wrong any more") : style.warn(`  ${Text.plural(left, "problem")} left`)
]
