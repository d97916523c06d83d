/** How threads come about: started, forked, spawned, brought from elsewhere. Each is made in one step of the store. */
import * as Agents from "@skein/core/decide/Agents"
import type { Draft } from "@skein/core/decide/Draft"
import * as Drafts from "@skein/core/decide/Draft"
import * as Fork from "@skein/core/decide/Fork"
import * as NewThread from "@skein/core/decide/NewThread"
import * as Originator from "@skein/core/decide/Originator"
import * as ModelContext from "@skein/core/fold/ModelContext"
import * as MultiAgent from "@skein/core/fold/MultiAgent"
import * as WindowStates from "@skein/core/fold/WindowState"
import * as Record from "@skein/core/record/Record"
import type { SessionMeta } from "@skein/core/record/SessionMeta"
import * as EffectiveLog from "@skein/store/EffectiveLog"
import type { Position } from "@skein/store/Position"
import * as Positions from "@skein/store/Position"
import { InvalidRequest, type ReadError, type StoreUnavailable, ThreadAlreadyExists } from "@skein/store/StoreError"
import type { Explicit } from "@skein/store/Summary"
import { Effect } from "effect"
import type { Chat } from "../Chat.js"
import * as Chats from "../Chat.js"
import type { CreateError, OpenError } from "../EngineError.js"
import type { Options } from "../Options.js"
import * as Redaction from "../Redaction.js"
import type { ForkOptions, SpawnOptions, StartOptions } from "../Threads.js"
import type { TurnSettings } from "../Turn.js"
import * as Facts from "./Facts.js"
import type { Homes } from "./Homes.js"
import * as Homesteads from "./Homes.js"
import type { Live } from "./Live.js"
import * as Lives from "./Live.js"
import * as Loading from "./Loading.js"

import * as States from "./State.js"

/** A header, as a draft of its kind. */
type Header = Record.Draft<"session_meta">

const headerOf = (
  host: Options,
  options: StartOptions,
  more: Omit<NewThread.Command, keyof StartOptions>,
  ids: { readonly threadId: string; readonly windowId: string },
  at: Facts.Facts,
  source?: SessionMeta
): Effect.Effect<Header, CreateError> =>
  Effect.gen(function* () {
    const { environment, processDefault = NewThread.defaults.originator, rule } = host.originator ?? {}
    const originator = Originator.resolve(
      {
        environment,
        processDefault,
        serviceName: options.serviceName,
        persisted: source?.originator,
        inherited: source?.originator
      },
      more.opening?.kind === "fork" ? "fork" : "new",
      rule
    )
    const { instructions } = options
    const draft = yield* NewThread.header(
      {
        cwd: options.cwd,
        version: options.version,
        source: options.source,
        threadSource: options.threadSource,
        modelProvider: options.modelProvider,
        dynamicTools: options.dynamicTools,
        memoryMode: options.memoryMode,
        multiAgentVersion: options.multiAgentVersion,
        git: options.git,
        capabilityRoots: options.capabilityRoots,
        historyMode: options.historyMode,
        baseInstructions: instructions === undefined ? undefined : { text: instructions },
        originator,
        ...more
      },
      { ...at, ...ids }
    )
    const [redacted = draft] = yield* Redaction.apply(host.redact, [draft])
    return redacted as Header
  })

const explicitOf = ({ metadata, name }: StartOptions): Explicit => ({
  ...(name === undefined ? {} : { name }),
  ...(metadata === undefined ? {} : { metadata })
})

/** Writes a new thread and gives its id. */
const created = (
  homes: Homes,
  header: Header,
  records: ReadonlyArray<Draft>,
  { ephemeral = false, ...options }: StartOptions
): Effect.Effect<string, CreateError> =>
  Effect.suspend(() => {
    const { id } = header.payload
    const explicit = explicitOf(options)
    return ephemeral
      ? adopted(homes, id, homes.ephemeral.create(header, records, { explicit }))
      : Effect.as(homes.of(id).create(header, records, { explicit }), id)
  })

/** Makes a thread that is kept nowhere; one that could not be made leaves nothing behind. */
const adopted = <A, E>(
  homes: Homes,
  id: string,
  make: Effect.Effect<A, E>
): Effect.Effect<string, E | ThreadAlreadyExists | StoreUnavailable> =>
  homes.isEphemeral(id)
    ? Effect.fail(new ThreadAlreadyExists({ threadId: id }))
    : Effect.zipRight(
        homes.adopt(id),
        Effect.as(
          Effect.onError(make, () => homes.letGo(id)),
          id
        )
      )

/** Makes a thread without records. */
export const start = (homes: Homes, host: Options, options: StartOptions): Effect.Effect<string, CreateError> =>
  Effect.gen(function* () {
    const at = yield* Facts.now
    const multiAgentVersion =
      options.multiAgentVersion ?? MultiAgent.initial(host.agents?.override, { kind: "new" }, undefined)
    const ids = { threadId: options.id ?? at.turnId, windowId: at.windowId }
    const header = yield* headerOf(host, { ...options, multiAgentVersion }, {}, ids, at)
    return yield* created(homes, header, [], options)
  })

/** Makes a thread of a conversation. */
export const imported = (
  homes: Homes,
  host: Options,
  messages: ReadonlyArray<Chat>,
  options: StartOptions & { readonly settings: TurnSettings }
): Effect.Effect<string, CreateError> =>
  Effect.gen(function* () {
    const at = yield* Facts.now
    const { instructions, rest } = Chats.split(messages)
    const ids = { threadId: options.id ?? at.turnId, windowId: at.windowId }
    const header = yield* headerOf(
      host,
      { ...options, instructions: options.instructions ?? instructions },
      {},
      ids,
      at
    )
    const folds = States.folds(host)
    const begun = folds.step(folds.initial, Record.reread(header)).state
    const drafts = yield* Drafts.sequence(folds.near, begun, yield* Chats.steps(rest, options.settings, at))
    return yield* created(homes, header, yield* Redaction.apply(host.redact, drafts), options)
  })

/** What a fork stands on. */
interface Cut {
  /** Undefined: nothing. */
  readonly position: Position | undefined
  readonly drafts: ReadonlyArray<Draft>
}

/** Makes a thread that begins as another one is. */
export const fork = (
  homes: Homes,
  host: Options,
  source: string,
  options: ForkOptions
): Effect.Effect<string, CreateError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const at = yield* Facts.now
      const home = homes.of(source)
      const isEphemeral = homes.isEphemeral(source)
      if (isEphemeral && options.ephemeral === false) {
        return yield* Effect.fail(
          new InvalidRequest({
            field: "ephemeral",
            reason: `thread ${source} is kept nowhere, and so are its forks`,
            advice: "Leave it out."
          })
        )
      }
      const log = yield* home.open(source)
      const meta = log.meta?.payload
      if (meta === undefined) {
        return yield* Effect.fail(
          new InvalidRequest({
            field: "source",
            reason: `thread ${source} has no header that can be read`,
            advice: "Repair it first."
          })
        )
      }
      const { drafts, position } = yield* cutOf(log, host, options, at)
      const windowId = position === undefined ? at.windowId : yield* windowAt(log, position, host, at)
      const ids = { threadId: options.id ?? at.turnId, windowId }
      const header = yield* headerOf(host, options, { opening: { kind: "fork", source: meta } }, ids, at, meta)
      const records = yield* Redaction.apply(host.redact, drafts)
      const { id } = header.payload
      const ephemeral = isEphemeral || options.ephemeral === true
      if (position === undefined) return yield* created(homes, header, records, { ...options, ephemeral })
      if (!ephemeral) yield* home.fork(source, { at: position, header, records })
      else if (isEphemeral) yield* adopted(homes, id, home.fork(source, { at: position, header, records }))
      else {
        yield* homes.copy(at.fresh, meta.history_mode ?? "legacy", yield* cut(log, position))
        const fork = homes.ephemeral.fork(at.fresh, { header, records })
        yield* Effect.ensuring(adopted(homes, id, fork), homes.letGo(at.fresh))
      }
      const explicit = explicitOf(options)
      if (Object.keys(explicit).length > 0) yield* homes.of(id).updateSummary(id, explicit)
      return id
    })
  )

type Log = EffectiveLog.EffectiveLog<ReadError>

const cut = (log: Log, { offset, segmentId }: Position): Effect.Effect<Log> =>
  Effect.sync(() =>
    EffectiveLog.cut(
      log,
      log.pieces.findIndex((piece) => piece.segmentId === segmentId),
      offset
    )
  )

const cutOf = (log: Log, host: Options, options: ForkOptions, at: Facts.Facts): Effect.Effect<Cut, OpenError> =>
  Effect.gen(function* () {
    const where = options.at ?? { at: "now" }
    if (where.at === "now") {
      // The end is known without the way there.
      const { position, state } = yield* Loading.load(log, host, "settled")
      const { drafts } = yield* Fork.user({ marker: Lives.markerOf(state), ...where }, state, at)
      return { position, drafts }
    }
    const folds = States.folds(host)
    let state = folds.initial
    const [first] = log.pieces
    const begin = Positions.make(first?.segmentId ?? "", first?.from ?? 0)
    const positions: Array<Position> = []
    yield* EffectiveLog.forward(log, (decoded, piece) => {
      if (!EffectiveLog.isRecord(decoded)) return true
      state = folds.step(state, decoded).state
      const segmentId = log.pieces[piece]?.segmentId
      // A header that is handed on first stands in front of what is inherited.
      const isFirst = segmentId === undefined || (piece > 0 && decoded === log.meta)
      positions.push(isFirst ? begin : Positions.behind(segmentId, decoded.line))
      return true
    })
    const { drafts, end } = yield* Fork.user(where, state, at)
    const position = end === 0 ? undefined : positions[end - 1]
    return { position: position?.offset === 0 ? undefined : position, drafts }
  })

/** The id of the open window at a place: a fork within window 0 goes on in that one (replay-semantics §11.6). */
const windowAt = (log: Log, position: Position, host: Options, at: Facts.Facts): Effect.Effect<string, ReadError> =>
  Effect.gen(function* () {
    const { state } = yield* Loading.load(yield* cut(log, position), host, "window")
    const { complete, window } = ModelContext.readState(state.context, host)
    const { id } = WindowStates.named(state.window, window)
    return complete.window && window.number === 0 && id !== undefined ? id : at.windowId
  })

/** Makes an agent below another one. Gives its id and path. */
export const spawn = (
  homes: Homes,
  host: Options,
  parent: Live,
  living: Agents.Living,
  path: string,
  options: SpawnOptions
): Effect.Effect<{ readonly id: string; readonly path: string }, CreateError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const at = yield* Facts.now
      const child = yield* Agents.spawn(path, options.taskName, living)
      const text = options.turns === undefined ? undefined : String(options.turns)
      const turns = yield* Fork.turnsOf(text, options.role)
      const log = yield* parent.store.open(parent.id)
      const meta = log.meta?.payload
      if (meta === undefined) {
        return yield* Effect.fail(
          new InvalidRequest({
            field: "parent",
            reason: `thread ${parent.id} has no header that can be read`,
            advice: "Repair it first."
          })
        )
      }
      const inherits = turns !== "none"
      const command = {
        turns,
        hints: options.hints?.parent,
        ownHint: options.hints?.child,
        registry: host.registry
      }
      const inherited = inherits ? Fork.spawn(command, yield* Loading.records(log), at) : { records: [], drafts: [] }
      const copied = Homesteads.draftsOf(inherited.records)
      const records = [...copied, ...(yield* Redaction.apply(host.redact, inherited.drafts))]
      const context = ModelContext.readState(parent.state().context, host)
      const version = context.multiAgentVersion ?? undefined
      const multiAgentVersion =
        options.multiAgentVersion ??
        MultiAgent.initial(
          host.agents?.override,
          inherits && version !== undefined ? { kind: "forked", version } : { kind: "new" },
          version
        )
      const { id: windowId = at.windowId } =
        turns === "all" && context.window.number === 0 ? context.window : { id: at.windowId }
      const header = yield* headerOf(
        host,
        { ...options, multiAgentVersion },
        {
          opening: { kind: "spawn", parent: meta, inherits },
          agent: { path: child, nickname: options.nickname, role: options.role }
        },
        { threadId: options.id ?? at.turnId, windowId },
        at,
        meta
      )
      const ephemeral = homes.isEphemeral(parent.id)
      const id = yield* created(homes, withPrefix(header, records.length), records, { ...options, ephemeral })
      return { id, path: child }
    })
  )

/** In a paginated log the header says where what was inherited ends (replay-semantics §5.3). */
const withPrefix = (header: Header, inherited: number): Header =>
  header.payload.history_mode === "paginated" && inherited > 0
    ? { ...header, payload: { ...header.payload, subagent_history_start_ordinal: inherited + 1 } }
    : header
