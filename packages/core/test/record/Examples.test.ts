import { type AnyShape, rewritten, shapeFor } from "@skein/testing/AnyRecord"
import { assert, describe, it } from "vitest"
import * as ExtensionItem from "../../src/record/ExtensionItem.js"
import * as ResponseItem from "../../src/record/ResponseItem.js"
import * as Shape from "../../src/record/Shape.js"
import * as TurnItem from "../../src/record/TurnItem.js"
import * as Examples from "./Examples.js"

interface Tagged {
  readonly type: string
  readonly kind?: string
  readonly payload?: unknown
}

const check = (json: string, value: unknown, shape: AnyShape | undefined) => {
  assert.isDefined(shape, `no shape for ${json}`)
  if (shape === undefined) return
  assert.isTrue(shape.is(value), JSON.stringify(Shape.explain(shape.schema, value)))
  assert.deepStrictEqual(Shape.unknownKeys(shape.schema, value), [])
  assert.strictEqual(JSON.stringify(rewritten(shape, value)), JSON.stringify(value))
}

const title = (json: string): string => json.slice(0, 70)

describe("the examples of the format's page are read, and written the same again", () => {
  it.each(Examples.records.map((json) => [title(json), json] as const))("line %s", (_, json) => {
    const line = JSON.parse(json) as Tagged
    check(json, line.payload, shapeFor(line.type, line.payload))
  })

  it.each(Examples.items.map((json) => [title(json), json] as const))("item %s", (_, json) => {
    check(json, JSON.parse(json), shapeFor("response_item", JSON.parse(json)))
  })

  it.each(Examples.events.map((json) => [title(json), json] as const))("event %s", (_, json) => {
    check(json, JSON.parse(json), shapeFor("event_msg", JSON.parse(json)))
  })

  it.each(Examples.turnItems.map((json) => [title(json), json] as const))("turn item %s", (_, json) => {
    const item = JSON.parse(json) as Tagged
    const variants: Readonly<Record<string, AnyShape>> =
      item.type === "Extension" ? ExtensionItem.variants : TurnItem.variants
    check(json, item, variants[item.kind !== undefined && item.type === "Extension" ? item.kind : item.type])
  })

  it("there is one for each item, and for each turn item but the user's message", () => {
    const types = (examples: ReadonlyArray<string>) =>
      new Set(examples.map((json) => (JSON.parse(json) as Tagged).type))
    assert.deepStrictEqual(types(Examples.items), new Set(Object.keys(ResponseItem.variants)))
    const items = new Set(Object.keys(TurnItem.variants))
    items.delete("UserMessage")
    assert.deepStrictEqual(types(Examples.turnItems), items)
  })
})
