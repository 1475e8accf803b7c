import { type Symptom, symptoms } from '@bulkhead/verdict'
import type { Reason } from '../result.js'
import type { Attempt, LayerState, Observation, Scenario } from '../types.js'

/** What the attacker saw, and what curl would have ended with. */
export function sawText(symptom: Symptom): string {
  const { curl, says } = symptoms[symptom]
  return curl.length === 0 ? says : `${says} (curl ${curl.join(' or ')})`
}

/** `shop/notsleep -> web-api:8080`, and what it did there when that is not plain HTTP. */
export function attemptText({ from, attempt }: Pick<Scenario, 'from' | 'attempt'>): string {
  return `${from} → ${destinationText(attempt)}`
}

function destinationText(attempt: Attempt): string {
  const { kind, to, port, certificate } = attempt
  const name = nameOf(to)
  switch (kind) {
    case 'hbone':
      return certificate === undefined ? `${name}:15008, plain text` : `${name}:15008, ${certificateText(certificate)}`
    case 'socket':
      return `${name}, its private socket`
    case 'dns':
      return `DNS ${attempt.dns?.query ?? name}`
    case 'http':
      return `${name}:${port}`
    default:
      return `${name}:${port}, ${kind}`
  }
}

function nameOf(to: Attempt['to']): string {
  if ('service' in to) return to.service
  if ('workload' in to) return `pod ${to.workload}`
  if ('host' in to) return to.host
  if ('node' in to) return `node ${to.node}`
  if ('labels' in to) return `a pod of ${to.namespace}`
  return to.ip
}

function certificateText(certificate: NonNullable<Attempt['certificate']>): string {
  switch (certificate) {
    case 'none':
      return 'no certificate'
    case 'self-signed':
      return 'a self-signed certificate'
    case 'expired':
      return 'an expired certificate'
    case 'other-domain':
      return "another mesh's certificate"
    case 'stolen':
      return 'a certificate without its key'
  }
}

/** Why it was stopped: one line for each policy that has a part in it, or one that says why no policy was needed. */
export function reasonLines({ code, policies }: Reason): readonly string[] {
  const placed = policies.map(({ policy, at }) => (at === undefined ? policy : `${policy}  ${at}`))
  switch (code) {
    case 'authz.no-rule-allows':
      return placed.length === 0
        ? ['no rule lists the caller']
        : placed.map((line) => `no rule for the caller: ${line}`)
    case 'authz.rule-denies':
      return placed.map((line) => `denied by ${line}`)
    case 'mtls.strict-no-identity':
      return placed.length === 0
        ? ['a caller must show a certificate']
        : placed.map((line) => `no certificate, no entry: ${line}`)
    default:
      return placed.length === 0 ? [words[code] ?? code] : placed.map((line) => `${words[code] ?? code}: ${line}`)
  }
}

const words: Readonly<Record<string, string>> = {
  'hbone.no-certificate': 'the mesh takes nobody without a certificate',
  'hbone.untrusted-certificate': 'the mesh trusts no certificate but its own',
  'hbone.expired-certificate': 'the certificate is over',
  'hbone.stolen-certificate': 'the key is not the one in the certificate',
  'hbone.wrong-target': 'a pod answers for no pod but itself',
  'network.nothing-listens': 'nothing listens there: a pod has a loopback of its own',
  'network.unreachable': 'there is no way to it from this pod',
}

/** What arrived: `200, 1,204 bytes`. */
export function arrivedText({ http, bytes, phase }: Observation): string {
  const size = `${bytes.toLocaleString('en')} ${bytes === 1 ? 'byte' : 'bytes'}`
  if (phase === 'held') return `the connection stays open, ${size}`
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
