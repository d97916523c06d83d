/** The lists under the view, held against arrays. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as KeyedList from "../../../src/internal/KeyedList.js"
import * as PersistentList from "../../../src/internal/PersistentList.js"

type Entry = { readonly id: string; readonly n: number }
type Action =
  | { readonly kind: "push"; readonly id: string }
  | { readonly kind: "set"; readonly at: number }
  | { readonly kind: "truncate"; readonly to: number }
  | { readonly kind: "back"; readonly to: number }

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("push" as const), id: fc.constantFrom("a", "b", "c", "d") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("set" as const), at: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("truncate" as const), to: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("back" as const), to: fc.nat(100) }) }
)

describe("keyed lists", () => {
  it("every state stays what it was, whatever was done to it later", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 150 }), (actions) => {
        const states: Array<readonly [KeyedList.KeyedList<Entry>, ReadonlyArray<Entry>]> = [[KeyedList.empty, []]]
        let n = 0
        for (const one of actions) {
          const [list, model] = states.at(-1) as (typeof states)[number]
          n++
          switch (one.kind) {
            case "push": {
              const entry = { id: one.id, n }
              states.push([KeyedList.push(list, entry), [...model, entry]])
              break
            }
            case "set": {
              const at = one.at % (model.length || 1)
              const old = model[at]
              if (old === undefined) break
              const entry = { id: old.id, n }
              states.push([KeyedList.set(list, at, entry), model.map((e, i) => (i === at ? entry : e))])
              break
            }
            case "truncate": {
              const to = one.to % (model.length + 1)
              states.push([KeyedList.truncate(list, to), model.slice(0, to)])
              break
            }
            case "back":
              states.push(states[one.to % states.length] as (typeof states)[number])
          }
        }
        for (const [list, model] of states) {
          expect(KeyedList.toArray(list)).toEqual(model)
          for (const id of ["a", "b", "c", "d", "e"]) {
            expect(KeyedList.indexOf(list, id)).toBe(model.findIndex((entry) => entry.id === id))
          }
        }
      })
    )
  })

  it("long ones: pushing, reading, changing and cutting through several levels", () => {
    let list: PersistentList.PersistentList<number> = PersistentList.empty
    const length = 33_000
    for (let i = 0; i < length; i++) list = PersistentList.push(list, i)
    const changed = PersistentList.set(list, 5, -5)
    const cut = PersistentList.truncate(changed, 1025)
    const grown = PersistentList.push(cut, 77)
    expect(PersistentList.toArray(list)).toEqual(Array.from({ length }, (_, i) => i))
    expect(PersistentList.get(changed, 5)).toBe(-5)
    expect(cut.length).toBe(1025)
    expect(PersistentList.get(grown, 1024)).toBe(1024)
    expect(PersistentList.get(grown, 1025)).toBe(77)
    expect(PersistentList.get(grown, 1026)).toBeUndefined()
    expect(PersistentList.get(list, 1025)).toBe(1025)
  })
})
