/**
 * Who a thread is and what it has from others: session, parent, source, capability roots (replay-semantics §5.3).
 */
import { canonicalUuid } from "../record/Primitive.js"
import type { CapabilityRoot, HistoryMode, SessionMeta } from "../record/SessionMeta.js"
import * as SessionMetaOps from "../record/SessionMeta.js"

/**
 * How a thread comes about. Headers are the first ones of their threads: copies further down say nothing of them.
 */
export type Opening =
  | { readonly kind: "new" }
  /** A user's fork. */
  | { readonly kind: "fork"; readonly source: SessionMeta }
  /** An agent that another one starts: with its history, or with nothing of it. */
  | { readonly kind: "spawn"; readonly parent: SessionMeta; readonly inherits: boolean }

/** What follows from how a thread comes about. */
export interface Identity {
  readonly session_id: string
  readonly forked_from_id: string | undefined
  readonly parent_thread_id: string | undefined
  readonly selected_capability_roots: ReadonlyArray<CapabilityRoot>
  readonly history_mode: HistoryMode
}

/** What a host says itself. Roots, an empty list too, take the place of inherited ones. */
export interface Options {
  readonly capabilityRoots?: ReadonlyArray<CapabilityRoot> | undefined
  /** Of a thread that has it from nobody. Default `legacy`. */
  readonly historyMode?: HistoryMode | undefined
}

/** The identity of a thread with this id. Cost: constant. */
export const of = (id: string, opening: Opening, options: Options = {}): Identity => {
  const own = canonicalUuid(id)
  const { capabilityRoots, historyMode = "legacy" } = options
  switch (opening.kind) {
    case "new":
      return {
        session_id: own,
        forked_from_id: undefined,
        parent_thread_id: undefined,
        selected_capability_roots: capabilityRoots ?? [],
        history_mode: historyMode
      }
    case "fork": {
      const { source } = opening
      return {
        session_id: own,
        forked_from_id: canonicalUuid(source.id),
        parent_thread_id: undefined,
        selected_capability_roots: capabilityRoots ?? source.selected_capability_roots ?? [],
        history_mode: SessionMetaOps.historyMode(source)
      }
    }
    case "spawn": {
      const { inherits, parent } = opening
      const parentId = canonicalUuid(parent.id)
      return {
        session_id: canonicalUuid(parent.session_id),
        forked_from_id: inherits ? parentId : undefined,
        parent_thread_id: parentId,
        selected_capability_roots: capabilityRoots ?? (inherits ? (parent.selected_capability_roots ?? []) : []),
        history_mode: SessionMetaOps.historyMode(parent)
      }
    }
  }
}

/**
 * The session of a thread that is resumed: as its first header says. Headers of old logs name none, which reads as the
 * thread's own id; of a sub-agent that is taken for the session of its tree, which its live parent knows (invariant 38).
 *
 * @param tree The session of the tree, where it is known.
 */
export const resumedSession = (meta: SessionMeta, tree: string | undefined): string => {
  const own = canonicalUuid(meta.id)
  const stored = canonicalUuid(meta.session_id)
  const isSubAgent = parentOf(meta) !== undefined
  return isSubAgent && stored === own && tree !== undefined ? canonicalUuid(tree) : stored
}

/** The thread that spawned another, as its header says in one of two places. */
export const parentOf = (meta: SessionMeta): string | undefined => {
  const source = SessionMetaOps.source(meta)
  const spawn =
    typeof source === "object" && "subagent" in source && typeof source.subagent === "object"
      ? source.subagent
      : undefined
  const parent =
    meta.parent_thread_id ??
    (spawn !== undefined && "thread_spawn" in spawn ? spawn.thread_spawn.parent_thread_id : undefined)
  return parent === undefined ? undefined : canonicalUuid(parent)
}
