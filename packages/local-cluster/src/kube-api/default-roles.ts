import type { PolicyRule } from '@bulkhead/resources'
import type { Binding, Role } from './rbac.js'

/*
 * Roles and bindings that every cluster has without a manifest, as far as they matter to what is served here (Kubernetes,
 * default roles and role bindings).
 */

const read = ['get', 'list', 'watch']

/** What `view` lets see of the namespaced objects of the core group. Secrets are not among it. */
const viewed: readonly PolicyRule[] = [
  {
    verbs: read,
    apiGroups: [''],
    resources: [
      ...['pods', 'pods/log', 'pods/status', 'services', 'endpoints', 'configmaps', 'events', 'serviceaccounts'],
      ...['persistentvolumeclaims', 'replicationcontrollers', 'resourcequotas', 'limitranges', 'namespaces'],
    ],
  },
  { verbs: read, apiGroups: ['apps'], resources: ['deployments', 'statefulsets', 'daemonsets', 'replicasets'] },
]

export const defaultRoles: readonly Role[] = [
  {
    name: 'cluster-admin',
    rules: [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { verbs: ['*'], nonResourceURLs: ['*'] },
    ],
  },
  // Of these three only what can be read is told apart here: nothing can be written.
  { name: 'view', rules: viewed },
  { name: 'edit', rules: viewed },
  { name: 'admin', rules: viewed },
  {
    name: 'system:discovery',
    rules: [
      {
        verbs: ['get'],
        nonResourceURLs: [
          ...['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*'],
          ...['/healthz', '/livez', '/readyz', '/version', '/version/'],
        ],
      },
    ],
  },
  {
    name: 'system:public-info-viewer',
    rules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version', '/version/'] }],
  },
]

const group = (name: string) => ({ kind: 'Group', name }) as const
const clusterRole = (name: string) => ({ kind: 'ClusterRole', name })

export const defaultBindings: readonly Binding[] = [
  { subjects: [group('system:masters')], role: clusterRole('cluster-admin') },
  { subjects: [group('system:authenticated')], role: clusterRole('system:discovery') },
  {
    subjects: [group('system:authenticated'), group('system:unauthenticated')],
    role: clusterRole('system:public-info-viewer'),
  },
]
