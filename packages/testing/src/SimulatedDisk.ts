/**
 * A file system in memory for testing what crashes do: an `@effect/platform` FileSystem over a disk with a page cache.
 *
 * Several processes can use one disk. A process can be killed: its open files are gone, what it wrote is there. Power can
 * be lost: of what was not synced chance keeps nothing, all or parts, later writes without earlier ones. Operations can be
 * made to fail, writes to end short, the disk to run full, syncs to be slow. Everything follows from the seed and the order
 * of operations, so a run that failed can be repeated; print the seed.
 *
 * Stricter than real file systems: a new file's name is safe only when its folder was synced.
 */
import * as PlatformError from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import { Clock, Effect, Layer, Option, type Scope, Stream } from "effect"
import type { FileNode, Folder, Node } from "./internal/Disk.js"
import * as Disks from "./internal/Disk.js"

/** What ends everything that a process does: it was killed, or the machine lost power. A defect, for nobody lives on. */
export class Dead extends Error {
  override readonly name = "Dead"
}

/** An operation of a process, as faults choose them: the name of the method, and the path that it is about. */
export interface Operation {
  readonly method: string
  readonly path: string
  readonly process: string
}

/** What goes wrong with an operation. */
export type Fault =
  /** It fails and has done nothing. `full`: no space left (`ENOSPC`). */
  | { readonly kind: "fail"; readonly reason: "io" | "full" | "permission" | "missing" }
  /** A write writes so many bytes and then fails. */
  | { readonly kind: "short"; readonly bytes: number }
  /** It is done, and then fails all the same. */
  | { readonly kind: "late" }
  /** It is done, and its process dies before it hears of it. */
  | { readonly kind: "kill" }
  /** It is done, and the machine loses power before anybody hears of it. */
  | { readonly kind: "power" }

/** Decides for each operation whether something goes wrong; `number` counts operations of the disk from 1. */
export type Faults = (operation: Operation, number: number) => Fault | undefined

/** How a disk is made. */
export interface Options {
  /** Whatever chance decides follows from it. Default 1. */
  readonly seed?: number | undefined
  /** Bytes that the disk holds; default: any number. */
  readonly capacity?: number | undefined
  /** How long a sync takes, in milliseconds of the Effect clock. Default 0. */
  readonly syncTime?: number | undefined
  /** Waited for in front of every operation: where a scheduler decides whose turn it is. Default: nothing. */
  readonly before?: ((operation: Operation) => Effect.Effect<void>) | undefined
}

/** A process with its view of the disk. */
export interface Process {
  readonly name: string
  readonly fileSystem: FileSystem.FileSystem
  readonly layer: Layer.Layer<FileSystem.FileSystem>
  /** Ends it: everything it still tries dies with {@link Dead}. What it wrote stays. */
  readonly kill: Effect.Effect<void>
}

/** A simulated disk. */
export interface SimulatedDisk {
  /** A new process that uses it. */
  readonly process: (name?: string) => Process
  /** Loses power: ends all processes and keeps what chance leaves of what was not synced. */
  readonly losePower: Effect.Effect<void>
  /** What goes wrong from now on; undefined: nothing. Replaces what was set before. */
  readonly setFaults: (faults: Faults | undefined) => Effect.Effect<void>
  readonly setCapacity: (bytes: number) => Effect.Effect<void>
  /** How many operations there were. */
  readonly operations: Effect.Effect<number>
  /** Every file with its content as processes see it, for assertions. */
  readonly files: Effect.Effect<ReadonlyMap<string, Uint8Array>>
}

/** A fault of one operation, the n-th from now on. */
export const atOperation = (at: number, fault: Fault): Faults => {
  let count = 0
  return () => (++count === at ? fault : undefined)
}

/** A new, empty disk. */
export const make = (options: Options = {}): Effect.Effect<SimulatedDisk> =>
  Effect.sync(() => {
    const chance = Disks.random(options.seed ?? 1)
    const disk = Disks.make()
    const machine: Machine = {
      disk,
      syncTime: options.syncTime ?? 0,
      before: options.before,
      capacity: options.capacity ?? Number.POSITIVE_INFINITY,
      faults: undefined,
      operations: 0,
      processes: new Set(),
      lastDescriptor: 2,
      losePower: () => {
        for (const process of machine.processes) process.isDead = true
        machine.processes.clear()
        disk.losePower(chance)
      }
    }
    const self: SimulatedDisk = {
      process: (name = "process") => {
        const state: ProcessState = { name, isDead: false }
        machine.processes.add(state)
        const fileSystem = fileSystemOf(machine, state)
        return {
          name,
          fileSystem,
          layer: Layer.succeed(FileSystem.FileSystem, fileSystem),
          kill: Effect.sync(() => {
            state.isDead = true
            machine.processes.delete(state)
          })
        }
      },
      losePower: Effect.sync(machine.losePower),
      setFaults: (faults) =>
        Effect.sync(() => {
          machine.faults = faults
        }),
      setCapacity: (bytes) =>
        Effect.sync(() => {
          machine.capacity = bytes
        }),
      operations: Effect.sync(() => machine.operations),
      files: Effect.sync(() => {
        const files = new Map<string, Uint8Array>()
        const visit = (path: string, node: Node): void => {
          if (node.kind === "file") files.set(path, node.data.slice())
          if (node.kind === "folder") for (const [name, below] of node.names) visit(`${path}/${name}`, below)
        }
        visit("", disk.root)
        return files
      })
    }
    return self
  })

interface ProcessState {
  readonly name: string
  isDead: boolean
}

interface Machine {
  readonly disk: Disks.Disk
  readonly syncTime: number
  readonly before: Options["before"]
  readonly losePower: () => void
  readonly processes: Set<ProcessState>
  capacity: number
  faults: Faults | undefined
  operations: number
  lastDescriptor: number
}

/** Why an operation fails, before it is known which one it was. */
class Refused {
  constructor(
    readonly reason: PlatformError.SystemErrorReason,
    readonly code: string,
    readonly description: string
  ) {}
}

const missing = () => new Refused("NotFound", "ENOENT", "no such file or directory")
const exists = () => new Refused("AlreadyExists", "EEXIST", "file already exists")
const notFolder = () => new Refused("BadResource", "ENOTDIR", "not a directory")
const isFolder = () => new Refused("BadResource", "EISDIR", "illegal operation on a directory")
const notEmpty = () => new Refused("Unknown", "ENOTEMPTY", "directory not empty")
const full = () => new Refused("Unknown", "ENOSPC", "no space left on device")
const loop = () => new Refused("Unknown", "ELOOP", "too many symbolic links")
const denied = () => new Refused("PermissionDenied", "EACCES", "permission denied")
const broken = () => new Refused("Unknown", "EIO", "i/o error")

const refusals = { io: broken, full, permission: denied, missing } as const

const failure = (method: string, path: string, { code, description, reason }: Refused): PlatformError.PlatformError =>
  new PlatformError.SystemError({
    reason,
    module: "FileSystem",
    method,
    description: `${code}: ${description}`,
    syscall: method,
    pathOrDescriptor: path,
    cause: Object.assign(new Error(`${code}: ${description}`), { code })
  })

/** Where a path leads: the folder that holds its last name, that name, and what it names. */
interface Place {
  readonly folder: Folder
  readonly name: string
  readonly node: Node | undefined
}

const split = (path: string): ReadonlyArray<string> => path.split("/").filter((part) => part !== "" && part !== ".")

const fileSystemOf = (machine: Machine, self: ProcessState): FileSystem.FileSystem => {
  const { disk } = machine

  const walk = (path: string, follow: boolean, links = 0): Place => {
    if (links > 16) throw loop()
    let folder = disk.root
    const above: Array<Folder> = []
    const parts = split(path)
    for (const [i, part] of parts.entries()) {
      if (part === "..") {
        folder = above.pop() ?? disk.root
        continue
      }
      const node = folder.names.get(part)
      const isLast = i === parts.length - 1
      if (node?.kind === "link" && (!isLast || follow)) {
        const rest = parts.slice(i + 1).join("/")
        const base = node.target.startsWith("/") ? "" : `/${parts.slice(0, i).join("/")}`
        return walk(`${base}/${node.target}/${rest}`, follow, links + 1)
      }
      if (isLast) return { folder, name: part, node }
      if (node === undefined) throw missing()
      if (node.kind !== "folder") throw notFolder()
      above.push(folder)
      folder = node
    }
    return { folder, name: "", node: folder }
  }

  const isReachable = (path: string): boolean => {
    try {
      walk(path, false)
      return true
    } catch (error) {
      if (error instanceof Refused && error.reason === "NotFound") return false
      throw error
    }
  }

  const there = (path: string, follow = true): Node => {
    const { node } = walk(path, follow)
    if (node === undefined) throw missing()
    return node
  }

  const fileAt = (path: string): FileNode => {
    const node = there(path)
    if (node.kind === "folder") throw isFolder()
    if (node.kind === "link") throw loop()
    return node
  }

  const room = (node: FileNode, at: number, length: number): number => {
    if (machine.capacity === Number.POSITIVE_INFINITY) return length
    const free = machine.capacity - disk.used()
    const grown = Math.max(0, at + length - node.data.length)
    return grown <= free ? length : Math.max(0, length - (grown - Math.max(0, free)))
  }

  /**
   * Runs an operation as one step: nothing comes in between. Then what the faults say of it happens.
   *
   * @param partly What a write does that ends short.
   */
  const step = <A>(
    method: string,
    path: string,
    run: (now: number) => A,
    partly?: (bytes: number, now: number) => void
  ): Effect.Effect<A, PlatformError.PlatformError> => {
    const done = Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.suspend(() => {
        if (self.isDead) return Effect.die(new Dead(`process ${self.name} is dead`))
        const fault = machine.faults?.({ method, path, process: self.name }, ++machine.operations)
        if (fault?.kind === "fail") return Effect.fail(failure(method, path, refusals[fault.reason]()))
        try {
          if (fault?.kind === "short") {
            partly?.(fault.bytes, now)
            return Effect.fail(failure(method, path, full()))
          }
          const result = run(now)
          if (fault?.kind === "late") return Effect.fail(failure(method, path, broken()))
          return death(fault, method, path) ?? Effect.succeed(result)
        } catch (error) {
          if (!(error instanceof Refused)) return Effect.die(error)
          // An operation that came to nothing is one in which a process can die, too.
          return death(fault, method, path) ?? Effect.fail(failure(method, path, error))
        }
      })
    )
    const { before } = machine
    return before === undefined
      ? done
      : Effect.zipRight(
          Effect.suspend(() => before({ method, path, process: self.name })),
          done
        )
  }

  /** How an operation that was tried ends when its process dies of it; undefined when the fault is of another kind. */
  const death = (fault: Fault | undefined, method: string, path: string): Effect.Effect<never> | undefined => {
    if (fault?.kind === "kill") {
      self.isDead = true
      machine.processes.delete(self)
      return Effect.die(new Dead(`process ${self.name} was killed in ${method} ${path}`))
    }
    if (fault?.kind !== "power") return undefined
    machine.losePower()
    return Effect.die(new Dead(`power was lost in ${method} ${path}`))
  }

  const info = (node: Node): FileSystem.File.Info => ({
    type: node.kind === "file" ? "File" : node.kind === "folder" ? "Directory" : "SymbolicLink",
    mtime: Option.some(new Date(node.mtime)),
    atime: Option.some(new Date(node.atime)),
    birthtime: Option.none(),
    dev: 1,
    ino: Option.some(node.id),
    mode: node.mode,
    nlink: Option.none(),
    uid: Option.none(),
    gid: Option.none(),
    rdev: Option.none(),
    size: FileSystem.Size(node.kind === "file" ? node.data.length : 0),
    blksize: Option.none(),
    blocks: Option.none()
  })

  const makeFolders = (path: string, mode: number, recursive: boolean, now: number): void => {
    const parts = split(path)
    for (let i = 1; i <= parts.length; i++) {
      const here = `/${parts.slice(0, i).join("/")}`
      const { folder, name, node } = walk(here, true)
      const isLast = i === parts.length
      if (node === undefined) {
        if (!isLast && !recursive) throw missing()
        disk.name([{ folder, name, node: disk.folder(mode, now) }])
        folder.mtime = now
      } else if (isLast && !recursive) throw exists()
      else if (node.kind !== "folder") throw isLast ? exists() : notFolder()
    }
  }

  const put = (method: string, path: string, node: FileNode, at: () => number, bytes: Uint8Array) =>
    step(
      method,
      path,
      (now) => {
        const place = at()
        const length = room(node, place, bytes.length)
        if (length > 0) disk.write(node, place, bytes.subarray(0, length))
        node.mtime = now
        if (length < bytes.length && length === 0) throw full()
        return length
      },
      (count, now) => {
        disk.write(node, at(), bytes.subarray(0, count))
        node.mtime = now
      }
    )

  const open = (
    path: string,
    { flag = "r", mode = 0o644 }: FileSystem.OpenFileOptions = {}
  ): Effect.Effect<FileSystem.File, PlatformError.PlatformError, Scope.Scope> =>
    Effect.map(
      step("open", path, (now): FileNode | Folder => {
        const { folder, name, node } = walk(path, true)
        if (node === undefined) {
          if (flag.startsWith("r")) throw missing()
          const made = disk.file(mode, now)
          disk.name([{ folder, name, node: made }])
          folder.mtime = now
          return made
        }
        if (flag.includes("x")) throw exists()
        if (node.kind === "link") throw loop()
        if (node.kind === "folder") {
          if (flag !== "r") throw isFolder()
          return node
        }
        if (flag.startsWith("w")) disk.truncate(node, 0)
        return node
      }),
      (node) => handle(path, node, flag.startsWith("a"))
    )

  const handle = (path: string, node: FileNode | Folder, appends: boolean): FileSystem.File => {
    let position = 0
    const file = <A>(method: string, run: (file: FileNode, now: number) => A) =>
      step(method, path, (now) => {
        if (node.kind === "folder") throw isFolder()
        return run(node, now)
      })
    const read = (length: number): Effect.Effect<Uint8Array, PlatformError.PlatformError> =>
      file("read", ({ data }) => {
        const bytes = data.slice(position, position + length)
        position += bytes.length
        return bytes
      })
    const write = (bytes: Uint8Array): Effect.Effect<number, PlatformError.PlatformError> =>
      node.kind === "folder"
        ? Effect.fail(failure("write", path, isFolder()))
        : Effect.tap(
            put("write", path, node, () => (appends ? node.data.length : position), bytes),
            (length) =>
              Effect.sync(() => {
                position = appends ? node.data.length : position + length
              })
          )
    return {
      [FileSystem.FileTypeId]: FileSystem.FileTypeId,
      fd: FileSystem.FileDescriptor(++machine.lastDescriptor),
      stat: step("fstat", path, () => info(node)),
      seek: (offset, from) =>
        Effect.sync(() => {
          position = from === "start" ? Number(offset) : position + Number(offset)
        }),
      sync: Effect.zipRight(
        machine.syncTime === 0 ? Effect.void : Effect.sleep(machine.syncTime),
        step("sync", path, () => disk.sync(node))
      ),
      read: (buffer) =>
        Effect.map(read(buffer.length), (bytes) => {
          buffer.set(bytes)
          return FileSystem.Size(bytes.length)
        }),
      readAlloc: (size) =>
        Effect.map(read(Number(size)), (bytes) => (bytes.length === 0 ? Option.none() : Option.some(bytes))),
      truncate: (length = 0) =>
        file("ftruncate", (target, now) => {
          disk.truncate(target, Number(length))
          target.mtime = now
          position = Math.min(position, Number(length))
        }),
      write: (bytes) => Effect.map(write(bytes), (length) => FileSystem.Size(length)),
      writeAll: (bytes) => {
        const rest = (from: Uint8Array): Effect.Effect<void, PlatformError.PlatformError> =>
          Effect.flatMap(write(from), (length) => (length === from.length ? Effect.void : rest(from.subarray(length))))
        // As the real one: a write of nothing is one that got nowhere.
        return bytes.length === 0
          ? Effect.fail(failure("writeAll", path, new Refused("WriteZero", "EIO", "nothing was written")))
          : rest(bytes)
      }
    }
  }

  const readFolder = (path: string, recursive: boolean) =>
    step("readDirectory", path, () => {
      const node = there(path)
      if (node.kind !== "folder") throw notFolder()
      const found: Array<string> = []
      const visit = (prefix: string, folder: Folder): void => {
        for (const [name, below] of folder.names) {
          found.push(`${prefix}${name}`)
          if (recursive && below.kind === "folder") visit(`${prefix}${name}/`, below)
        }
      }
      visit("", node)
      return found.sort()
    })

  const remove = (path: string, { force = false, recursive = false }: FileSystem.RemoveOptions = {}) =>
    step("remove", path, (now) => {
      // With force, a folder that is missing above it is no error either.
      if (force && !isReachable(path)) return
      const { folder, name, node } = walk(path, false)
      if (node === undefined) {
        if (force) return
        throw missing()
      }
      if (node.kind === "folder" && node.names.size > 0 && !recursive) throw notEmpty()
      disk.name([{ folder, name, node: undefined }])
      folder.mtime = now
    })

  const rename = (from: string, to: string) =>
    step("rename", from, (now) => {
      const source = walk(from, false)
      const target = walk(to, false)
      const { node } = source
      if (node === undefined) throw missing()
      if (target.node === node) return
      if (node.kind === "folder" && holds(node, target.folder)) {
        throw new Refused("Unknown", "EINVAL", "a directory cannot be moved into itself")
      }
      if (target.node?.kind === "folder") {
        if (node.kind !== "folder") throw isFolder()
        if (target.node.names.size > 0) throw notEmpty()
      } else if (target.node !== undefined && node.kind === "folder") throw notFolder()
      disk.name([
        { folder: source.folder, name: source.name, node: undefined },
        { folder: target.folder, name: target.name, node }
      ])
      source.folder.mtime = now
      target.folder.mtime = now
    })

  const writeFile = (path: string, data: Uint8Array, options: FileSystem.WriteFileOptions = {}) =>
    Effect.scoped(
      Effect.flatMap(
        open(path, { flag: options.flag ?? "w", ...(options.mode === undefined ? {} : { mode: options.mode }) }),
        (file) => (data.length === 0 ? Effect.void : file.writeAll(data))
      )
    )

  let temporary = 0
  const makeTemporary = (options: FileSystem.MakeTempDirectoryOptions = {}) => {
    const path = `${options.directory ?? "/tmp"}/${options.prefix ?? ""}${self.name}-${++temporary}`
    return Effect.as(
      step("makeTempDirectory", path, (now) => makeFolders(path, 0o700, true, now)),
      path
    )
  }
  const makeTemporaryFile = (options: FileSystem.MakeTempFileOptions = {}) =>
    Effect.flatMap(makeTemporary(options), (folder) =>
      Effect.as(writeFile(`${folder}/file`, new Uint8Array(0)), `${folder}/file`)
    )

  const copyFile = (from: string, to: string) =>
    Effect.flatMap(
      step("copyFile", from, () => fileAt(from).data.slice()),
      (data) => writeFile(to, data)
    )

  return FileSystem.make({
    access: (path) => Effect.asVoid(step("access", path, () => there(path))),
    chmod: (path, mode) =>
      step("chmod", path, () => {
        there(path).mode = mode
      }),
    chown: (path) => Effect.asVoid(step("chown", path, () => there(path))),
    copy: copyFile,
    copyFile,
    link: (from, to) =>
      step("link", to, (now) => {
        const node = there(from, false)
        if (node.kind === "folder") throw isFolder()
        const target = walk(to, false)
        if (target.node !== undefined) throw exists()
        disk.name([{ folder: target.folder, name: target.name, node }])
        target.folder.mtime = now
      }),
    makeDirectory: (path, options = {}) =>
      step("makeDirectory", path, (now) => makeFolders(path, options.mode ?? 0o755, options.recursive === true, now)),
    makeTempDirectory: makeTemporary,
    makeTempDirectoryScoped: (options) =>
      Effect.acquireRelease(makeTemporary(options), (path) =>
        Effect.ignore(remove(path, { recursive: true, force: true }))
      ),
    makeTempFile: makeTemporaryFile,
    makeTempFileScoped: (options) =>
      Effect.acquireRelease(makeTemporaryFile(options), (path) => Effect.ignore(remove(path, { force: true }))),
    open,
    readDirectory: (path, options = {}) => readFolder(path, options.recursive === true),
    readFile: (path) => step("readFile", path, () => fileAt(path).data.slice()),
    readLink: (path) =>
      step("readLink", path, () => {
        const node = there(path, false)
        if (node.kind !== "link") throw new Refused("Unknown", "EINVAL", "not a symbolic link")
        return node.target
      }),
    realPath: (path) =>
      step("realPath", path, () => {
        there(path)
        return `/${split(path).join("/")}`
      }),
    remove,
    rename,
    stat: (path) => step("stat", path, () => info(there(path))),
    symlink: (from, to) =>
      step("symlink", to, (now) => {
        const target = walk(to, false)
        if (target.node !== undefined) throw exists()
        disk.name([{ folder: target.folder, name: target.name, node: disk.link(from, now) }])
        target.folder.mtime = now
      }),
    truncate: (path, length = 0) =>
      step("truncate", path, (now) => {
        const node = fileAt(path)
        disk.truncate(node, Number(length))
        node.mtime = now
      }),
    utimes: (path, atime, mtime) =>
      step("utimes", path, () => {
        const node = there(path)
        node.atime = millis(atime)
        node.mtime = millis(mtime)
      }),
    watch: () => Stream.empty,
    writeFile
  })
}

/** Whether a folder is another one or lies below it. */
const holds = (folder: Folder, other: Folder): boolean =>
  folder === other || [...folder.names.values()].some((node) => node.kind === "folder" && holds(node, other))

/** Times of files come as dates or as seconds. */
const millis = (time: Date | number): number => (typeof time === "number" ? time * 1000 : time.getTime())
