import { hostname } from 'node:os'
import pino, { type Logger } from 'pino'
import { oneOf } from '../config/settings.js'
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

// Lines wait this long for company: one write for many lines is most of what logging costs under load.
const FLUSH_AFTER_MS = 20
const FLUSH_AT_CHARS = 8 * 1024

export interface ServiceLog {
  /** For everything: fields named like secrets are redacted. */
  readonly log: Logger
  /** For the line per request: its fields are made here and hold nothing to redact, so it does without that cost. */
  readonly access: Logger
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
  const sink = write === undefined ? standardOutput() : { write, flush: () => {} }
  const stream =
    format === 'text'
      ? { write: (line: string) => sink.write(textLine(line)) }
      : { write: (line: string) => sink.write(line) }
  const options = {
    level,
    base: { service: name, pid: process.pid, hostname: hostname() },
    timestamp: pino.stdTimeFunctions.isoTime,
  }
  const fields = [
    ...SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
    ...SECRET_HEADERS.flatMap((field) => [field, `*${field}`]),
  ]
  return {
    log: pino({ ...options, redact: { paths: fields, censor: '[redacted]' } }, stream),
    access: pino(options, stream),
    flush: () => sink.flush(),
  }
}

/** The settings that createLog takes, to be spread into a service's config. */
export const logSettings = {
  LOG_LEVEL: oneOf(LOG_LEVELS, 'info'),
  LOG_FORMAT: oneOf(LOG_FORMATS, 'json'),
}

function standardOutput(): { write(line: string): void; flush(): void } {
  const destination = pino.destination({ fd: 1, sync: false, minLength: FLUSH_AT_CHARS })
  let waiting = false
  const flushLater = (): void => {
    waiting = false
    destination.flush()
  }
  return {
    write: (line) => {
      destination.write(line)
      if (waiting) return
      waiting = true
      setTimeout(flushLater, FLUSH_AFTER_MS).unref()
    },
    flush: () => destination.flushSync(),
  }
}
