/** A store in one SQLite file. */
import { ThreadStore } from "@skein/store/ThreadStore"
import * as SqliteStore from "@skein/store-sqlite/SqliteStore"
import { Context, Effect, Layer } from "effect"

/** Opens the database until the scope closes; it is made when it is not there. */
export const open = (filename: string) =>
  Effect.map(Layer.build(SqliteStore.layer({ filename })), (context) => Context.get(context, ThreadStore))
