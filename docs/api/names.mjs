/** A plugin of TypeDoc: modules have the names by which they are imported. */
import { Converter, ReflectionKind } from "typedoc"

export const load = (app) => {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (_, reflection) => {
    if (reflection.kind !== ReflectionKind.Module) return
    const [, name = "", path = ""] = /^([^/]+)\/src\/(.+)$/.exec(reflection.name) ?? []
    if (path !== "") reflection.name = name === "skein" ? `skein/${path}` : `@skein/${name}/${path}`
  })
}
