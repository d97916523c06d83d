export * as Doctor from "./Doctor.js"
export * as SqliteDriver from "./SqliteDriver.js"
export * as SqliteIndex from "./SqliteIndex.js"
export * as SqliteStore from "./SqliteStore.js"
