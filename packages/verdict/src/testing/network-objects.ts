import type {
  CiliumClusterwideNetworkPolicy,
  CiliumNetworkPolicy,
  CiliumRule,
  NetworkPolicy,
  Resource,
} from '@bulkhead/resources'
import { type MakeOptions, resource } from './objects.js'

/*
 * Test code: policies of the network layers from plain objects, as objects.ts makes the others.
 */

/** `ns/name`: a NetworkPolicy. */
export function netpol(key: string, spec: NetworkPolicy['spec'], options?: MakeOptions): Resource {
  const [namespace = '', name = ''] = key.split('/')
  return resource(
    { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec },
    options,
  )
}

/** `ns/name`: a CiliumNetworkPolicy. */
export function cnp(key: string, spec: CiliumRule | readonly CiliumRule[], options?: MakeOptions): Resource {
  const [namespace = '', name = ''] = key.split('/')
  const kind: CiliumNetworkPolicy['kind'] = 'CiliumNetworkPolicy'
  return resource(
    {
      apiVersion: 'cilium.io/v2',
      kind,
      metadata: { name, namespace },
      ...(Array.isArray(spec) ? { specs: spec } : { spec }),
    },
    options,
  )
}

/** A CiliumClusterwideNetworkPolicy. */
export function ccnp(name: string, spec: CiliumRule | readonly CiliumRule[], options?: MakeOptions): Resource {
  const kind: CiliumClusterwideNetworkPolicy['kind'] = 'CiliumClusterwideNetworkPolicy'
  return resource(
    { apiVersion: 'cilium.io/v2', kind, metadata: { name }, ...(Array.isArray(spec) ? { specs: spec } : { spec }) },
    options,
  )
}
