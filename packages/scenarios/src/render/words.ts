import { printable } from '@bulkhead/resources/printable'
import { type Symptom, symptoms } from '@bulkhead/verdict/terms'
import { hostOf, outside } from '../flow.js'
import type { Reason, ScenarioResult, View } from '../result.js'
import type { Attempt, LayerState, Observation, Scenario, Sighting } from '../types.js'
import { witnessName } from '../witness.js'
import { columns } from './layout.js'

/** Text of which others chose parts, such as what a pod's program said at its end: line by line, without what a terminal would obey. */
export const shownLines = (text: string): readonly string[] => text.split('\n').map(printable)

/** What the attacker saw, and what curl would have ended with. */
export function sawText(symptom: Symptom): string {
  const { curl, says } = symptoms[symptom]
  return curl.length === 0 ? says : `${says} (curl ${curl.join(', ').replace(/, (?=\d+$)/, ' or ')})`
}

/** `shop/notsleep → shop/web-api:8080`, and what it did there when that is not a plain `GET /`; `run shop/thief` where it is only there. */
export function attemptText({ from, attempt }: Pick<Scenario, 'from' | 'attempt'>): string {
  if (attempt.kind === 'run') return `run ${from}`
  return `${from === outside ? 'the outside' : from} → ${destinationText(attempt)}`
}

function destinationText(attempt: Attempt): string {
  const { kind, to, port } = attempt
  const name = nameOf(to)
  switch (kind) {
    case 'hbone':
      return `${name}:15008`
    case 'socket':
      return `${name}, its private socket`
    case 'dns':
      return `DNS ${attempt.dns?.query ?? name}`
    case 'http':
      return attempt.tls === undefined
        ? `${name}:${port}${requestText(attempt)}${timesText(attempt)}`
        : `https://${name}${port === 443 ? '' : `:${port}`}${requestText(attempt)}${timesText(attempt)}${nameText(attempt)}`
    case 'postgres':
    case 'mongo':
      return `${name}:${port}, ${attempt[kind] === undefined ? kind : `${kind} login`}`
    default:
      return `${name}:${port}, ${kind}`
  }
}

/** ` POST /x at example.org`: only what is not as usual. A host is said wherever one is asked for. */
function requestText({ http }: Attempt): string {
  const { method = 'GET', path = '/', headers } = http ?? {}
  const host = hostOf(headers)
  return `${method === 'GET' && path === '/' ? '' : ` ${method} ${path}`}${host === undefined ? '' : ` at ${host}`}`
}

/** `, with a token, 9 times`: whose it is the story tells. */
function timesText({ bearer, times = 1 }: Attempt): string {
  return `${bearer === undefined ? '' : ', with a token'}${times === 1 ? '' : `, ${times} times`}`
}

/** `, as x in its ClientHello`: where that is another name than the one that is dialled. */
function nameText({ tls, to }: Attempt): string {
  const isOwn = tls?.sni === undefined || ('host' in to && to.host === tls.sni)
  return isOwn ? '' : `, as ${tls?.sni} in its ClientHello`
}

function nameOf(to: Attempt['to']): string {
  if ('service' in to) return to.service
  if ('workload' in to) return `pod ${to.workload}`
  if ('host' in to) return to.host
  if ('node' in to) return `node ${to.node}`
  if ('labels' in to) return `a pod of ${to.namespace}`
  return to.ip
}

/** Why it was stopped: a sentence, and a line for each policy that has a say in it. */
export function reasonLines({ code, policies }: Reason): readonly string[] {
  const rows = policies.map(({ policy, at = '' }) => [printable(policy), at])
  return [words[code] ?? code, ...columns(rows, '  ')]
}

/** What the API server answered, a line each; nothing where it was not asked, or let it in. */
export function answerLines(view: Pick<View, 'message'> | undefined): readonly string[] {
  const lines = (view?.message ?? '').split('\n').map((line) => printable(line.trim()))
  return lines
    .filter((line) => line !== '')
    .map((line, index) => (index === 0 ? `the API server: ${line}` : `  ${line}`))
}

/** Whether anything was tried at all. */
export const wasTried = ({ status }: Pick<ScenarioResult, 'status'>): boolean =>
  status !== 'skipped' && status !== 'not-made'

/** What a cluster's own records say of what was stopped, a line each; that none says it where one should. */
export function sightingLines({
  sightings = [],
  observed,
  unwitnessed,
}: Pick<ScenarioResult, 'sightings' | 'observed' | 'unwitnessed'>): readonly string[] {
  const denials = observed?.outcome === 'stopped' ? sightings.filter(({ outcome }) => outcome === 'deny') : []
  // A client tries again, and a packet is sent again: once is enough.
  const lines = [...new Set(denials.map((sighting) => `seen: ${sightingText(sighting)}`))]
  if (unwitnessed !== true) return lines
  return [
    ...lines,
    'unwitnessed: nothing in the logs of ztunnel, Cilium and the gateways says that it was stopped there',
  ]
}

/** `ztunnel says authz.no-rule-allows`: who, what, and by which policy, as far as it says so. */
function sightingText({ by, code, policy, http }: Sighting): string {
  const asked = http === undefined ? '' : ` to ${http.method} ${http.path}`
  const who = witnessName[by]
  return printable(
    `${who} ${code === undefined ? `refused${asked} without saying why` : `says ${code}${asked}`}${policy === undefined ? '' : `, ${policy}`}`,
  )
}

const words: Readonly<Record<string, string>> = {
  'authz.no-rule-allows': 'no rule allows the call',
  'authz.rule-denies': 'a rule denies the caller',
  'mtls.strict-no-identity': 'whoever calls must show a certificate',
  'hbone.no-certificate': 'the mesh takes nobody without a certificate',
  'hbone.untrusted-certificate': 'the mesh trusts no certificate but its own',
  'hbone.expired-certificate': 'the certificate has expired',
  'hbone.stolen-certificate': 'the key is not the one in the certificate',
  'hbone.wrong-target': 'a pod answers for no pod but itself',
  'route.no-host': 'the gateway answers for no such host',
  'route.no-match': 'no rule of its routes takes the request',
  'route.no-backend': 'its route leads nowhere',
  'cni.default-deny': 'the network lets nothing by that no rule allows',
  'cni.rule-denies': 'a rule of the network denies it',
  'cni.sni-denied': 'the name in its ClientHello is not one that may be asked for',
  'cni.http-denied': 'the network lets no such request by',
  'cni.dns-denied': 'the name is not one that may be asked for',
  'admission.denied': 'it may not be created',
  'admission.failed': 'a policy that could not be asked lets nothing be created',
  'not-modelled': 'what is not known here is not let in',
  'network.nothing-listens': 'nothing listens there',
  'network.no-endpoint': 'no pod is there that could take it',
  'network.no-such-name': 'there is no such name',
  'network.unreachable': 'there is no way to it from this pod',
}

/** What arrived: `200, 1,204 bytes`. */
export function arrivedText({ http, bytes, phase }: Observation): string {
  const size = `${bytes.toLocaleString('en')} ${bytes === 1 ? 'byte' : 'bytes'}`
  if (phase === 'held') return `stays open, ${size}`
  return http === undefined ? size : `${http.status}, ${size}`
}

export function layersText(layers: readonly LayerState[]): string {
  const names = (on: boolean): string =>
    layers
      .filter((layer) => layer.on === on)
      .map(({ name }) => name)
      .join(', ')
  const [on, off] = [names(true), names(false)]
  return `layers on: ${on || 'none'}${off === '' ? '' : `; off: ${off}`}`
}
