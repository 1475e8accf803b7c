import type { Description } from '../description/types.js'
import { type KubernetesObject, ownLabels } from './objects.js'

/** The user of an image that names none: not root, and nobody of the node's. */
const USER = 10_001

/**
 * What runs, and defends nothing but itself: an account without a token, the pods, and the Service before them. The
 * account says which pods may have it, where whoever may only create pods cannot write.
 */
export function workload(description: Description): readonly KubernetesObject[] {
  const { name, namespace, repository, listens } = description
  const account: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      name,
      namespace,
      annotations: { 'bulkhead.dev/pods': `app=${name}`, 'bulkhead.dev/images': repository },
    },
    automountServiceAccountToken: false,
  }
  return [account, ...(listens === undefined ? [] : [service(description, listens)]), deployment(description)]
}

function service(
  { name, namespace, waypoint }: Description,
  { servicePort, protocol }: NonNullable<Description['listens']>,
): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace,
      labels: {
        ...ownLabels(name),
        ...(waypoint !== undefined && {
          'istio.io/use-waypoint': waypoint.name,
          // A gateway goes round a waypoint unless the Service says this.
          'istio.io/ingress-use-waypoint': 'true',
        }),
      },
    },
    spec: { selector: ownLabels(name), ports: [{ name: protocol, port: servicePort, targetPort: protocol }] },
  }
}

function deployment(description: Description): KubernetesObject {
  const { name, namespace, replicas } = description
  const labels = { ...ownLabels(name), version: 'v1' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: name,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 20,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: USER,
            runAsGroup: USER,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [container(description)],
        },
      },
    },
  }
}

function container({ name, image, args, env, listens, resources }: Description): Readonly<Record<string, unknown>> {
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    ...(args.length > 0 && { args }),
    ...(env.length > 0 && {
      env: env.map((one) =>
        'value' in one
          ? { name: one.name, value: one.value }
          : { name: one.name, valueFrom: { secretKeyRef: { name: one.secret.name, key: one.secret.key } } },
      ),
    }),
    ...(listens !== undefined && {
      ports: [{ name: listens.protocol, containerPort: listens.port }],
      ...probes(listens),
    }),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    resources,
  }
}

function probes({ protocol, health }: NonNullable<Description['listens']>): Readonly<Record<string, unknown>> {
  const ask = (path: string | undefined) =>
    path === undefined ? { tcpSocket: { port: protocol } } : { httpGet: { path, port: protocol } }
  return {
    startupProbe: { ...ask(health?.live), periodSeconds: 1, failureThreshold: 30 },
    readinessProbe: { ...ask(health?.ready), periodSeconds: 5 },
    livenessProbe: { ...ask(health?.live), periodSeconds: 10 },
  }
}
