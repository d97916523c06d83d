export * as SqliteDriver from "./SqliteDriver.js"
export * as SqliteStore from "./SqliteStore.js"
