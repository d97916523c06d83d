/** All subjects, ours first. */
import { join } from "node:path"
import * as Bare from "./Bare.js"
import * as Emmett from "./Emmett.js"
import * as LangGraph from "./LangGraph.js"
import * as Peers from "./Peers.js"
import * as Skein from "./Skein.js"
import type { Subject } from "./Subject.js"

/** The peers that have to be installed first, and what is printed of their versions. */
export const peers = {
  langgraph: ["@langchain/langgraph", "@langchain/langgraph-checkpoint-sqlite"],
  emmett: ["@event-driven-io/emmett", "@event-driven-io/emmett-sqlite"]
} as const

export type Peer = keyof typeof peers

/** @param pinned The folder with a folder for each peer, in which its versions are pinned. */
export const all = (pinned: string): ReadonlyArray<Subject> => {
  const folder = (name: Peer) => () => Peers.install(name, join(pinned, name))
  return [
    ...Skein.subjects,
    ...LangGraph.subjects(folder("langgraph")),
    ...Emmett.subjects(folder("emmett")),
    ...Bare.subjects
  ]
}

/** The peer that a subject needs. */
export const peerOf = (subject: Subject): Peer | undefined => {
  const [first = ""] = subject.name.split("-")
  return first in peers ? (first as Peer) : undefined
}
