/** What was written, read back. */
import * as Record from "@skein/core/record/Record"
import type { File, Written } from "../ThreadWriter.js"

const utf8 = new TextEncoder()

/** The records of a thread's log. Throws when a line is none: then it was written wrong. */
export const records = ({ files, log }: Written): ReadonlyArray<Record.StoredRecord> => {
  const decoded = files.map(decodeFile)
  return log.map(({ file, line }) => {
    const record = decoded[file]?.[line]
    if (record === undefined) throw new Error(`line ${line + 1} of file ${file + 1} is not there`)
    return record
  })
}

const decodeFile = (file: File): ReadonlyArray<Record.StoredRecord> => {
  let offset = 0
  // A file whose first line is no envelope is one of 0.20.0, all of whose lines are bare.
  const form: Record.Form = file.lines[0]?.includes('"session_meta"') === true ? "enveloped" : "bare"
  return file.lines.map((line, i) => {
    const bytes = utf8.encode(line)
    const record = Record.decode({ bytes, offset, number: i + 1, terminated: true }, form)
    offset += bytes.length + 1
    if (record.kind === "damage" || record.kind === "blank") {
      throw new Error(`not a record: ${record.kind === "damage" ? record.detail : "blank"}: ${line}`)
    }
    return record
  })
}
