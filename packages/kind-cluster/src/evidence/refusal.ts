import type { Sighting } from '@bulkhead/scenarios'

/** What an object was refused by, in the API server's words, as kubectl passes them on. */
interface Said {
  /** Of which object: its id, where whoever asked knows it. */
  readonly object?: string
  readonly at: string
}

/**
 * A refusal in kubectl's stderr, one sighting for each policy that it names. Empty for any other failure. Kyverno's own webhooks
 * answer for its policies; Pod Security, and the API server's own policies, are the API server.
 */
export function refusalSightings(stderr: string, { object, at }: Said): readonly Sighting[] {
  const text = stderr.length > longestAnswer ? stderr.slice(0, longestAnswer) : stderr
  const workload = object?.split('/').slice(1).join('/')
  const seen = (by: Sighting['by'], policy: string | undefined): Sighting => ({
    by,
    at,
    outcome: 'deny',
    source: {},
    destination: workload === undefined ? {} : { workload },
    code: 'admission.denied',
    ...(policy === undefined ? {} : { policy }),
    line: text.trim(),
  })
  const webhook = /admission webhook "([^"]{1,253})" denied the request:\s*([\s\S]*)/.exec(text)
  if (webhook !== null) {
    const [, name = '', answer = ''] = webhook
    if (!/\bkyverno\b/.test(name)) return [seen('api-server', undefined)]
    const policies = kyvernoPolicies(name, answer)
    return (policies.length === 0 ? [undefined] : policies).map((policy) => seen('kyverno', policy))
  }
  const security = /\bis forbidden: violates PodSecurity "/.exec(text)
  if (security !== null) {
    // The namespace's own labels ask for it.
    const namespace = workload?.includes('/') === true ? workload.split('/')[0] : undefined
    return [seen('api-server', namespace === undefined ? undefined : `Namespace/${namespace}`)]
  }
  const own = /ValidatingAdmissionPolicy '([^']{1,253})' with binding '[^']*' denied request/.exec(text)
  return own === null ? [] : [seen('api-server', `ValidatingAdmissionPolicy/${own[1]}`)]
}

const longestAnswer = 64 * 1024

/** Which kind of policy answers at which of Kyverno's webhooks. */
const kindOf: readonly (readonly [RegExp, string])[] = [
  [/^nvpol\./, 'NamespacedValidatingPolicy'],
  [/^vpol\./, 'ValidatingPolicy'],
  [/^ivpol\./, 'ImageValidatingPolicy'],
]

function kyvernoPolicies(webhook: string, answer: string): readonly string[] {
  const kind = kindOf.find(([name]) => name.test(webhook))?.[1]
  // Of a namespaced policy its name alone is told.
  if (kind !== undefined) return distinct(answer, /(?:^|[;\n]\s*)Policy ([a-z0-9.-]{1,253}) failed:/g, kind)
  // `validate.kyverno.svc-fail`: the deprecated form, a heading for each policy and its rules below it.
  return distinct(answer, /^([a-z0-9.-]{1,253}):\s*$/gm, 'ClusterPolicy')
}

function distinct(text: string, names: RegExp, kind: string): readonly string[] {
  return [...new Set([...text.matchAll(names)].map(([, name]) => `${kind}/${name}`))]
}
