/**
 * A disk with a page cache in front of it: what is written is seen at once by every process and is safe only once it was
 * synced. A loss of power keeps of the rest what chance leaves: nothing, all, parts, later writes without earlier ones.
 *
 * Mutable. Data of a file is made safe by syncing the file, names by syncing their folder; nothing else is.
 */

/** Numbers from a seed; the same seed gives the same numbers. */
export interface Random {
  /** From 0, below 1. */
  readonly next: () => number
  /** A whole number from 0, below a bound. */
  readonly below: (bound: number) => number
}

/** Marsaglia's xorshift over 32 bits. */
export const random = (seed: number): Random => {
  let state = (seed ^ 0x9e3779b9) | 0 || 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  for (let i = 0; i < 8; i++) next()
  return { next, below: (bound) => Math.floor(next() * bound) }
}

/** A change of a file's data that is not safe yet. */
type DataChange =
  | { readonly kind: "write"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly size: number }

/** A change of names that is not safe yet; its parts happen together or not at all. */
interface NameChange {
  readonly parts: ReadonlyArray<{ readonly folder: Folder; readonly name: string; readonly node: Node | undefined }>
}

interface Common {
  readonly id: number
  mode: number
  mtime: number
  atime: number
}

/** A file: its data as processes see it, as the disk has it, and what lies between the two. */
export interface FileNode extends Common {
  readonly kind: "file"
  data: Uint8Array
  safe: Uint8Array
  unsafe: Array<DataChange>
}

export interface Folder extends Common {
  readonly kind: "folder"
  readonly names: Map<string, Node>
  readonly safe: Map<string, Node>
}

export interface Link extends Common {
  readonly kind: "link"
  readonly target: string
}

export type Node = FileNode | Folder | Link

/** A disk. */
export interface Disk {
  readonly root: Folder
  readonly file: (mode: number, now: number) => FileNode
  readonly folder: (mode: number, now: number) => Folder
  readonly link: (target: string, now: number) => Link
  /** Puts names into folders or, where the node is undefined, takes them away: all at once. */
  readonly name: (parts: NameChange["parts"]) => void
  readonly write: (node: FileNode, at: number, bytes: Uint8Array) => void
  readonly truncate: (node: FileNode, size: number) => void
  readonly sync: (node: FileNode | Folder) => void
  /** Bytes of all files that have a name, as processes see them. */
  readonly used: () => number
  /** Loses power: what was not synced is kept, lost or torn as chance will have it. */
  readonly losePower: (chance: Random) => void
}

export const make = (): Disk => {
  let lastId = 0
  let pending: Array<NameChange> = []
  const common = (mode: number, now: number): Common => ({ id: ++lastId, mode, mtime: now, atime: now })
  const folder = (mode: number, now: number): Folder => ({
    ...common(mode, now),
    kind: "folder",
    names: new Map(),
    safe: new Map()
  })
  const root = folder(0o755, 0)

  const settle = ({ parts }: NameChange): void => {
    for (const { folder: at, name, node } of parts) put(at.safe, name, node)
  }

  return {
    root,
    folder,
    file: (mode, now) => ({
      ...common(mode, now),
      kind: "file",
      data: new Uint8Array(0),
      safe: new Uint8Array(0),
      unsafe: []
    }),
    link: (target, now) => ({ ...common(0o777, now), kind: "link", target }),
    name: (parts) => {
      for (const { folder: at, name, node } of parts) put(at.names, name, node)
      pending.push({ parts })
    },
    write: (node, at, bytes) => {
      const copy = new Uint8Array(bytes)
      node.data = written(node.data, at, copy)
      node.unsafe.push({ kind: "write", at, bytes: copy })
    },
    truncate: (node, size) => {
      node.data = resized(node.data, size)
      node.unsafe.push({ kind: "truncate", size })
    },
    sync: (node) => {
      if (node.kind === "file") {
        for (const change of node.unsafe) node.safe = applied(node.safe, change)
        node.unsafe = []
        return
      }
      const left: Array<NameChange> = []
      for (const change of pending) {
        if (change.parts.some((part) => part.folder === node)) settle(change)
        else left.push(change)
      }
      pending = left
    },
    used: () => {
      let sum = 0
      const seen = new Set<Node>()
      const visit = (node: Node): void => {
        if (seen.has(node)) return
        seen.add(node)
        if (node.kind === "file") sum += node.data.length
        if (node.kind === "folder") for (const below of node.names.values()) visit(below)
      }
      visit(root)
      return sum
    },
    losePower: (chance) => {
      const keep = keeping(chance)
      for (const change of pending) if (keep()) settle(change)
      pending = []
      const seen = new Set<Node>()
      const visit = (node: Node): void => {
        if (seen.has(node)) return
        seen.add(node)
        if (node.kind === "file") recover(node, chance)
        if (node.kind !== "folder") return
        node.names.clear()
        for (const [name, below] of node.safe) {
          node.names.set(name, below)
          visit(below)
        }
      }
      visit(root)
    }
  }
}

const put = (names: Map<string, Node>, name: string, node: Node | undefined): void => {
  if (node === undefined) names.delete(name)
  else names.set(name, node)
}

/** How much a loss of power keeps: of one kind all, of one kind nothing, else each by itself. */
const keeping = (chance: Random): (() => boolean) => {
  const kind = chance.below(4)
  return kind === 0 ? () => false : kind === 1 ? () => true : () => chance.next() < 0.5
}

/** The data that is left of a file. A write may be kept in part: from its start, or behind a part that reads as zeros. */
const recover = (node: FileNode, chance: Random): void => {
  const keep = keeping(chance)
  let data = node.safe
  for (const change of node.unsafe) {
    if (!keep()) continue
    const isTorn = change.kind === "write" && change.bytes.length > 1 && chance.next() < 0.3
    data = applied(
      data,
      isTorn ? { ...change, bytes: change.bytes.subarray(0, 1 + chance.below(change.bytes.length - 1)) } : change
    )
  }
  node.safe = data
  node.data = data.slice()
  node.unsafe = []
}

const applied = (data: Uint8Array, change: DataChange): Uint8Array =>
  change.kind === "truncate" ? resized(data, change.size) : written(data, change.at, change.bytes)

/**
 * Data with bytes put in, growing as it must: in its own memory where that has room, so that many small writes cost what
 * they write. What was data before is no longer to be used.
 */
const written = (data: Uint8Array, at: number, bytes: Uint8Array): Uint8Array => {
  const size = Math.max(data.length, at + bytes.length)
  const next = withRoom(data, size)
  next.set(bytes, at)
  return next
}

const withRoom = (data: Uint8Array, size: number): Uint8Array => {
  if (size <= data.length) return data
  if (size <= data.buffer.byteLength) {
    const next = new Uint8Array(data.buffer, 0, size)
    next.fill(0, data.length)
    return next
  }
  const memory = new Uint8Array(Math.max(size, data.length * 2, 256))
  memory.set(data)
  return memory.subarray(0, size)
}

const resized = (data: Uint8Array, size: number): Uint8Array =>
  size <= data.length ? data.slice(0, size) : withRoom(data, size)
