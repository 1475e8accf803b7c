import { quote } from '../diagnostics.js'
import type { AuthorizationPolicy, AuthorizationSource } from '../kinds.js'
import type { Diagnostic, FieldPath, Resource } from '../types.js'
import { type Cluster, ROOT_NAMESPACE, warning } from './cluster.js'

/** What policies name: targets, identities, namespaces. A name that nothing has is a door that never opens, or one that never shuts. */
export function checkPolicies(cluster: Cluster): Diagnostic[] {
  return cluster.resources.flatMap((resource) => {
    if (resource.kind !== 'AuthorizationPolicy' || !resource.object.apiVersion.startsWith('security.istio.io/'))
      return []
    const { spec } = resource.object as AuthorizationPolicy
    return [...checkTargets(cluster, resource, spec), ...checkRules(cluster, resource, spec)]
  })
}

function checkTargets(cluster: Cluster, resource: Resource, spec: AuthorizationPolicy['spec']): Diagnostic[] {
  return [...(spec?.targetRefs ?? []).entries()].flatMap(([index, { group = '', kind, name }]) => {
    if (kind === 'GatewayClass' && resource.namespace !== ROOT_NAMESPACE) {
      return [
        warning(
          resource,
          'target.gateway-class',
          ['spec', 'targetRefs', index],
          `a GatewayClass is targeted from ${ROOT_NAMESPACE} only, so the policy guards nothing; put it there, or target a Gateway of ${resource.namespace}`,
        ),
      ]
    }
    // Made by istiod, on every cluster with Istio.
    if (kind === 'GatewayClass' && (name === 'istio' || name === 'istio-waypoint')) return []
    const isThere =
      cluster.get(
        group === 'core' ? '' : group,
        kind,
        kind === 'GatewayClass' ? undefined : resource.namespace,
        name,
      ) !== undefined
    const where = kind === 'GatewayClass' ? '' : ` in ${resource.namespace}`
    return isThere
      ? []
      : [
          warning(
            resource,
            'reference.target',
            ['spec', 'targetRefs', index],
            `it targets the ${kind} ${quote(name)}, and there is none${where}, so the policy guards nothing`,
          ),
        ]
  })
}

function checkRules(cluster: Cluster, resource: Resource, spec: AuthorizationPolicy['spec']): Diagnostic[] {
  return [...(spec?.rules ?? []).entries()].flatMap(([index, rule]) =>
    [...(rule.from ?? []).entries()].flatMap(([entry, { source }]) =>
      source === undefined
        ? []
        : checkSource(cluster, resource, source, ['spec', 'rules', index, 'from', entry, 'source']),
    ),
  )
}

function checkSource(cluster: Cluster, resource: Resource, source: AuthorizationSource, path: FieldPath): Diagnostic[] {
  const found: Diagnostic[] = []
  const each = (fields: readonly (keyof AuthorizationSource)[], check: (value: string, at: FieldPath) => void) => {
    for (const field of fields)
      for (const [index, value] of (source[field] ?? []).entries()) check(value, [...path, field, index])
  }
  const account = (namespace: string, name: string, written: string, at: FieldPath) => {
    if (!cluster.hasServiceAccount(namespace, name)) {
      found.push(
        warning(
          resource,
          'reference.service-account',
          at,
          `${quote(written)} is nobody here: there is no ServiceAccount ${quote(name)} in ${namespace}`,
        ),
      )
    }
  }
  each(['principals', 'notPrincipals'], (value, at) => {
    const [, namespace, name] = /^[^*/]+\/ns\/([^*/]+)\/sa\/([^*/]+)$/.exec(value) ?? []
    if (namespace !== undefined && name !== undefined) account(namespace, name, value, at)
  })
  each(['serviceAccounts', 'notServiceAccounts'], (value, at) => {
    const slash = value.indexOf('/')
    account(slash === -1 ? (resource.namespace ?? 'default') : value.slice(0, slash), value.slice(slash + 1), value, at)
  })
  each(['namespaces', 'notNamespaces'], (value, at) => {
    if (!value.includes('*') && cluster.lacksNamespace(value))
      found.push(warning(resource, 'reference.namespace', at, `there is no Namespace ${quote(value)}`))
  })
  return found
}

/** Once for each namespace, at its first object: a namespace that is not there has many. */
export function checkNamespaces(cluster: Cluster): Diagnostic[] {
  const told = new Set<string>()
  return cluster.resources.flatMap((resource) => {
    const { namespace } = resource
    if (namespace === undefined || told.has(namespace) || !cluster.lacksNamespace(namespace)) return []
    told.add(namespace)
    const others = cluster.resources.filter((one) => one.namespace === namespace).length - 1
    const more = others === 0 ? '' : `, like ${others} more`
    return [
      warning(
        resource,
        'reference.namespace',
        ['metadata', 'namespace'],
        `it lies in the namespace ${quote(namespace)}${more}, and there is no such Namespace among the manifests`,
      ),
    ]
  })
}
