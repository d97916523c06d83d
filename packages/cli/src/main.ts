/** The `skein` command: parses its words and loads the verb that they name. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeFiles from "@skein/store-fs/NodeFiles"
import { Effect, Layer } from "effect"
import * as Cli from "./Cli.js"

NodeRuntime.runMain(
  Cli.run(process.argv).pipe(
    Effect.tap((code) =>
      Effect.sync(() => {
        process.exitCode = code
      })
    ),
    Effect.provide(Layer.merge(NodeContext.layer, NodeFiles.layer))
  ),
  { disablePrettyLogger: true }
)
