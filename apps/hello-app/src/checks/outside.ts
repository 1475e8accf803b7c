import { Client } from 'undici'
import type { Check, Outcome } from './check.js'
import type { Code } from './codes.js'
import { Dial, type DialTarget } from './dial.js'
import { deadlineCode, networkCode } from './network-code.js'

/** A page view waits for this, at the worst. */
export const OUTSIDE_TIMEOUT_MS = 3_000
/** Memory: a head without an end. The body is not read at all: the status has said what a check wants to know. */
export const MAX_HEAD_BYTES = 8 * 1024
export const USER_AGENT = 'hello-app/1.0'

export interface OutsideOptions extends DialTarget {
  readonly id: string
  readonly name: string
  readonly path: string
  readonly timeoutMs?: number
  /** What a status means here; undefined is one that was not expected. */
  readonly judge: (status: number) => Code | undefined
}

/** One GET over a verified TLS connection of its own: a kept one would tell what the network let through earlier. */
export function outsideCheck(options: OutsideOptions): Check {
  const { id, name, host } = options
  return { id, name, target: host, kind: 'outside', run: () => get(options) }
}

async function get(options: OutsideOptions): Promise<Outcome> {
  const { host, port, path, timeoutMs = OUTSIDE_TIMEOUT_MS, judge } = options
  const dial = new Dial(options)
  const client = new Client(`https://${host}:${port}`, { connect: dial.connect, maxHeaderSize: MAX_HEAD_BYTES })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), timeoutMs)
  })
  try {
    // Redirects are not followed: whoever answers does not choose whom this app calls next.
    const asked = client.request({ method: 'GET', path, headers: { 'user-agent': USER_AGENT, accept: '*/*' } })
    asked.then(({ body }) => body.on('error', () => {})).catch(() => {})
    const answer = await Promise.race([asked, late])
    if (answer === 'late') return { code: deadlineCode(dial.evidence()) }
    const { statusCode: status } = answer
    return { code: judge(status) ?? 'status-unexpected', status }
  } catch (cause) {
    const code = dial.untrusted ? 'tls-untrusted' : (networkCode(cause, dial.evidence()) ?? 'failed')
    return { code, cause }
  } finally {
    clearTimeout(timer)
    client.destroy().catch(() => {})
    dial.end()
  }
}
