import type { Attempt, Observation, ResolvedAttempt } from '@bulkhead/scenarios'
import type { Symptom } from '@bulkhead/verdict'
import type { Command, Tools } from '../../tools.js'
import { TargetError } from '../errors.js'
import { textAt, valueAt } from '../live/index.js'
import { canShell, parseAnswer, shellObservation, shellScript, shellWords, symptomOfAnswer } from './by-shell.js'

/** Behind the answer curl writes this, and how it went, as JSON. */
const mark = '\nbulkhead-curl: '
const graceMs = 15_000

/**
 * A program of a node calls: docker's exec, with the curl that kind's node image has, for requests over plain HTTP, and its bash for the
 * first message to a MongoDB.
 * @throws TargetError `not-makeable`, `attempt-failed`
 */
export async function fromNode(
  node: string,
  attempt: ResolvedAttempt,
  tools: Tools,
  signal?: AbortSignal,
): Promise<Observation> {
  mustBePlain(attempt)
  if (attempt.kind === 'mongo') return byShell(node, attempt, tools, signal)
  const { code, stdout, stderr } = await tools.run(commandOf(node, attempt), signal === undefined ? {} : { signal })
  const at = stdout.lastIndexOf(mark)
  if (at === -1)
    throw new TargetError(
      'attempt-failed',
      `curl on the node ${node} did not run (exit code ${code}): ${stderr.trim()}`,
    )
  return observationOf(stdout.slice(0, at), JSON.parse(stdout.slice(at + mark.length)), attempt)
}

/** @throws TargetError `not-makeable` for what nothing on a node speaks */
export function mustBePlain(attempt: Attempt): void {
  const { kind, tls, hold } = attempt
  if (kind === 'http' && tls === undefined && hold !== true) return
  if (kind === 'mongo' && canShell(attempt)) return
  throw new TargetError(
    'not-makeable',
    `kind's node image has curl and bash, and nothing that makes an attempt of kind ${kind} as this one; plain requests are made from a node, and the first message to a MongoDB.`,
  )
}

async function byShell(
  node: string,
  attempt: ResolvedAttempt,
  tools: Tools,
  signal?: AbortSignal,
): Promise<Observation> {
  const command: Command = {
    tool: 'docker',
    args: ['exec', '-i', node, ...shellWords(attempt)],
    stdin: shellScript(attempt),
    timeoutMs: (attempt.timeoutMs ?? 15_000) + graceMs,
  }
  const result = await tools.run(command, signal === undefined ? {} : { signal })
  const seen = shellObservation(attempt, result)
  if (seen !== undefined) return seen
  throw new TargetError(
    'attempt-failed',
    `bash on the node ${node} did not run (exit code ${result.code}): ${result.stderr.trim()}`,
  )
}

function commandOf(node: string, { host, port, http, token, timeoutMs = 15_000 }: ResolvedAttempt): Command {
  const { method = 'GET', path = '/', headers = {}, body } = http ?? {}
  const all = { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) }
  // A configuration on stdin: what is secret of it is in no list of processes.
  const config = [
    `url = ${quoted(`http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`)}`,
    `request = ${quoted(method)}`,
    ...(method === 'HEAD' ? ['head'] : []),
    ...Object.entries(all).map(([name, value]) => `header = ${quoted(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`data-binary = ${quoted(body)}`]),
    `max-time = ${Math.ceil(timeoutMs / 1000)}`,
    ...['silent', 'include', 'path-as-is', 'globoff', 'noproxy = "*"'],
    `write-out = ${quoted(`${mark}%{json}`)}`,
  ]
  return {
    tool: 'docker',
    args: ['exec', '-i', node, 'curl', '--disable', '--config', '-'],
    stdin: `${config.join('\n')}\n`,
    timeoutMs: timeoutMs + graceMs,
    ...(token !== undefined && { secret: true }),
  }
}

const quoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')}"`

function observationOf(answer: string, told: unknown, { lateResetMs = 900 }: ResolvedAttempt): Observation {
  const exit = valueAt(told, 'exitcode')
  const seconds = (name: string): number => Math.round(Number(valueAt(told, name) ?? 0) * 1000)
  const [connect, firstByte, end] = [seconds('time_connect'), seconds('time_starttransfer'), seconds('time_total')]
  const timings = { ...(connect > 0 && { connect }), ...(firstByte > 0 && { firstByte }), end }
  if (exit === 0) {
    const http = parseAnswer(answer)
    return { symptom: symptomOfAnswer(http), phase: 'answer', timings, bytes: http.body.length, http }
  }
  const symptom = symptomOfExit(Number(exit), connect > 0, end - connect >= lateResetMs)
  const message = textAt(told, 'errormsg') ?? `curl ended with ${String(exit)}`
  return {
    symptom,
    phase: connect > 0 ? 'request' : 'connect',
    timings,
    bytes: 0,
    error: { code: `CURL_${String(exit)}`, message },
  }
}

/** curl's exit codes: 6 no such name, 7 not connected, 28 out of time, 52 and 56 closed without an answer. */
function symptomOfExit(exit: number, connected: boolean, late: boolean): Symptom {
  if (exit === 6) return 'dns-not-found'
  if (exit === 7) return 'refused'
  if (exit === 28) return connected ? 'no-answer' : 'timeout'
  return late ? 'late-reset' : 'reset'
}
