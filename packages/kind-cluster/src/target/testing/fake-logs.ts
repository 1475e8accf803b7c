import { isIP } from 'node:net'
import type { Snapshot, Step, Verdict } from '@bulkhead/verdict'

/** Who writes a line: the pod that is asked for its log. */
export interface Written {
  readonly by: 'ztunnel' | 'hubble' | 'proxy'
  /** Of a proxy: its pod. */
  readonly pod?: string
  readonly line: string
}

export interface Call {
  readonly http?: { readonly method: string; readonly path: string; readonly host: string }
  readonly dns?: string
}

/** What the point that decided writes down of a stop, in the form in which it writes; nothing where it has no words for it. */
export function linesOf(verdict: Verdict, call: Call, snapshot: Snapshot): readonly Written[] {
  const step = verdict.decidedBy === undefined ? undefined : verdict.steps[verdict.decidedBy.step]
  const hop = step === undefined ? undefined : verdict.hops[step.hop]
  if (step === undefined || hop === undefined || step.code.startsWith('network.')) return []
  const at = new Date().toISOString()
  const { src: source, dst, port } = hop.tuple
  const to = { ip: addressOf(dst), port }
  switch (step.point) {
    case 'ztunnel':
      return [{ by: 'ztunnel', line: ztunnelLine(at, step, source, to) }]
    case 'cni-egress':
    case 'cni-ingress':
      return [{ by: 'hubble', line: hubbleLine(at, step, source, to, call) }]
    case 'gateway':
    case 'waypoint':
      return proxyLines(at, step, source, to, call, snapshot)
    default:
      return []
  }
}

/** Of a host the engine has the name alone. */
const addressOf = (dst: string): string =>
  dst.endsWith('.example') ? '172.18.0.5' : isIP(dst) === 0 ? '192.0.2.7' : dst

interface At {
  readonly ip: string
  readonly port: number
}

function named(policy: string | undefined): readonly [kind: string, namespace: string, name: string] {
  const [kind = '', namespace = '', name = ''] = policy?.split('/') ?? []
  return [kind, namespace, name]
}

function ztunnelLine(at: string, { code, policy }: Step, source: string, to: At): string {
  const [, namespace, name] = named(policy)
  const words: Readonly<Record<string, string>> = {
    'authz.no-rule-allows': 'connection closed due to policy rejection: allow policies exist, but none allowed',
    'authz.rule-denies': `connection closed due to policy rejection: explicitly denied by: ${namespace}/${name}`,
    'mtls.strict-no-identity':
      'connection closed due to policy rejection: explicitly denied by: istio-system/istio_converted_static_strict',
    'hbone.untrusted-certificate': 'tls error: invalid peer certificate: UnknownIssuer',
    'hbone.no-certificate': 'tls error: peer sent no certificates',
  }
  const why = words[code] ?? `tls error: ${code}`
  return `${at}\terror\taccess\tconnection complete\tsrc.addr=${source}:42020 dst.addr=${to.ip}:15008 dst.hbone_addr=${to.ip}:${to.port} direction="inbound" bytes_sent=0 bytes_recv=0 duration="0ms" error="${why}"`
}

function hubbleLine(at: string, step: Step, source: string, to: At, { dns, http }: Call): string {
  const [kind, namespace, name] = named(step.policy)
  const l7 = step.code === 'cni.dns-denied' || step.code === 'cni.http-denied'
  const drops: Readonly<Record<string, string>> = {
    'cni.rule-denies': 'POLICY_DENY',
    'cni.default-deny': 'POLICY_DENIED',
  }
  const drop = drops[step.code]
  const l4 = { source_port: 41000, destination_port: to.port }
  return JSON.stringify({
    flow: {
      ...{ time: at, verdict: 'DROPPED', IP: { source, destination: to.ip, ipVersion: 'IPv4' } },
      l4: dns === undefined ? { TCP: l4 } : { UDP: l4 },
      ...{ Type: l7 || drop === undefined ? 'L7' : 'L3_L4', traffic_direction: 'EGRESS', is_reply: false },
      ...(drop !== undefined && { drop_reason_desc: drop }),
      ...(step.code === 'cni.rule-denies' && { egress_denied_by: [{ kind, namespace, name }] }),
      ...(step.code === 'cni.dns-denied' && { l7: { type: 'REQUEST', dns: { query: `${dns}.` } } }),
      ...(step.code === 'cni.http-denied' && {
        l7: { type: 'REQUEST', http: { method: http?.method, url: `http://${http?.host}${http?.path}` } },
      }),
    },
  })
}

function proxyLines(
  at: string,
  step: Step,
  source: string,
  to: At,
  { http }: Call,
  snapshot: Snapshot,
): readonly Written[] {
  const [, namespace, name] = named(step.policy)
  const details: Readonly<Record<string, string>> = {
    'authz.no-rule-allows': 'rbac_access_denied_matched_policy[none]',
    'authz.rule-denies': `rbac_access_denied_matched_policy[ns[${namespace}]-policy[${name}]-rule[0]]`,
  }
  const how = details[step.code]
  const status = how === undefined ? '404 NR route_not_found' : `403 - ${how}`
  const { method = 'GET', path = '/', host = '-' } = http ?? {}
  const line = `[${at}] "${method} ${path} HTTP/1.1" ${status} - "-" 0 19 0 - "-" "node" "1227bbf1" "${host}" "-" - - ${to.ip}:${to.port} ${source}:59462 - default`
  // Every proxy keeps a log of its own; which one it was is the reader's to find out.
  return [...snapshot.pods.values()]
    .filter(({ ip }) => ip === to.ip)
    .map((pod) => ({ by: 'proxy', pod: pod.name, line }))
}
