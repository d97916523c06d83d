export * as AnyLog from "./AnyLog.js"
export * as AnyRecord from "./AnyRecord.js"
export * as Script from "./Script.js"
