/** What a proxy knows of a connection when it asks its AuthorizationPolicies. */
export interface Subject {
  readonly ip: string
  /** The port that was dialled at the proxy's end: at ztunnel the container's, at a gateway the listener's. */
  readonly port: number
  readonly destinationIp: string
  /** Undefined without a certificate. */
  readonly caller: CallerIdentity | undefined
}

export interface CallerIdentity {
  /** `<trust domain>/ns/<namespace>/sa/<service account>` */
  readonly principal: string
  readonly trustDomain: string
  readonly namespace: string
  readonly serviceAccount: string
}

const spiffe = /^spiffe:\/\/(([^/]+)\/ns\/([^/]+)\/sa\/([^/]+))$/

/** Splits an identity; undefined when it is not one of Istio's. */
export function readIdentity(identity: string): CallerIdentity | undefined {
  const [, principal, trustDomain, namespace, serviceAccount] = spiffe.exec(identity) ?? []
  if (principal === undefined || trustDomain === undefined || namespace === undefined || serviceAccount === undefined)
    return undefined
  return { principal, trustDomain, namespace, serviceAccount }
}
