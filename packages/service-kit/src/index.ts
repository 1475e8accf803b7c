export { formatDurationNs, parseDurationNs } from './config/duration.js'
export {
  ConfigError,
  type ConfigShape,
  type ConfigValues,
  EXIT_BAD_CONFIG,
  REDACTED,
  type ReadConfig,
  readConfig,
  withoutPassword,
} from './config/read-config.js'
export type { Address, Setting } from './config/settings.js'
export * as settings from './config/settings.js'
export { withFiles } from './config/with-files.js'
export {
  defineErrors,
  type ErrorRow,
  type Errors,
  type ErrorTable,
  errorDocProblems,
  ServiceError,
  type ServiceErrorOptions,
} from './errors/define-errors.js'
export { ENVELOPE_TYPE, type ErrorBody, type ErrorEnvelope, type RenderError } from './errors/envelope.js'
export { kitErrors } from './errors/kit-errors.js'
export { CHECK_TIMEOUT_MS, type Check, type CheckResult, Health, type Readiness } from './health/health.js'
export { send, sendJson } from './http/answers.js'
export { defaultLimits, type Limits, MAX_BODY_BYTES } from './http/limits.js'
export { discardBody, hasBody, readBody } from './http/read-body.js'
export { contextOf, type RequestContext } from './http/request-context.js'
export { closeOnSignal, main, shutdownSettings } from './lifecycle/run.js'
export {
  createLog,
  type LogFormat,
  type Logger,
  type LogLevel,
  type LogOptions,
  logSettings,
  type ServiceLog,
} from './log/logger.js'
export { Counter, Gauge, Histogram, Registry, type ServiceMetrics } from './metrics/metrics.js'
export { type Asset, readAsset } from './page/asset.js'
export { KEEP_FOREVER, secureData, securePage } from './page/headers.js'
export { escapeText, type Html, html } from './page/html.js'
export { type CloseOptions, createService, type Service, type ServiceOptions } from './service.js'
export { randomHex } from './trace/random-ids.js'
export {
  formatTraceparent,
  outgoingTraceHeaders,
  parseTraceparent,
  startTrace,
  type TraceContext,
  type Traceparent,
  traceOf,
} from './trace/trace-context.js'
