import type { ReasonCode } from '../reasons.js'
import type { Step } from '../types.js'
import { fact, type Sentence } from './fact.js'

/** `rule 0 of NetworkPolicy/shop/sleep-to-web-api` */
const rule = ({ rule: index, policy }: Step): string => `rule ${index} of ${policy}`

/** `on 5432/TCP`; a question of a name, what it asks for. */
function wanted(step: Step): string {
  const query = step.facts?.query === undefined ? '' : `, to ask for ${fact(step, 'query')}`
  return `on ${fact(step, 'port')}${query}`
}

/** Who is let out to whom, or in: `lets demo/hello-app out to demo/postgres on 15008/TCP`. */
function lets(step: Step): string {
  const [pod, peer] = [fact(step, 'pod'), fact(step, 'peer')]
  const way = step.facts?.direction === 'egress' ? `${pod} out to ${peer}` : `${peer} in to ${pod}`
  return `lets ${way} ${wanted(step)}`
}

function denies(step: Step): string {
  const [pod, peer] = [fact(step, 'pod'), fact(step, 'peer')]
  const way = step.facts?.direction === 'egress' ? `${pod} the way out to ${peer}` : `${peer} the way in to ${pod}`
  return `denies ${way} ${wanted(step)}`
}

/** `, only with the server name api.github.com` */
const lists = (step: Step): string => String(step.facts?.lists ?? '') || 'none'

type NetworkCode = Extract<ReasonCode, `cni.${string}` | 'network.no-policy'>

/** What the network layers say. */
export const network: Readonly<Record<NetworkCode, Sentence>> = {
  'cni.rule-allows': (step) => {
    const carries = step.facts?.carries === undefined ? '' : `, which carries ${fact(step, 'carries')}`
    return `${rule(step)} ${lets(step)}${carries}`
  },
  'cni.rule-denies': (step) => `${rule(step)} ${denies(step)}`,
  'cni.default-deny': (step) => {
    const [pod, peer] = [fact(step, 'pod'), fact(step, 'peer')]
    const way = step.facts?.direction === 'egress' ? `it out to ${peer}` : `${peer} in`
    const who =
      step.facts?.mode === 'always'
        ? `Cilium isolates every pod (policyEnforcementMode: always), so ${pod} too`
        : `policies isolate ${pod}`
    return `${who}, and no rule lets ${way} ${wanted(step)}`
  },
  'cni.own-node': (step) => `${fact(step, 'pod')} and its own node are never kept apart`,
  'cni.sni-denied': (step) => {
    const named = step.facts?.sni === 'none' ? 'this connection names none' : `this one names ${fact(step, 'sni')}`
    return `${rule(step)} ${lets(step)} only with the server name ${lists(step)}, and ${named}`
  },
  'cni.http-denied': (step) =>
    `${rule(step)} ${lets(step)} only with a request that is ${lists(step)}, and this is ${fact(step, 'request')}`,
  'cni.dns-denied': (step) =>
    `${rule(step)} lets ${fact(step, 'pod')} ask ${fact(step, 'peer')} only for ${lists(step)}, and this is ${fact(step, 'query')}`,
  'cni.auth-required': (step) =>
    `${rule(step)} ${lets(step)} only with Cilium's mutual authentication (mode ${fact(step, 'mode')}), which is not there`,
  'network.no-policy': (step) =>
    step.facts?.mode === 'never'
      ? 'Cilium enforces no policy (policyEnforcementMode: never)'
      : `no network policy isolates ${fact(step, 'pod')} for ${fact(step, 'direction')}`,
}

/** What a packet that comes from a waypoint no longer tells. */
export const behindWaypoint =
  'behind a waypoint the network sees the waypoint, whoever called it: which caller is let in is for its policies to say'

/** What a step teaches beside its reason; undefined for most. */
export function note(step: Step): string | undefined {
  const { carries, opens } = step.facts ?? {}
  if (step.code === 'cni.rule-allows' && carries !== undefined) {
    return 'the mesh sends everything to 15008: which port of the pod is opened is for AuthorizationPolicy to say'
  }
  if (step.code === 'cni.default-deny' && opens !== undefined) {
    return `mesh traffic arrives on 15008, whichever port is asked for: a rule for ${opens} alone lets none of it in or out`
  }
  return undefined
}
