import {
  type AttributeKind,
  destinationAddresses,
  namespaces,
  ports,
  principals,
  serviceAccounts,
  sourceAddresses,
} from '../policy/attributes.js'

type Kinds = Readonly<Record<string, AttributeKind>>

/** The attributes that ztunnel reads: of a source, of an operation, and as keys of `when` (C.5). */
export const sourceKinds: Kinds = { principals, namespaces, serviceAccounts, ipBlocks: sourceAddresses }
export const operationKinds: Kinds = { ports }
export const conditionKinds: Kinds = {
  'source.ip': sourceAddresses,
  'source.namespace': namespaces,
  'source.principal': principals,
  'destination.ip': destinationAddresses,
  'destination.port': ports,
}

/** Read by waypoints and gateways only. */
export const httpSource: ReadonlySet<string> = new Set(['requestPrincipals', 'remoteIpBlocks'])
export const httpOperation: ReadonlySet<string> = new Set(['hosts', 'methods', 'paths'])
/** Silently unsupported by ztunnel: as if not written (C.6). */
export const ignoredSource: ReadonlySet<string> = new Set(['trustDomains'])
