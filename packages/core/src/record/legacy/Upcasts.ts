/** The older shapes in the order in which they are tried. */
import { compactionSummary } from "./CompactionSummary.js"
import { eventAliases } from "./EventAliases.js"
import { flatDynamicTools } from "./FlatDynamicTools.js"
import { numericWindowId } from "./NumericWindowId.js"
import { replacementHistory } from "./ReplacementHistory.js"
import { sandboxMode } from "./SandboxMode.js"
import { sessionWithoutSessionId } from "./SessionWithoutSessionId.js"
import { contextAliases, eventSettingAliases } from "./SettingAliases.js"
import { unrecognizedCallAction, unrecognizedEventAction } from "./Unrecognized.js"
import { untypedPermissionProfile, untypedSettingsProfile } from "./UntypedPermissionProfile.js"
import type { Upcast } from "./Upcast.js"

/** Every upcast; a profile is tagged before its values are renamed, an event renamed before its values are. */
export const all: ReadonlyArray<Upcast> = [
  sessionWithoutSessionId,
  flatDynamicTools,
  compactionSummary,
  unrecognizedCallAction,
  eventAliases,
  untypedSettingsProfile,
  eventSettingAliases,
  unrecognizedEventAction,
  sandboxMode,
  untypedPermissionProfile,
  contextAliases,
  numericWindowId,
  replacementHistory
]

const byKind: ReadonlyMap<string, ReadonlyArray<Upcast>> = new Map(
  [...new Set(all.map((upcast) => upcast.kind))].map((kind) => [kind, all.filter((upcast) => upcast.kind === kind)])
)

/** The older shapes of a record type, in order. */
export const forKind = (kind: string): ReadonlyArray<Upcast> => byKind.get(kind) ?? []
