import { type Attempt, flowOf } from '@bulkhead/scenarios'
import { type Flow, reasonCodes, symptoms } from '@bulkhead/verdict'
import type { Call } from './types.js'

const name = '[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?'
const form = new RegExp(
  `^(?<from>outside|${name}/${name}) -> (?<service>${name}/${name}):(?<port>\\d{1,5})` +
    '(?: (?<method>[A-Z]+) (?<path>/\\S*))?(?: host (?<host>\\S+))?' +
    ' sees (?<sees>[a-z0-9-]+)(?: (?<status>\\d{3}))?(?: by (?<code>[a-z.-]+))?$',
)
const example = 'shop/notsleep -> shop/web-api:8080 GET / sees reset by authz.no-rule-allows'

/** Reads one; what is wrong with it otherwise, as a sentence. */
export function readCall(text: string): Call | string {
  const groups = form.exec(text.trim())?.groups
  if (groups === undefined) return `${JSON.stringify(text)} is no call; write ${example}`
  const { from = '', service = '', port, method = 'GET', path = '/', host, sees = '', status, code } = groups
  if (!isSymptom(sees)) return `${JSON.stringify(sees)} is no symptom; docs/reasons.md lists them`
  if (code !== undefined && !(reasonCodes as readonly string[]).includes(code))
    return `${JSON.stringify(code)} is no reason code; docs/reasons.md lists them`
  return {
    text: text.trim(),
    from,
    to: { service },
    port: Number(port),
    http: { method, path, ...(host !== undefined && { headers: { host } }) },
    sees,
    ...(status !== undefined && { status: Number(status) }),
    ...(code !== undefined && { code }),
  }
}

const isSymptom = (text: string): text is Call['sees'] => Object.hasOwn(symptoms, text)

export const attemptOf = ({ to, port, http }: Call): Attempt => ({ kind: 'http', to, port, http })

/** The call, for the engine to judge. */
export function judgedFlow(call: Call): Flow {
  const flow = flowOf(call.from, attemptOf(call))
  if (flow === undefined) throw new TypeError(`${call.text} is no flow`)
  return flow
}
