import type { Attempt, Observation, ResolvedAttempt } from '@bulkhead/scenarios'
import type { Symptom } from '@bulkhead/verdict'
import type { CommandResult } from '../../tools.js'
import { helloMessage } from './mongo-hello.js'

/*
 * An attempt by the bash of an image that is not ours, as somebody would make it who owns a database's pod, or a node: bash opens
 * connections itself, and says when. A request over plain HTTP, or the first message to a MongoDB.
 */

/** Before each line of the script's own; what came of the far side stands in hexadecimal between two of them. */
const mark = 'bulkhead'
/** Of bash 5. */
const clock = ['$', '{EPOCHREALTIME/./}'].join('')
const mostBytes = 256 * 1024
/** What `timeout` of coreutils ends with when it had to end the program. */
const ENDED = 124

/** Whether bash can make it. */
export const canShell = ({ kind, tls, hold, times, bearer, mongo }: Attempt): boolean =>
  (kind === 'http' || kind === 'mongo') &&
  [tls, bearer, mongo].every((one) => one === undefined) &&
  hold !== true &&
  (times ?? 1) === 1

/** The program that is run, beside where; the script comes on its stdin. */
export const shellWords = ({ timeoutMs = 15_000 }: ResolvedAttempt): readonly string[] => [
  ...['timeout', String(Math.ceil(timeoutMs / 1000)), 'bash'],
]

/** The script. Nothing of the attempt is read as one: what is sent is in octal, and host and port are checked. */
export function shellScript(attempt: ResolvedAttempt): string {
  const { host, port, kind } = attempt
  if (!/^[a-z0-9.-]+$/i.test(host) || !Number.isInteger(port))
    throw new RangeError(`${JSON.stringify(host)} cannot be dialled`)
  const sent = kind === 'mongo' ? helloMessage() : Buffer.from(requestOf(attempt))
  const octal = [...sent].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
  // A database's server waits for more; who is asked for a page closes behind it.
  const read = kind === 'mongo' ? 'dd bs=65536 count=1 status=none' : `head -c ${mostBytes}`
  return [
    'export LC_ALL=C',
    // Bash sends line by line: who is closed to before the last one has something to say, too.
    "trap '' PIPE",
    // In microseconds: it has six digits behind its dot.
    `begin=${clock}`,
    `say() { local now=${clock}; echo "${mark} $(( (now - begin) / 1000 )) $1"; }`,
    `exec 3<>/dev/tcp/${host}/${port} || { say unconnected; exit 0; }`,
    'say connected',
    `printf '${octal}' >&3`,
    'say sent',
    `${read} <&3 | od -An -v -tx1`,
    'say end',
    '',
  ].join('\n')
}

function requestOf({ host, port, http }: ResolvedAttempt): string {
  const { method = 'GET', path = '/', headers = {}, body = '' } = http ?? {}
  const all = {
    host: `${host}:${port}`,
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    connection: 'close',
    ...(body !== '' && { 'content-length': String(Buffer.byteLength(body)) }),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** What it saw; undefined when the script did not run. */
export function shellObservation(
  attempt: ResolvedAttempt,
  { code, stdout, stderr }: Pick<CommandResult, 'code' | 'stdout' | 'stderr'>,
): Observation | undefined {
  const lines = stdout.split('\n')
  const at = new Map(
    lines.flatMap((line) => {
      const [first, ms, what] = line.split(' ')
      return first === mark && what !== undefined ? [[what, Number(ms)] as const] : []
    }),
  )
  const connect = at.get('connected')
  const end = at.get('end') ?? at.get('unconnected') ?? attempt.timeoutMs ?? 0
  const timings = { ...(connect !== undefined && { connect }), end }
  const failed = (symptom: Symptom, phase: Observation['phase']): Observation => ({
    ...{ symptom, phase, timings, bytes: 0 },
    error: { code: 'BASH', message: stderr.trim().split('\n').at(-1) || `no answer within ${end} ms` },
  })
  if (at.has('unconnected')) return failed(unconnected(stderr, end, attempt), 'connect')
  const answer = Buffer.from(
    lines
      .filter((line) => /^( [0-9a-f]{2})+$/.test(line))
      .join('')
      .replaceAll(' ', ''),
    'hex',
  )
  if (answer.length > 0) return answered(attempt, answer, timings)
  if (code === ENDED) return connect === undefined ? failed('timeout', 'connect') : failed('no-answer', 'request')
  if (connect === undefined || !at.has('end')) return undefined
  return failed(end - connect >= (attempt.lateResetMs ?? 900) ? 'late-reset' : 'reset', 'request')
}

/** bash's own words for what the system said. */
function unconnected(stderr: string, ms: number, { lateResetMs = 900 }: ResolvedAttempt): Symptom {
  if (/Connection refused/.test(stderr)) return 'refused'
  if (/Temporary failure in name resolution/.test(stderr)) return ms < lateResetMs ? 'dns-refused' : 'dns-timeout'
  if (/Name or service not known|No address associated/.test(stderr)) return 'dns-not-found'
  if (/reset by peer/.test(stderr)) return 'reset'
  return 'timeout'
}

function answered({ kind }: ResolvedAttempt, answer: Buffer, timings: Observation['timings']): Observation {
  const common = { phase: 'answer', timings, bytes: answer.length } as const
  if (kind === 'mongo') return { symptom: 'ok', ...common }
  const http = parseAnswer(answer.toString('utf8'))
  return { symptom: symptomOfAnswer(http), ...common, bytes: http.body.length, http }
}

/** An answer as it came over the wire. */
export function parseAnswer(answer: string): NonNullable<Observation['http']> {
  const end = answer.indexOf('\r\n\r\n')
  const head = end === -1 ? answer : answer.slice(0, end)
  const [first = '', ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  return { status: Number(first.split(' ')[1] ?? 0), headers, body: end === -1 ? '' : answer.slice(end + 4) }
}

/** A proxy's refusal is told from an application's by its body. */
export function symptomOfAnswer({ status, body }: NonNullable<Observation['http']>): Symptom {
  if (status !== 403) return 'ok'
  if (body === 'RBAC: access denied') return 'rbac-403'
  return /^Access denied\s*$/.test(body) ? 'cilium-403' : 'ok'
}
