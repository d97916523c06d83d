/**
 * `dynamic_tools` in the flat form of builds before the tagged one: an element has `namespace` or `exposeToContext`, or
 * lacks `type`. They become tools and namespaces, a namespace at the place of its first tool; a mix of both forms stays
 * refused (rollout-format §3.1).
 */
import * as Schema from "effect/Schema"
import { DynamicFunction, type DynamicToolSpec, flatKeys } from "../DynamicTool.js"
import * as Shape from "../Shape.js"
import { isObject, type Upcast } from "./Upcast.js"

const FlatTool = Shape.struct({
  namespace: Shape.sparse(Schema.String),
  name: Schema.String,
  description: Schema.String,
  inputSchema: Shape.json,
  deferLoading: Shape.sparse(Schema.Boolean),
  exposeToContext: Shape.sparse(Schema.Boolean)
})
type FlatTool = Shape.TypeOf<typeof FlatTool>

const isFlat = (value: unknown): value is FlatTool =>
  isObject(value) &&
  (!Object.hasOwn(value, "type") || flatKeys.some((key) => Object.hasOwn(value, key))) &&
  FlatTool.is(value)

const tagged = (tool: FlatTool): DynamicFunction => {
  const exposed = tool.exposeToContext ?? undefined
  return DynamicFunction.make({
    type: "function",
    name: tool.name,
    description: tool.description,
    inputSchema: tool.inputSchema,
    deferLoading: tool.deferLoading ?? (exposed === undefined ? false : !exposed)
  })
}

const grouped = (tools: ReadonlyArray<FlatTool>): ReadonlyArray<DynamicToolSpec> => {
  const specs: Array<DynamicToolSpec> = []
  const namespaces = new Map<string, Array<DynamicFunction>>()
  for (const tool of tools) {
    const name = tool.namespace ?? undefined
    const members = name === undefined ? undefined : namespaces.get(name)
    if (name === undefined) specs.push(tagged(tool))
    else if (members !== undefined) members.push(tagged(tool))
    else {
      const first = [tagged(tool)]
      namespaces.set(name, first)
      specs.push({ type: "namespace", name, description: "", tools: first })
    }
  }
  return specs
}

/** Tags and groups the tools. */
export const flatDynamicTools: Upcast = {
  name: "flat-dynamic-tools",
  kind: "session_meta",
  upcast: (payload) => {
    if (!isObject(payload)) return undefined
    const tools: unknown = payload.dynamic_tools
    return Array.isArray(tools) && tools.length > 0 && tools.every(isFlat)
      ? { ...payload, dynamic_tools: grouped(tools) }
      : undefined
  }
}
