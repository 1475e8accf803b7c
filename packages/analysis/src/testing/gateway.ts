import type { Manifest } from './objects.js'

/*
 * Test code: a gateway and its routes.
 */

/** `ns/name`, with one HTTP listener on port 80. */
export function gateway(key: string, hostname?: string, port = 80): Manifest {
  const [namespace = '', name = ''] = key.split('/')
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace },
    spec: {
      gatewayClassName: 'istio',
      listeners: [{ name: 'http', port, protocol: 'HTTP', ...(hostname !== undefined && { hostname }) }],
    },
  }
}

export interface RouteOptions {
  readonly hostnames?: readonly string[]
  readonly rules?: readonly object[]
}

/** A rule that sends what its matches take to a Service's port 80. */
export const ruleTo = (service: string, ...matches: readonly object[]): object => ({
  ...(matches.length > 0 && { matches }),
  backendRefs: [{ name: service, port: 80 }],
})

/** `ns/name`, attached to a gateway of its namespace. */
export function route(key: string, to: string, { hostnames, rules }: RouteOptions = {}): Manifest {
  const [namespace = '', name = ''] = key.split('/')
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace },
    spec: {
      parentRefs: [{ name: to }],
      ...(hostnames !== undefined && { hostnames }),
      ...(rules !== undefined && { rules }),
    },
  }
}

/** An ALLOW for a gateway alone. */
export function allowAt(key: string, to: string, rules: readonly object[]): Manifest {
  const [namespace = '', name = ''] = key.split('/')
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace },
    spec: {
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: to }],
      action: 'ALLOW',
      rules,
    },
  }
}
