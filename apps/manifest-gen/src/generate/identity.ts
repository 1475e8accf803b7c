import type { Caller, Description, Labels } from '../description/types.js'
import { fromName } from './names.js'
import { type KubernetesObject, ownLabels, policyMeta, principal } from './objects.js'

/** Who is really calling: nobody without a certificate. */
export function mtls({ name, namespace }: Description): readonly KubernetesObject[] {
  return [
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: policyMeta(name, namespace, `Who is really calling ${name}?`),
      spec: { selector: { matchLabels: ownLabels(name) }, mtls: { mode: 'STRICT' } },
    },
  ]
}

/** Which identity may open which port, here and at what it calls. */
export function identity(description: Description): readonly KubernetesObject[] {
  const { name, namespace, listens, callers, calls } = description
  const from = callers.map(callerPrincipal)
  return [
    allow(name, namespace, `Who may call ${name}?`, ownLabels(name), from, listens === undefined ? [] : [listens.port]),
    ...calls.map((callee) =>
      allow(
        fromName(callee.name, description),
        callee.namespace,
        `May ${namespace}/${name} call ${callee.namespace}/${callee.name}?`,
        callee.labels,
        [principal(namespace, name)],
        callee.ports,
      ),
    ),
  ]
}

export const callerPrincipal = ({ namespace, serviceAccount }: Caller): string => principal(namespace, serviceAccount)

/** An ALLOW for ztunnel. Without anybody to allow it has no rule, matches nothing, and closes the pods. */
export function allow(
  name: string,
  namespace: string,
  question: string,
  labels: Labels,
  principals: readonly string[],
  ports: readonly number[],
): KubernetesObject {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: policyMeta(name, namespace, question),
    spec: {
      selector: { matchLabels: labels },
      action: 'ALLOW',
      ...(principals.length > 0 && {
        rules: [{ from: [{ source: { principals } }], to: [{ operation: { ports: ports.map(String) } }] }],
      }),
    },
  }
}
