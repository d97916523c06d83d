/** `skein doctor`: what is wrong with a store, what to do about it, and doing what is safe. */
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
    const done = repair && findings.some(Findings.isFault) ? yield* doctor.repair : undefined
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

/** The doctor for a kind of store, loaded when it is called. */
const doctorOf = ({ kind, path }: Store.Address) =>
  Effect.gen(function* () {
    if (kind === "sqlite") {
      const database = yield* Effect.promise(() => import("../doctor/Database.js"))
      return { check: database.check(path), repair: database.repair(path) }
    }
    if (kind === "fs") {
      const files = yield* Effect.promise(() => import("../doctor/Files.js"))
      return { check: files.check(path), repair: files.repair(path) }
    }
    return { check: Effect.succeed<ReadonlyArray<Finding>>([]), repair: Effect.succeed(nothing) }
  })

const nothing: Repair = { backup: null, done: [], losses: [] }

const render = ({ findings, remaining, repair, store }: DoctorDocument, style: Text.Style): string => {
  const faults = findings.filter(Findings.isFault).length
  const left = (remaining ?? []).filter(Findings.isFault).length
  return Text.lines([
    `${style.strong(store)}: ${faults === 0 ? style.good("nothing is wrong") : style.bad(Text.plural(faults, "problem"))}`,
    ...findings.flatMap((one) => lines(one, style)),
    ...(repair === null || faults === 0 ? [] : repairLines(repair, left, style))
  ])
}

const lines = (
  { advice, code, line, message, offset, path, severity, threadId }: Finding,
  style: Text.Style
): ReadonlyArray<string> => {
  const mark = { error: style.bad, warning: style.warn, info: style.dim }[severity](severity)
  const place = [
    threadId === null ? undefined : `thread ${threadId}`,
    path === null || path === threadId ? undefined : path,
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
