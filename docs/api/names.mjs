/** A plugin of TypeDoc: modules have the names by which they are imported, and say what their files say at the top. */
import { Comment, Converter, ReflectionKind } from "typedoc"

export const load = (app) => {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (reflection.kind !== ReflectionKind.Module) return
    const [, name = "", path = ""] = /^([^/]+)\/src\/(.+)$/.exec(reflection.name) ?? []
    if (path !== "") reflection.name = name === "skein" ? `skein/${path}` : `@skein/${name}/${path}`
    const text = context.getSymbolFromReflection(reflection)?.declarations?.[0]?.getSourceFile().text ?? ""
    const [, words = ""] = /^\/\*\*([\s\S]*?)\*\//.exec(text) ?? []
    if (reflection.comment !== undefined || words === "") return
    const lines = words.split("\n").map((line) => line.replace(/^\s*\* ?/, ""))
    reflection.comment = new Comment([{ kind: "text", text: lines.join("\n").trim() }])
  })
}
