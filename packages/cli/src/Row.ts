/** A thread as a row of a list: for programs and for people. */
import type { Summary } from "@skein/store/Summary"
import * as Text from "./Text.js"

/** A thread as documents tell it: what a store says of it, null where it has nothing to say. Times in milliseconds. */
export type RowDocument = {
  readonly [K in keyof Summary]: undefined extends Summary[K] ? Exclude<Summary[K], undefined> | null : Summary[K]
}

/** The document of a thread. */
export const documentOf = (summary: Summary): RowDocument =>
  Object.fromEntries(Object.entries(summary).map(([key, value]) => [key, value ?? null])) as unknown as RowDocument

/** What a row is drawn with. */
export interface Drawing {
  /** The time that the first column tells. */
  readonly time: "createdAt" | "updatedAt" | "recencyAt"
  /** Milliseconds since 1970. */
  readonly now: number
  /** Characters of a line. */
  readonly width: number
  readonly style: Text.Style
}

const ageWidth = 10
const idWidth = 36
/** Columns that are not the title, and the blanks between all of them. */
const taken = 2 + ageWidth + 2 + 2 + idWidth + 2

/** A line for a thread: how long ago, its name or what it is about, its id, where it works. */
export const line = (row: RowDocument, { now, style, time, width }: Drawing, branch = ""): string => {
  const free = Math.max(24, width - taken)
  // Where there is little room, what a thread is about matters more than where it works.
  const isNarrow = free < 40
  const titleWidth = isNarrow ? free : Math.min(64, Math.ceil(free * 0.62))
  const cwd = isNarrow ? "" : Text.brief(row.cwd, Math.max(8, free - titleWidth))
  const title = Text.brief(row.name ?? row.preview, Math.max(8, titleWidth - branch.length))
  const gap = " ".repeat(Math.max(0, titleWidth - branch.length - Text.width(title)))
  const marked = row.name === null ? title : style.strong(title)
  const notes = [row.archivedAt === null ? undefined : "archived", modeNote(row.historyMode)].filter(
    (note) => note !== undefined
  )
  return [
    `  ${style.dim(Text.ago(row[time], now).padStart(ageWidth))}`,
    `${branch === "" ? "" : style.dim(branch)}${marked}${gap}`,
    row.id,
    [cwd === "" ? "" : style.dim(cwd), notes.length === 0 ? "" : style.warn(`(${notes.join(", ")})`)]
      .filter((part) => part !== "")
      .join(" ")
  ]
    .join("  ")
    .trimEnd()
}

const modeNote = (mode: string): string | undefined =>
  mode === "legacy" || mode === "paginated" ? undefined : "of a newer version"

/** The title of a row in the middle of a sentence: its name, its preview, or that it has neither. */
export const titleOf = ({
  name,
  preview
}: {
  readonly name: string | null | undefined
  readonly preview: string
}): string => {
  const title = Text.brief(name ?? preview, 60)
  return title === "" ? "without a title" : title
}
