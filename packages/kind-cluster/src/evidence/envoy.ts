import type { Sighting } from '@bulkhead/scenarios'
import { type Address, addressOf, jsonOf, longestLine, portOf, present, serviceOf, textOf, timeOf } from './fields.js'

/** What one line of an access log says, whichever form it is written in. */
interface Entry {
  readonly time: string | undefined
  readonly method: string | undefined
  readonly path: string | undefined
  readonly status: number
  readonly flags: string
  readonly details: string | undefined
  /** Why a connection without requests was ended. */
  readonly termination: string | undefined
  readonly authority: string | undefined
  readonly upstream: string | undefined
  readonly cluster: string | undefined
  readonly remote: string | undefined
  readonly local: string | undefined
}

/**
 * A line of a waypoint's or gateway's access log, in the form that Istio writes where nobody chooses one, or the same as JSON.
 * Requests one line each; Envoy keeps lines back for up to a second. Source of the form: Istio 1.30, the default of
 * `meshConfig.accessLogFormat`; of the reasons: Envoy's response code details.
 */
export function envoySighting(line: string, by: 'waypoint' | 'gateway'): Sighting | undefined {
  const entry = line.startsWith('{') ? jsonEntry(line) : textEntry(line)
  const at = timeOf(entry?.time)
  if (entry === undefined || at === undefined) return undefined
  const meaning = meaningOf(entry)
  // The tunnels that requests come in are no requests; only one that is refused tells something.
  if (entry.method === 'CONNECT' && meaning.outcome === 'allow') return undefined
  const cluster = clusterOf(entry.cluster)
  const local = addressOf(entry.local)
  const { method, path, status } = entry
  return {
    by,
    at,
    ...meaning,
    source: present({ ip: addressOf(entry.remote)?.ip }),
    destination: present({
      service: cluster?.service,
      host: entry.authority,
      ...addressed(addressOf(entry.upstream), local, cluster?.port),
    }),
    ...(method === undefined || path === undefined ? {} : { http: { method, path, ...(status > 0 && { status }) } }),
    line,
  }
}

type Meaning = Pick<Sighting, 'outcome' | 'code' | 'policy'>

function addressed(upstream: Address | undefined, local: Address | undefined, port: number | undefined) {
  return present({ ip: (upstream ?? local)?.ip, port: port ?? upstream?.port ?? local?.port })
}

const refusal = /^rbac_access_denied_matched_policy\[(?:ns\[([^\]]+)\]-policy\[([^\]]+)\]-rule\[\d+\]|([^\]]*))\]$/

function meaningOf({ status, flags, details, termination }: Entry): Meaning {
  const refused = refusal.exec(details ?? '') ?? refusal.exec(termination ?? '')
  if (refused !== null) {
    const [, namespace, name] = refused
    // `none`: there are policies that allow, and none of their rules matched.
    if (namespace === undefined || name === undefined) return { outcome: 'deny', code: 'authz.no-rule-allows' }
    return { outcome: 'deny', code: 'authz.rule-denies', policy: `AuthorizationPolicy/${namespace}/${name}` }
  }
  if (status === 400 && /^(?:http[12]\.|path_normalization_failed|missing_host|missing_path)/.test(details ?? '')) {
    return { outcome: 'deny', code: 'request.refused' }
  }
  if (/(?:^|,)UH(?:,|$)/.test(flags)) return { outcome: 'deny', code: 'network.no-endpoint' }
  // Which of the two it was, no such host or no such rule, it does not say.
  if (/(?:^|,)NR(?:,|$)/.test(flags)) return { outcome: 'deny' }
  if (status === 500 && details === 'direct_response') return { outcome: 'deny', code: 'route.no-backend' }
  // Something behind the proxy failed: what it was, the next hop's own log says.
  if (/(?:^|,)(?:UF|URX|UC|UT|LR|UR|UO)(?:,|$)/.test(flags)) return { outcome: 'unknown' }
  return { outcome: 'allow' }
}

/** `outbound|9080||web-api.shop.svc.cluster.local`, `inbound-vip|8000|http|...`: with a `;` behind it in some versions. */
function clusterOf(text: string | undefined): { readonly service?: string; readonly port?: number } | undefined {
  const [direction, port, , host] = (text ?? '').replace(/;$/, '').split('|')
  if (direction === undefined || host === undefined) return undefined
  const service = serviceOf(host)
  return { ...(service === undefined ? {} : { service }), ...portOf(port) }
}

/*
 * Quotes that a client sends are not escaped in the text form. What it can choose comes after what counts: the method and the
 * path, which hold no blank, then the proxy's own words, then all the rest. The last fields are counted from the end.
 */
const request = /^\[([^\]\s]{1,40})\] "(\S+) (\S+) (\S+)" (\d{1,3}) (\S+) (\S+) (\S+) /
const rest = /"([^"\s]*)" "([^"\s]*)" (\S+) (\S+) (\S+) (\S+) (\S+) (\S+)$/

function textEntry(line: string): Entry | undefined {
  if (line.length > longestLine) return undefined
  const start = request.exec(line)
  const end = rest.exec(line.trimEnd())
  if (start === null || end === null) return undefined
  const [, time, method, path, , status, flags = '-', details, termination] = start
  const [, authority, upstream, cluster, , local, remote] = end
  return {
    time,
    method: textOf(method),
    path: textOf(path),
    status: Number(status),
    flags,
    details: textOf(details),
    termination: textOf(termination),
    authority: textOf(authority),
    upstream: textOf(upstream),
    cluster: textOf(cluster),
    remote: textOf(remote),
    local: textOf(local),
  }
}

function jsonEntry(line: string): Entry | undefined {
  const json = jsonOf(line)
  if (json === undefined || !('response_flags' in json)) return undefined
  return {
    time: textOf(json.start_time),
    method: textOf(json.method),
    path: textOf(json.path),
    status: Number(json.response_code ?? 0) || 0,
    flags: textOf(json.response_flags) ?? '-',
    details: textOf(json.response_code_details),
    termination: textOf(json.connection_termination_details),
    authority: textOf(json.authority),
    upstream: textOf(json.upstream_host),
    cluster: textOf(json.upstream_cluster),
    remote: textOf(json.downstream_remote_address),
    local: textOf(json.downstream_local_address),
  }
}
