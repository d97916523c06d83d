export * as MemoryDriver from "./MemoryDriver.js"
export * as MemoryStore from "./MemoryStore.js"
