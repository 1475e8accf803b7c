import type { Container, PodSpec, ServiceAccount } from '@bulkhead/resources'

/** Where programs look for what they need to ask the API server (admission plugin ServiceAccount). */
export const accessPath = '/var/run/secrets/kubernetes.io/serviceaccount'
/** The ConfigMap that every namespace has: the root of the API server's certificate. */
export const rootCaName = 'kube-root-ca.crt'
export const rootCaKey = 'ca.crt'

const VOLUME = 'kube-api-access'
const TOKEN_SECONDS = 3607

/** As the kubelet gives them to every container, also where a pod has no service links. */
export const serviceEnv: Readonly<Record<string, string>> = {
  KUBERNETES_SERVICE_HOST: '10.96.0.1',
  KUBERNETES_SERVICE_PORT: '443',
  KUBERNETES_SERVICE_PORT_HTTPS: '443',
  KUBERNETES_PORT: 'tcp://10.96.0.1:443',
  KUBERNETES_PORT_443_TCP: 'tcp://10.96.0.1:443',
  KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
  KUBERNETES_PORT_443_TCP_PORT: '443',
  KUBERNETES_PORT_443_TCP_ADDR: '10.96.0.1',
}

/**
 * The pod as it is admitted: with a volume that holds a token, the API server's root and the namespace, mounted where a
 * container has mounted nothing itself; unless the pod, or else its account, wants none.
 */
export function withAccess(spec: PodSpec, account: ServiceAccount | undefined): PodSpec {
  if (!(spec.automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true)) return spec
  const lacks = ({ volumeMounts = [] }: Container) => !volumeMounts.some(({ mountPath }) => mountPath === accessPath)
  const all = [...spec.containers, ...(spec.initContainers ?? [])]
  if (!all.some(lacks)) return spec
  const { volumes = [] } = spec
  const taken = new Set(volumes.map(({ name }) => name))
  let name = VOLUME
  for (let n = 2; taken.has(name); n++) name = `${VOLUME}-${n}`
  const mount = (container: Container): Container =>
    lacks(container)
      ? {
          ...container,
          volumeMounts: [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: accessPath }],
        }
      : container
  return {
    ...spec,
    containers: spec.containers.map(mount),
    ...(spec.initContainers !== undefined && { initContainers: spec.initContainers.map(mount) }),
    volumes: [...volumes, { name, projected: { sources } }],
  }
}

const sources = [
  { serviceAccountToken: { path: 'token', expirationSeconds: TOKEN_SECONDS } },
  { configMap: { name: rootCaName, items: [{ key: rootCaKey, path: 'ca.crt' }] } },
  { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
]
