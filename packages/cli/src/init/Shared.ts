/** Modules that hosts of both flavours have. */

/** The stand-in for a model. */
export const model = `/** Stands in for a model: here goes the call of yours. */
export const ask = async (input: ReadonlyArray<unknown>): Promise<string> => \`I have read \${input.length} items.\`
`

/** A fold of the host's own. */
export const questions = `/** What the user asked, in order: a state of your own over the records of a thread. */
import * as Fold from "@skein/core/fold/Fold"
import type { StoredRecord } from "@skein/core/record/Record"

export type Questions = ReadonlyArray<string>

const none: Questions = []

export const fold: Fold.Fold<Questions> = Fold.make(none, (asked, record: StoredRecord) =>
  record.kind === "event_msg" && record.payload.type === "user_message" ? [...asked, record.payload.message] : asked
)
`

/** The law of that fold, as the first test. */
export const law = `it("the fold goes on from a state as if it had seen what came before", () => {
  fc.assert(
    fc.property(anyLog, fc.nat(40), (log, at) => {
      const before = Fold.run(Questions.fold, log.slice(0, at))
      expect(Fold.run(Questions.fold, log.slice(at), before)).toEqual(Fold.run(Questions.fold, log))
    })
  )
})

const said = fc.array(
  fc.string({ minLength: 1 }).filter((words) => words.trim() !== ""),
  { minLength: 1, maxLength: 4 }
)
`
