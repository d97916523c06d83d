export * as AnyLog from "./AnyLog.js"
export * as Script from "./Script.js"
