/**
 * The steps of appending, compressing, making plain again, taking over and reading, small enough that every interleaving of
 * them can be tried, with a crash at every point (docs/decisions, on compressing without a race).
 *
 * One thread with one file. A step is what a system does at once. Content is a list of records; a file is a number. Anybody
 * who holds the lease may be taken for late at any time, which is what being stopped for however long comes to, or may die.
 */

/** What a mutant leaves out. */
export interface Without {
  /** Writers and compressor do not exclude each other. */
  readonly lease?: boolean
  /** A write counts without a look at where it went. */
  readonly look?: boolean
  /** Names are given and taken without the folder that goes when the lease does. */
  readonly fence?: boolean
  /** The compressor takes the file away before the name of the compressed one is durable. */
  readonly order?: boolean
  /** The compressor does not look again whether the file is what it encoded. */
  readonly recheck?: boolean
  /** What a holder that is gone named is not made durable by the next one. */
  readonly settle?: boolean
}

/** The names of the thread's folder: the file, or the content of a compressed one. */
interface Names {
  readonly plain: number | undefined
  readonly cold: ReadonlyArray<string> | undefined
}

/** An actor's place in its program, and what it remembers. */
interface Actor {
  readonly at: string
  readonly fence: number
  /** The file that it has open. */
  readonly file: number | undefined
  readonly content: ReadonlyArray<string> | undefined
  /** What of it lies in its folder; undefined: it has no folder, or it was made worthless. */
  readonly folder: boolean
  readonly seen: ReadonlyArray<string>
  readonly isDead: boolean
}

/** Everything. */
export interface State {
  readonly files: ReadonlyArray<ReadonlyArray<string>>
  /** Files with a second name: somebody takes them over. */
  readonly marked: ReadonlyArray<number>
  readonly names: Names
  /** What a loss of power may leave of the names: any of these. */
  readonly durable: ReadonlyArray<Names>
  readonly newest: number
  readonly holder: number | undefined
  /** Whether the holder has yet to see to it that nothing comes any more of who was late: if it dies, the next one has. */
  readonly isOwed: boolean
  readonly acked: ReadonlyArray<string>
  readonly actors: ReadonlyArray<Actor>
}

const actor = (at: string): Actor => ({
  at,
  fence: 0,
  file: undefined,
  content: undefined,
  folder: false,
  seen: [],
  isDead: false
})

/** Two writers, a compressor and a reader, over a plain file or a compressed one with one record that counts. */
export const start = (form: "plain" | "cold"): State => {
  const names: Names = form === "plain" ? { plain: 0, cold: undefined } : { plain: undefined, cold: ["a"] }
  return {
    files: form === "plain" ? [["a"]] : [],
    marked: [],
    names,
    durable: [names],
    newest: 0,
    holder: undefined,
    isOwed: false,
    acked: ["a"],
    actors: [actor("begin"), actor("begin"), actor("encode"), actor("look")]
  }
}

const [first, second, compressor, reader] = [0, 1, 2, 3]
const records = ["b", "c"]

/** What whoever opens the thread finds: the plain form counts. */
const found = ({ files }: State, { cold, plain }: Names): ReadonlyArray<string> | undefined =>
  plain === undefined ? cold : files[plain]

const holds = (content: ReadonlyArray<string> | undefined, all: ReadonlyArray<string>): boolean =>
  all.every((record) => content?.filter((one) => one === record).length === 1)

/** What is wrong with a state: something that counts would be lost, or be there twice, if everything stopped here. */
export const problem = (state: State): string | undefined => {
  for (const names of [state.names, ...state.durable]) {
    if (!holds(found(state, names), state.acked)) {
      return `${state.acked.join("")} counts, but ${found(state, names)?.join("") ?? "nothing"} is there`
    }
  }
  const read = state.actors[reader]
  if (read?.at === "end" && !holds(read.content, read.seen))
    return `a reader found ${read.content?.join("") ?? "nothing"}`
  return undefined
}

/** Every state that one step leads to. */
export const next = (state: State, without: Without): ReadonlyArray<State> =>
  state.actors.flatMap((one, i) => {
    if (one.isDead || one.at === "end") return []
    const stepped = i === reader ? read(state) : i === compressor ? compress(state, without) : write(state, i, without)
    // Who holds a lease may die; others may just as well never go on.
    const dies = i !== reader && state.holder === i ? [put(state, i, { isDead: true })] : []
    return [...stepped, ...dies]
  })

const put = (state: State, i: number, change: Partial<Actor>, rest: Partial<State> = {}): State => ({
  ...state,
  ...rest,
  actors: (rest.actors ?? state.actors).map((one, k) => (k === i ? { ...one, ...change } : one))
})

/** A change of names that is not yet durable: a loss of power leaves what was there, or this. */
const renamed = (state: State, names: Names): Partial<State> => ({
  names,
  durable: [...state.durable, ...state.durable.map((old) => merged(old, state.names, names)), names].filter(
    (one, i, all) => all.findIndex((other) => same(one, other)) === i
  )
})

/** An older state of the folder with only the last change in it. */
const merged = (old: Names, before: Names, now: Names): Names => ({
  plain: before.plain === now.plain ? old.plain : now.plain,
  cold: before.cold === now.cold ? old.cold : now.cold
})

const same = (left: Names, right: Names): boolean =>
  left.plain === right.plain && left.cold?.join() === right.cold?.join()

const synced = (state: State): Partial<State> => ({ durable: [state.names] })

const isNewest = (state: State, { fence }: Actor): boolean => state.newest === fence

/** Whether a step through the folder can be done. */
const passes = (one: Actor, without: Without): boolean => one.folder || without.fence === true

/** Where a program goes on that took a lease over from nobody, or from somebody who is gone. */
const afterFree = (holder: number | undefined, without: Without): string =>
  holder === undefined || without.settle === true ? "open" : "settle"

const write = (state: State, i: number, without: Without): ReadonlyArray<State> => {
  const self = state.actors[i] as Actor
  const go = (change: Partial<Actor>, rest: Partial<State> = {}) => [put(state, i, change, rest)]
  const record = records[i] as string
  const giveUp = () =>
    go({ at: "end", folder: false }, state.holder === i && isNewest(state, self) ? { holder: undefined } : {})
  switch (self.at) {
    case "begin": {
      if (without.lease === true) return go({ at: "open" })
      const fence = state.newest + 1
      const { holder } = state
      const isFree = holder === undefined || ((state.actors[holder] as Actor).isDead && !state.isOwed)
      const at = isFree ? afterFree(holder, without) : "void"
      return go({ at, fence }, { newest: fence, holder: i, isOwed: !isFree })
    }
    case "settle":
      return go({ at: "open" }, synced(state))
    case "void": {
      // The folders of all who had it before are worthless from here on.
      const actors = state.actors.map((one, k) => (k === i ? one : { ...one, folder: false }))
      return go({ at: state.names.plain === undefined ? "owe" : "mark" }, { actors })
    }
    case "mark": {
      const { plain } = state.names
      if (plain === undefined) return go({ at: "owe" })
      return go({ at: "copy", file: plain }, { marked: [...state.marked, plain] })
    }
    case "copy":
      return go({ at: "rehome folder", content: state.files[self.file as number] })
    case "rehome folder":
      return go({ at: "rehome check", folder: true })
    case "rehome check":
      return isNewest(state, self) ? go({ at: "rehome" }) : giveUp()
    case "rehome": {
      if (!passes(self, without)) return giveUp()
      const made = state.files.length
      const content = self.content as ReadonlyArray<string>
      const moved = { ...state, files: [...state.files, content] }
      return go(
        { at: "rehomed", folder: false, content: undefined },
        { files: moved.files, ...renamed(moved, { ...state.names, plain: made }) }
      )
    }
    case "rehomed":
      // Nothing that counts can have come to the old file since it was marked.
      return go({ at: "owe", file: undefined }, synced(state))
    case "owe":
      return go({ at: "open" }, isNewest(state, self) ? { isOwed: false } : {})
    case "open": {
      const { cold, plain } = state.names
      if (plain !== undefined) return go({ at: "write", file: plain })
      return cold === undefined ? giveUp() : go({ at: "folder", content: cold })
    }
    case "folder":
      return go({ at: "check", folder: true })
    case "check":
      return without.lease === true || isNewest(state, self) ? go({ at: "name" }) : giveUp()
    case "name": {
      if (!passes(self, without)) return giveUp()
      if (state.names.plain !== undefined) return go({ at: "open", folder: false })
      const made = state.files.length
      const content = self.content as ReadonlyArray<string>
      const moved = { ...state, files: [...state.files, content] }
      return go({ at: "named" }, { files: moved.files, ...renamed(moved, { ...state.names, plain: made }) })
    }
    case "named":
      return go({ at: "take" }, synced(state))
    case "take": {
      if (!passes(self, without)) return giveUp()
      return go({ at: "open", folder: false, content: undefined }, renamed(state, { ...state.names, cold: undefined }))
    }
    case "write": {
      const file = self.file as number
      const files = state.files.map((content, k) => (k === file ? [...content, record] : content))
      return go({ at: without.look === true ? "ack" : "look" }, { files })
    }
    case "look": {
      const file = self.file as number
      if (state.names.plain === file && !state.marked.includes(file)) return go({ at: "ack" })
      // It is taken back if it is the last; nobody was told of it.
      const files = state.files.map((content, k) =>
        k === file && content.at(-1) === record ? content.slice(0, -1) : content
      )
      return [...put2(state, i, { files })]
    }
    case "ack":
      return without.lease === true || without.look === true || isNewest(state, self)
        ? go({ at: "release" }, { acked: [...state.acked, record] })
        : giveUp()
    case "release":
      return giveUp()
    default:
      return []
  }
}

/** Ends a writer that was told of a conflict. */
const put2 = (state: State, i: number, rest: Partial<State>): ReadonlyArray<State> => {
  const self = state.actors[i] as Actor
  const isOurs = state.holder === i && isNewest(state, self)
  return [put(state, i, { at: "end" }, { ...rest, ...(isOurs ? { holder: undefined } : {}) })]
}

const compress = (state: State, without: Without): ReadonlyArray<State> => {
  const i = compressor
  const self = state.actors[i] as Actor
  const go = (change: Partial<Actor>, rest: Partial<State> = {}) => [put(state, i, change, rest)]
  const giveUp = () =>
    go({ at: "end", folder: false }, state.holder === i && isNewest(state, self) ? { holder: undefined } : {})
  const isSame =
    without.recheck === true ||
    (self.file === state.names.plain &&
      state.files[self.file as number]?.length === self.content?.length &&
      !state.marked.includes(self.file as number))
  switch (self.at) {
    case "encode": {
      const { plain } = state.names
      return plain === undefined ? giveUp() : go({ at: "acquire", file: plain, content: state.files[plain] })
    }
    case "acquire": {
      if (without.lease === true) return go({ at: "folder" })
      const { holder } = state
      // Nobody is taken for late here: it comes back another time.
      if (holder !== undefined && (!(state.actors[holder] as Actor).isDead || state.isOwed)) return giveUp()
      const fence = state.newest + 1
      const at = afterFree(holder, without) === "settle" ? "settle" : "folder"
      return go({ at, fence }, { newest: fence, holder: i })
    }
    case "settle":
      return go({ at: "folder" }, synced(state))
    case "folder":
      return go({ at: "check", folder: true })
    case "check":
      return without.lease === true || isNewest(state, self) ? go({ at: "look" }) : giveUp()
    case "look":
      return isSame ? go({ at: "name" }) : giveUp()
    case "name":
      if (!passes(self, without) || state.names.cold !== undefined) return giveUp()
      return go(
        { at: without.order === true ? "look again" : "named" },
        renamed(state, { ...state.names, cold: self.content })
      )
    case "named":
      return go({ at: "look again" }, synced(state))
    case "look again":
      return isSame ? go({ at: "take" }) : go({ at: "undo" })
    case "undo":
      return passes(self, without)
        ? go({ at: "release" }, renamed(state, { ...state.names, cold: undefined }))
        : giveUp()
    case "take":
      // What loses its name here is whatever has it by then.
      return passes(self, without) && state.names.plain !== undefined
        ? go({ at: "taken", folder: false }, renamed(state, { ...state.names, plain: undefined }))
        : giveUp()
    case "taken":
      return go({ at: "release" }, synced(state))
    case "release":
      return giveUp()
    default:
      return []
  }
}

const read = (state: State): ReadonlyArray<State> => {
  const self = state.actors[reader] as Actor
  const go = (change: Partial<Actor>) => [put(state, reader, change)]
  switch (self.at) {
    case "look": {
      const seen = state.acked
      return go(state.names.plain === undefined ? { at: "open cold", seen } : { at: "open", seen })
    }
    case "open":
      // Gone meanwhile: it looks again.
      return state.names.plain === undefined ? go({ at: "open cold" }) : go({ at: "read", file: state.names.plain })
    case "open cold":
      return state.names.cold === undefined ? go({ at: "look" }) : go({ at: "end", content: state.names.cold })
    case "read":
      return go({ at: "end", content: state.files[self.file as number] })
    default:
      return []
  }
}

/** What trying everything came to. */
export interface Tried {
  readonly states: number
  /** The first state that something is wrong with, and the steps that led there. */
  readonly lost: { readonly problem: string; readonly steps: ReadonlyArray<string> } | undefined
}

/** Tries every order of steps from a state, crashes and deaths included. */
export const everything = (from: State, without: Without = {}): Tried => {
  const before = new Map<string, string | undefined>()
  const key = (state: State): string => JSON.stringify(state)
  const waiting = [from]
  before.set(key(from), undefined)
  while (waiting.length > 0) {
    const state = waiting.pop() as State
    const wrong = problem(state)
    if (wrong !== undefined) return { states: before.size, lost: { problem: wrong, steps: steps(before, key(state)) } }
    for (const other of next(state, without)) {
      const name = key(other)
      if (before.has(name)) continue
      before.set(name, key(state))
      waiting.push(other)
    }
  }
  return { states: before.size, lost: undefined }
}

const actorNames = ["first writer", "second writer", "compressor", "reader"]

/** Who did what, in order. */
const steps = (before: ReadonlyMap<string, string | undefined>, last: string): ReadonlyArray<string> => {
  const path: Array<State> = []
  for (let at: string | undefined = last; at !== undefined; at = before.get(at)) path.unshift(JSON.parse(at) as State)
  return path.slice(1).flatMap((state, n) =>
    state.actors.flatMap((one, i) => {
      const old = path[n]?.actors[i] as Actor
      if (JSON.stringify(old) === JSON.stringify(one)) return []
      return [`${actorNames[i]}: ${one.isDead ? "dies" : old.at}`]
    })
  )
}

export { first, second }
