import pino, { type Logger } from 'pino'
import { oneOf } from '../config/settings.js'
import { isoNow, jsonRequestLine, type RequestRecord, textRequestLine } from './request-line.js'
import { type Sink, standardOutput } from './sink.js'
import { textLine } from './text-line.js'

export type { Logger } from 'pino'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export const LOG_FORMATS = ['json', 'text'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

/** Field names whose values never reach a log, at the top of a record and one level down. */
const SECRET_FIELDS = [
  'authorization',
  'proxyAuthorization',
  'cookie',
  'setCookie',
  'password',
  'passwd',
  'secret',
  'token',
  'accessToken',
  'refreshToken',
  'apiKey',
  'privateKey',
]
const SECRET_HEADERS = ['["proxy-authorization"]', '["set-cookie"]', '["x-api-key"]']

export interface ServiceLog {
  /** For everything: fields named like secrets are redacted. */
  readonly log: Logger
  /** The line per request. */
  request(record: RequestRecord): void
  /** Writes what waits, before it returns. Called last of all at shutdown; also done on exit and on a crash. */
  flush(): void
}

export interface LogOptions {
  readonly name: string
  readonly level?: LogLevel
  readonly format?: LogFormat
  /** Where lines go; standard output unless a test wants them. */
  readonly write?: (line: string) => void
}

/** One pino logger per service, without transports: no worker threads, so it survives bundling and ends with the process. */
export function createLog({ name, level = 'info', format = 'json', write }: LogOptions): ServiceLog {
  const sink: Sink =
    write === undefined
      ? standardOutput((lines) => log.warn({ lines }, 'log lines were lost: nobody read standard output'))
      : { write, flush: () => {} }
  const text = format === 'text'
  const base = { service: name, pid: process.pid }
  const fields = [
    ...SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
    ...SECRET_HEADERS.flatMap((field) => [field, `*${field}`]),
  ]
  const log = pino(
    { level, base, timestamp: pino.stdTimeFunctions.isoTime, redact: { paths: fields, censor: '[redacted]' } },
    text ? { write: (line: string) => sink.write(textLine(line)) } : sink,
  )
  const members = JSON.stringify(base).slice(1, -1)
  return {
    log,
    request: (record) => {
      if (!log.isLevelEnabled(record.level)) return
      sink.write(text ? textRequestLine(record, isoNow()) : jsonRequestLine(record, isoNow(), members))
    },
    flush: () => sink.flush(),
  }
}

/** The settings that createLog takes, to be spread into a service's config. */
export const logSettings = {
  LOG_LEVEL: oneOf(LOG_LEVELS, 'info'),
  LOG_FORMAT: oneOf(LOG_FORMATS, 'json'),
}
