/** How each verb is asked, for its help: the words behind `skein`, and what they come to. */
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Span from "@effect/cli/HelpDoc/Span"
import type { Verb } from "./Verbs.js"

/** A command as a user types it, without `skein` in front, and what it does. */
export type Example = readonly [words: string, meaning: string]

/** Examples of one thing. */
export type Examples = readonly [Example, ...ReadonlyArray<Example>]

const id = "01a1f8cc-e08d-7c83-8ca7-133ec5b8ea3d"
const home = "fs:$HOME/.codex"

/** Examples of the verbs. They are in the words of a POSIX shell. */
export const of: Readonly<Record<Verb, Examples>> = {
  show: [
    ["show rollout.jsonl", "what the user saw, as a transcript"],
    ["show --items --json rollout.jsonl", "every item as JSON, a line for each file"],
    [`show --store ${home} --at 120 ${id}`, "a thread of a Codex home as it stood behind line 120"]
  ],
  diff: [
    ["diff --from 62 rollout.jsonl", "what changed since line 62"],
    ["diff --from 2026-11-20T12:00:00Z --to 2026-11-20T13:00:00Z rollout.jsonl", "what changed within an hour"]
  ],
  context: [
    ["context rollout.jsonl", "what the model must see next, drawn for a person"],
    ["context --json rollout.jsonl", "the same as a document; prompt is the input of a request"]
  ],
  world: [
    ["world rollout.jsonl", "what the model was told of its world"],
    ["world --changes --json rollout.jsonl", "how it came to be, as JSON patches"]
  ],
  windows: [["windows rollout.jsonl", "the context windows of a thread and what opened each"]],
  verify: [
    ["verify rollout.jsonl", "every problem of a file"],
    [`verify --store ${home}`, "of all threads of a store"],
    ["verify --json $HOME/.codex", "of every rollout below a folder, a document for each"]
  ],
  tree: [
    ["tree $HOME/.codex", "the agents of a Codex home by parent"],
    ["tree --store sqlite:threads.db --json", "those of a database, as a document"]
  ],
  demo: [
    ["demo", "the bundled samples"],
    ["demo $HOME/.codex", "the newest threads of a Codex home"]
  ],
  ls: [
    [`ls --store ${home}`, "the newest threads"],
    [`ls --store ${home} --cwd "$PWD" --sort recency`, "those of this folder, the last used first"],
    [`ls --store ${home} --tree`, "all of them, each below the one that spawned it"]
  ],
  search: [
    [`search --store ${home} "login page"`, "the threads in which somebody said it"],
    [`search --store ${home} --archived --json login`, "the same of archived threads, as a document"]
  ],
  rename: [[`rename --store ${home} ${id} "The login page"`, "gives a thread a name"]],
  archive: [[`archive --store ${home} ${id}`, "moves a thread into the archive"]],
  unarchive: [[`unarchive --store ${home} ${id}`, "takes it out again"]],
  rm: [
    [`rm --store ${home} ${id}`, "deletes a thread and those below it, once you have said yes"],
    [`rm --store ${home} --only --yes ${id}`, "deletes the thread alone, without asking"]
  ],
  copy: [
    [`copy --from ${home} --to sqlite:threads.db`, "all threads into a database, once you have said yes"],
    [`copy --from ${home} --to memory: --yes`, "a rehearsal: everything is read and nothing kept"]
  ],
  backup: [["backup --store sqlite:threads.db --to backup.db", "a copy of a database that is in use"]],
  compress: [
    [`compress --store ${home} --dry-run`, "what would be compressed, and what that would save"],
    [`compress --store ${home} --older-than 7d --yes`, "threads that nobody touched for a week, without asking"]
  ],
  decompress: [
    [`decompress --store ${home} ${id}`, "makes a thread plain again"],
    [`decompress --store ${home}`, "all of them"]
  ],
  doctor: [
    [`doctor --store ${home}`, "what is wrong with a store, and what to do about it"],
    ["doctor --store sqlite:threads.db --repair", "does what is safe, and backs up what it changes"]
  ],
  init: [
    ["init my-host", "a host with promises, in a new folder"],
    ["init --flavour effect my-host", "the same with Effect"],
    ["init --from ../packed my-host", "with the packages from archives in a folder"]
  ]
}

/** Examples of the command as a whole. */
export const overall: Examples = [
  ["show rollout.jsonl", "what the user saw"],
  ["context --json rollout.jsonl", "what the model must see next"],
  [`ls --store ${home}`, "the threads of a Codex home"],
  ["show --help", "the words of a verb"]
]

/** Examples as the end of a help page. */
export const section = ([first, ...rest]: Examples): HelpDoc.HelpDoc =>
  HelpDoc.sequence(HelpDoc.h1("EXAMPLES"), HelpDoc.descriptionList([told(first), ...rest.map(told)]))

const told = ([words, meaning]: Example): [Span.Span, HelpDoc.HelpDoc] => [
  Span.text(`$ skein ${words}`),
  HelpDoc.p(meaning)
]
