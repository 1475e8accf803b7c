import type { ReasonCode } from '../reasons.js'
import type { Closest, Step } from '../types.js'
import { admission } from './admission.js'
import { cut, fact, type Sentence } from './fact.js'
import { network } from './network.js'

function caller(step: Step): string {
  const { identity, ip } = step.facts ?? {}
  if (identity === undefined) return `a caller without an identity (${ip ?? 'no address'})`
  return String(identity).replace('spiffe://', '')
}

const ignored: Sentence = (step) => {
  if (step.facts?.ignored === undefined) return ''
  return `; ${step.point === 'ztunnel' ? 'ztunnel' : 'the proxy'} ignores ${fact(step, 'ignored')}`
}

/** Whom the policies of a step protect: a pod, a gateway, or what is called through a waypoint. */
const protectee: Sentence = (step) => {
  if (step.point !== 'waypoint') return fact(step, step.point === 'gateway' ? 'gateway' : 'pod')
  const called = step.facts?.service === undefined ? fact(step, 'pod') : `Service ${fact(step, 'service')}`
  return `${called} at waypoint ${fact(step, 'waypoint')}`
}

/** What was asked of it: a connection to a port, or a request. */
function call(step: Step): string {
  const port = `on port ${fact(step, 'port')}`
  if (step.facts?.request === undefined) return `${caller(step)} ${port}`
  // That callers of a gateway have no identity goes without saying.
  const who = step.facts.identity === undefined ? fact(step, 'ip') : caller(step)
  return `${fact(step, 'request')} from ${who} ${port}`
}

const whyPast: Readonly<Record<string, Sentence>> = {
  'pod-address': (step) => `the pod itself was called, and the waypoint is for ${servedBy(step)}`,
  'service-address': (step) => `the Service was called, and the waypoint is for ${servedBy(step)}`,
  ingress: () => 'a gateway goes straight to the pod, unless the Service says istio.io/ingress-use-waypoint',
  'not-captured': () => 'the caller is not in the mesh, and only its ztunnel would lead there',
  'not-allowed': () => 'its allowedRoutes let nothing of this namespace in',
  missing: () => 'there is no Gateway of that name, and a waypoint that is missing is as none',
  'never-ready': () => 'it has not been ready yet, and until then it is as none',
}

function servedBy(step: Step): string {
  const serves = fact(step, 'serves')
  return serves === 'service' ? 'Services' : serves === 'workload' ? 'workloads' : 'nobody'
}

/** Every reason as one English sentence, without the file and line: those stand beside it. */
export const en: Readonly<Record<ReasonCode, Sentence>> = {
  'mtls.no-policy': (step) => `no PeerAuthentication speaks for ${fact(step, 'pod')}: PERMISSIVE by default`,
  'mtls.permissive': (step) => `${step.policy} says ${fact(step, 'mode')}: plain text is accepted too`,
  'mtls.strict-identity': (step) => `${step.policy} says STRICT, and the caller is ${caller(step)}`,
  'mtls.strict-no-identity': (step) => `${step.policy} says STRICT, and this is ${caller(step)}`,
  'authz.no-allow-policy': (step) => `no ALLOW policy selects ${protectee(step)}: allowed by default${ignored(step)}`,
  'authz.rule-allows': (step) => `rule ${step.rule} of ${step.policy} allows ${call(step)}${ignored(step)}`,
  'authz.rule-denies': (step) => `rule ${step.rule} of ${step.policy} denies ${call(step)}${ignored(step)}`,
  'authz.no-rule-allows': (step) =>
    `ALLOW policies select ${protectee(step)}, and no rule of theirs ${step.point === 'ztunnel' ? 'lists' : 'allows'} ${call(step)}${ignored(step)}`,
  'request.refused': (step) => `${fact(step, 'request')} is answered with 400: ${fact(step, 'why')}`,
  'waypoint.walked-past': (step) =>
    `waypoint ${fact(step, 'waypoint')} is not on the way: ${whyPast[String(step.facts?.why)]?.(step) ?? fact(step, 'why')}`,
  'route.forwards': (step) =>
    `rule ${step.rule} of ${step.policy} sends ${fact(step, 'request')} to ${fact(step, 'backend')}`,
  'route.redirects': (step) =>
    `rule ${step.rule} of ${step.policy} answers ${fact(step, 'request')} with ${fact(step, 'location')}`,
  'route.no-host': (step) =>
    `no route of ${fact(step, 'gateway')} answers for the host ${fact(step, 'host')} (it has ${fact(step, 'has')})`,
  'route.no-match': (step) =>
    `routes of ${fact(step, 'gateway')} answer for the host, and no rule of theirs matches ${fact(step, 'request')}`,
  'route.no-backend': (step) => `rule ${step.rule} of ${step.policy} matches, and ${fact(step, 'why')}`,
  'hbone.no-certificate': (step) => `the HBONE port of ${fact(step, 'pod')} wants a certificate, and none was shown`,
  'hbone.untrusted-certificate': (step) =>
    `the mesh's CA did not sign the certificate shown to ${fact(step, 'pod')} (${fact(step, 'certificate')})`,
  'hbone.expired-certificate': (step) => `the certificate shown to ${fact(step, 'pod')} is no longer valid`,
  'hbone.stolen-certificate': (step) =>
    `the certificate shown to ${fact(step, 'pod')} is real, but its key is not the caller's`,
  'hbone.own-port': (step) =>
    `port ${fact(step, 'port')} of ${fact(step, 'pod')} is ztunnel's own, and takes no call of an application's`,
  'hbone.wrong-target': (step) =>
    step.point === 'waypoint'
      ? `${fact(step, 'pod')} was asked for what it does not serve (${fact(step, 'target')})`
      : `${fact(step, 'pod')} was asked to connect on to another pod`,
  ...network,
  'network.nothing-listens': (step) => {
    const what = fact(step, 'what')
    const lacks = what.startsWith('Service ') ? 'has no' : 'is not known to listen on'
    return `${what} ${lacks} port ${fact(step, 'port')} (it has ${fact(step, 'has')})`
  },
  'network.no-endpoint': (step) =>
    step.facts?.waypoint === undefined
      ? `Service ${fact(step, 'service')} has no pod behind it that serves this port`
      : `waypoint ${fact(step, 'waypoint')} has been ready once, and none of its pods is left: it is not gone round`,
  'network.no-such-name': (step) => `the name ${fact(step, 'host')} does not exist`,
  'network.unreachable': (step) => {
    const why = step.facts?.why === undefined ? '' : `: ${fact(step, 'why')}`
    return `nothing answers for ${fact(step, 'host')} from there${why}`
  },
  'network.loopback': (step) => `${fact(step, 'pod')} calls itself: its loopback crosses no wall`,
  ...admission,
  'past-ztunnel': (step) => `${fact(step, 'why')}: ztunnel of ${fact(step, 'pod')} is not asked`,
  'not-in-mesh': (step) => `${fact(step, 'pod')} is not captured: ztunnel enforces nothing there`,
  'not-modelled': (step) => `${fact(step, 'what')} is not modelled, so this cannot be said`,
}

/** The sentence of a step's reason. */
export function sentence(step: Step): string {
  return en[step.code](step)
}

/** How each attribute of a rule is spoken of: what it wants, and what the call has. */
const attributes: Readonly<Record<string, readonly [wants: string, has: string]>> = {
  principals: ['principal', 'the caller is'],
  namespaces: ['namespace', "the caller's is"],
  serviceAccounts: ['service account', "the caller's is"],
  ipBlocks: ['an address in', "the caller's is"],
  ports: ['port', 'the call is to'],
  'source.principal': ['principal', 'the caller is'],
  'source.namespace': ['namespace', "the caller's is"],
  'source.ip': ['an address in', "the caller's is"],
  'destination.ip': ['the destination in', 'it is'],
  'destination.port': ['port', 'the call is to'],
  trustDomains: ['trust domain', "the caller's is"],
  'source.serviceAccount': ['service account', "the caller's is"],
  remoteIpBlocks: ['a client in', 'it is'],
  'remote.ip': ['a client in', 'it is'],
  hosts: ['host', 'the request is to'],
  methods: ['method', 'the request is a'],
  paths: ['path', "the request's is"],
  peer: ['', 'this is'],
  port: ['port', 'this is'],
  protocol: ['protocol', 'this is'],
}

/** What a request has where it has nothing. */
const absences: ReadonlySet<string> = new Set([
  'no host',
  'no path',
  'no such header',
  'no TLS',
  'no token that was checked',
])

/** The rule that nearly allowed: `rule 0 of AuthorizationPolicy/shop/web-api-rbac (file:12) wants principal A or B, the caller is C`. */
export function closestSentence({ policy, rule, at, lacks }: Closest): string {
  return `rule ${rule} of ${policy} (${at}) ${lacks.map(lackSentence).join(', and ')}`
}

function lackSentence({ attribute, wants, has }: Closest['lacks'][number]): string {
  if (wants.length === 0) return `has ${attribute}: ${has}`
  const negated = / not$/.test(attribute) || /^not[A-Z]/.test(attribute)
  const plain = attribute.replace(/^when /, '').replace(/ not$/, '')
  const name = /^not[A-Z]/.test(plain) ? plain.charAt(3).toLowerCase() + plain.slice(4) : plain
  const header = /^request\.headers\[(.+)\]$/.exec(name)?.[1]
  const [wanted, got] =
    header !== undefined ? [`header ${header}`, 'it is'] : (attributes[name] ?? [name, 'the call has'])
  const instead =
    has === 'no identity' ? 'the caller has none' : absences.has(has) ? `there is ${has}` : `${got} ${cut(has)}`
  const words = ['wants', wanted, negated ? 'other than' : '', wants.join(' or ')].filter((word) => word !== '')
  return `${words.join(' ')}, ${instead}`
}
