import type { Sighting } from '@bulkhead/scenarios'
import { jsonOf, listOf, portOf, present, recordOf, textOf, timeOf } from './fields.js'

type Json = Readonly<Record<string, unknown>>

/** Cilium's numbers for what a flow was made of (pkg/monitor/api): a dropped packet, a policy's verdict, a request that was read. */
const kinds = { drop: 1, verdict: 5, request: 129 } as const

/**
 * A flow of `hubble observe -o jsonpb` (or `-o json`, the same without its envelope): what Cilium's policies said of a packet, or
 * of a request that it read. Packets that only passed by some point, and answers, say nothing of policies. Source of the form:
 * Cilium 1.20, api/v1/flow and pkg/hubble/parser; policies are named by pkg/policy/correlation, and only where a rule matched.
 */
export function hubbleSighting(line: string): Sighting | undefined {
  const json = jsonOf(line)
  const flow = recordOf(json?.flow) ?? json
  const at = timeOf(flow?.time)
  const meaning = flow === undefined ? undefined : meaningOf(flow)
  if (flow === undefined || at === undefined || meaning === undefined || isReply(flow)) return undefined
  const ip = recordOf(flow.IP)
  const { http, name } = requestOf(flow)
  return {
    by: 'hubble',
    at,
    ...meaning,
    source: present({ workload: workloadOf(flow.source), ip: textOf(ip?.source) }),
    destination: present({
      workload: workloadOf(flow.destination),
      service: serviceOf(flow.destination_service),
      host: name ?? textOf(listOf(flow.destination_names)[0]),
      ip: textOf(ip?.destination),
      ...portOf(l4Of(flow)?.destination_port),
    }),
    ...(http === undefined ? {} : { http }),
    line,
  }
}

type Meaning = Pick<Sighting, 'outcome' | 'code' | 'policy'>

function meaningOf(flow: Json): Meaning | undefined {
  const kind = recordOf(flow.event_type)?.type
  const isRequest = flow.Type === 'L7' || recordOf(flow.l7) !== undefined
  switch (flow.verdict) {
    case 'DROPPED':
      return isRequest ? { outcome: 'deny', ...requestCode(flow) } : dropOf(flow)
    case 'FORWARDED':
    case 'REDIRECTED':
      // Every point that a packet passes is told; what a policy said of it only here.
      return isRequest || kind === kinds.verdict ? { outcome: 'allow' } : undefined
    case 'ERROR':
      return { outcome: 'unknown' }
    default:
      return undefined
  }
}

/** What is dropped for another reason than a policy (a checksum, no route) is none of the walls' doing. */
function dropOf(flow: Json): Meaning {
  const reason = textOf(flow.drop_reason_desc) ?? byNumber[Number(flow.drop_reason)]
  const code = reason === undefined ? undefined : dropCodes[reason]
  if (code === undefined) return { outcome: 'unknown' }
  const policy = namedPolicy(flow)
  return { outcome: 'deny', code, ...(policy === undefined ? {} : { policy }) }
}

const dropCodes: Readonly<Record<string, string>> = {
  POLICY_DENIED: 'cni.default-deny',
  POLICY_DENY: 'cni.rule-denies',
  AUTH_REQUIRED: 'cni.auth-required',
}
const byNumber: Readonly<Record<number, string>> = { 133: 'POLICY_DENIED', 181: 'POLICY_DENY', 189: 'AUTH_REQUIRED' }

/** The rule's policy, with its kind: one name, or that of the first where several have the same rule. */
function namedPolicy(flow: Json): string | undefined {
  for (const list of [flow.egress_denied_by, flow.ingress_denied_by]) {
    for (const item of listOf(list)) {
      const policy = recordOf(item)
      const [kind, name, namespace] = [textOf(policy?.kind), textOf(policy?.name), textOf(policy?.namespace)]
      if (kind !== undefined && name !== undefined) return [kind, namespace, name].filter(Boolean).join('/')
    }
  }
  return undefined
}

/** What Cilium's proxies refuse has no drop reason; what was read tells which of its rules it was. */
function requestCode(flow: Json): { readonly code?: string } {
  const l7 = recordOf(flow.l7)
  if (recordOf(l7?.dns) !== undefined) return { code: 'cni.dns-denied' }
  if (recordOf(l7?.http) !== undefined) return { code: 'cni.http-denied' }
  // A connection whose ClientHello did not do: the only one that is refused before anything of a request was read.
  return l7?.kafka === undefined && recordOf(recordOf(flow.l4)?.TCP) !== undefined ? { code: 'cni.sni-denied' } : {}
}

function requestOf(flow: Json): { readonly http?: Sighting['http']; readonly name?: string } {
  const l7 = recordOf(flow.l7)
  const http = recordOf(l7?.http)
  const method = textOf(http?.method)
  const url = textOf(http?.url)
  const name = textOf(recordOf(l7?.dns)?.query)?.replace(/\.$/, '')
  const code = Number(http?.code)
  return {
    ...(method === undefined || url === undefined
      ? {}
      : { http: { method, path: pathOf(url), ...(code > 0 && { status: code }) } }),
    ...(name === undefined ? {} : { name }),
  }
}

const pathOf = (url: string): string => url.replace(/^[a-z]+:\/\/[^/]*(?=\/|$)/i, '') || '/'

/** An answer, which no policy is asked about. */
function isReply(flow: Json): boolean {
  const reply = recordOf(flow.is_reply)?.value ?? flow.is_reply
  return reply === true || recordOf(flow.l7)?.type === 'RESPONSE'
}

function l4Of(flow: Json): Json | undefined {
  const l4 = recordOf(flow.l4)
  return recordOf(l4?.TCP) ?? recordOf(l4?.UDP) ?? recordOf(l4?.SCTP)
}

/** The workload that controls the pod, else the pod; what is in no namespace is no workload. */
function workloadOf(endpoint: unknown): string | undefined {
  const of = recordOf(endpoint)
  const namespace = textOf(of?.namespace)
  const name = textOf(recordOf(listOf(of?.workloads)[0])?.name) ?? textOf(of?.pod_name)
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`
}

function serviceOf(service: unknown): string | undefined {
  const of = recordOf(service)
  const [namespace, name] = [textOf(of?.namespace), textOf(of?.name)]
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`
}
