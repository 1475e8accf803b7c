import type { Attempt } from '@bulkhead/scenarios'

/** Addresses that are kept for examples: nobody has them. */
const forExamples = /^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$/
const metadataService = '169.254.169.254'

/**
 * Why an attempt cannot be made on any cluster of kind's, whatever stands on it. An attempt whose far side does not exist fails with
 * every wall down, so that its failing proves no wall.
 */
export function nowhereOnACluster({ kind, to, certificate }: Attempt): string | undefined {
  if (kind === 'socket')
    return 'the private socket of a pod is a thing of the local target; on a cluster a pod has a network namespace of its own instead.'
  if (certificate === 'stolen' || certificate === 'expired')
    return `a${certificate === 'expired' ? 'n expired' : ' stolen'} certificate of another workload is not to be had here: on a cluster ztunnel asks istiod for them, keeps the keys in its own memory and shows them to nobody.`
  if (kind === 'dns') return undefined
  const host = 'host' in to ? to.host : undefined
  if (host !== undefined && /(^|\.)(example|invalid|test)\.?$/.test(host))
    return `${host} is a name that nobody has, and here there is no stand-in for the outside as the local target has one.`
  const ip = 'ip' in to ? to.ip : undefined
  const address = ip ?? host
  if (address !== undefined && forExamples.test(address))
    return `${address} is an address that nobody has, and here there is no stand-in for the outside as the local target has one.`
  if (address === metadataService)
    return `kind's nodes have no metadata service: nobody answers at ${metadataService} with every wall down.`
  return undefined
}
