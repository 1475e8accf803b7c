import { isIP } from 'node:net'
import { type Attempt, flowOf } from '@bulkhead/scenarios'
import { type Flow, reasonCodes, symptoms } from '@bulkhead/verdict'
import type { Call } from './types.js'

const name = '[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?'
const service = `${name}/${name}`
const number = '\\d{1,5}'

/** What is no Service: a name, or an address, which nobody has to be asked for. */
const beyond = (host: string): Attempt['to'] => (isIP(host) === 0 ? { host } : { ip: host })

/** What is called, in the ways that a page writes it. */
const forms: readonly (readonly [RegExp, (groups: Readonly<Record<string, string | undefined>>) => Attempt])[] = [
  [
    new RegExp(`^(?<to>${service}):(?<port>${number})(?: (?<method>[A-Z]+) (?<path>/\\S*))?(?: host (?<host>\\S+))?$`),
    ({ to = '', port, method = 'GET', path = '/', host }) => ({
      kind: 'http',
      to: { service: to },
      port: Number(port),
      http: { method, path, ...(host !== undefined && { headers: { host } }) },
    }),
  ],
  [
    new RegExp(`^pod (?<to>${service}):(?<port>${number})(?: (?<method>[A-Z]+) (?<path>/\\S*))?$`),
    ({ to = '', port, method = 'GET', path = '/' }) => ({
      kind: 'http',
      to: { workload: to },
      port: Number(port),
      http: { method, path },
    }),
  ],
  [
    new RegExp(`^https://(?<host>${name})(?::(?<port>${number}))?(?<path>/\\S*)(?: sni (?<sni>${name}))?$`),
    ({ host = '', port = '443', path = '/', sni }) => ({
      kind: 'http',
      to: beyond(host),
      port: Number(port),
      tls: sni === undefined ? {} : { sni },
      http: { method: 'GET', path },
    }),
  ],
  [
    new RegExp(`^http://(?<host>${name})(?::(?<port>${number}))?(?<path>/\\S*)$`),
    ({ host = '', port = '80', path = '/' }) => ({
      kind: 'http',
      to: beyond(host),
      port: Number(port),
      http: { method: 'GET', path },
    }),
  ],
  [
    new RegExp(`^postgres (?<to>${service}):(?<port>${number})$`),
    ({ to = '', port }) => ({ kind: 'postgres', to: { service: to }, port: Number(port) }),
  ],
  [
    new RegExp(`^mongo (?<to>${service}):(?<port>${number})$`),
    ({ to = '', port }) => ({ kind: 'mongo', to: { service: to }, port: Number(port) }),
  ],
  [
    new RegExp(`^udp (?:(?<to>${service})|(?<host>${name})):(?<port>${number})$`),
    ({ to, host = '', port }) => ({
      kind: 'udp',
      to: to === undefined ? beyond(host) : { service: to },
      port: Number(port),
      send: 'hello',
    }),
  ],
  [
    new RegExp(`^dns (?<query>${name})$`),
    ({ query = '' }) => ({ kind: 'dns', to: { service: 'kube-system/kube-dns' }, port: 53, dns: { query } }),
  ],
]

const request = / [A-Z]+ \//
const frame = new RegExp(
  `^(?<from>outside|${service}) -> (?<called>.+?) sees (?<sees>[a-z0-9-]+)(?: (?<status>\\d{3}))?(?: by (?<code>[a-z.-]+))?$`,
)
const example = 'shop/notsleep -> shop/web-api:8080 GET / sees reset by authz.no-rule-allows'

/** Reads one; what is wrong with it otherwise, as a sentence. */
export function readCall(text: string): Call | string {
  const groups = frame.exec(text.trim())?.groups
  const called = groups?.called ?? ''
  const attempt = readAttempt(called)
  if (groups === undefined || attempt === undefined) return `${JSON.stringify(text)} is no call; write ${example}`
  const { from = '', sees = '', status, code } = groups
  if (!isSymptom(sees)) return `${JSON.stringify(sees)} is no symptom; docs/reasons.md lists them`
  if (code !== undefined && !(reasonCodes as readonly string[]).includes(code))
    return `${JSON.stringify(code)} is no reason code; docs/reasons.md lists them`
  return {
    text: text.trim(),
    from,
    to: called.split(/ (?:[A-Z]+ \/|host )/)[0] ?? called,
    attempt,
    ...(request.test(called) && { asks: true }),
    sees,
    ...(status !== undefined && { status: Number(status) }),
    ...(code !== undefined && { code }),
  }
}

function readAttempt(called: string): Attempt | undefined {
  for (const [form, attemptOf] of forms) {
    const groups = form.exec(called)?.groups
    if (groups !== undefined) return attemptOf(groups)
  }
  return undefined
}

const isSymptom = (text: string): text is Call['sees'] => Object.hasOwn(symptoms, text)

/** The call, for the engine to judge. */
export function judgedFlow(call: Call): Flow {
  const flow = flowOf(call.from, call.attempt)
  if (flow === undefined) throw new TypeError(`${call.text} is no flow`)
  return flow
}
