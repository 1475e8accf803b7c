/*
 * What the parts of a description may look like. Kubernetes' own rules, and where a name becomes part of another one, what
 * is left of theirs.
 */

/** The longest name that `<name>-waypoint` is still a Service's with (63 characters). */
export const MAX_NAME = 54
/** A label of DNS, RFC 1123: a namespace's name, and a ServiceAccount's where it is to be somebody's identity. */
export const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
/** RFC 1035: a Service's name begins with a letter. */
export const serviceName = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
/** With dots, as a Deployment's and a ServiceAccount's may be. */
export const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
export const labelKey =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
export const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/
/** What every shell and runtime takes, and no more than Kubernetes does. */
export const variableName = /^[A-Za-z_][A-Za-z0-9_.-]*$/
/** A host outside, as a ClientHello names it: lower case, at least one dot, and no address. */
export const hostName = /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/

/** What AuthorizationPolicy reads as a path, or as the beginning of one: no `{`, which would be a template. */
export const requestPath = /^\/[A-Za-z0-9\-._~!$&'()+,;=:@%/]*\*?$/

export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
export type Method = (typeof methods)[number]

/** Ports that ztunnel has for itself in every captured pod, and in every waypoint's: no program can listen there. */
export const meshPorts: readonly number[] = [15001, 15006, 15008, 15020, 15021, 15053, 15080, 15090]

/**
 * Whether a namespace is the platform's own. What is generated for a peer isolates its pods, and there nothing else says
 * what they may: one policy more would close the cluster's DNS, or its certificates, to everybody.
 */
export const isPlatform = (namespace: string): boolean =>
  namespace.startsWith('kube-') || ['istio-system', 'kyverno', 'argocd', 'local-path-storage'].includes(namespace)

/**
 * Whether a policy may have this name, or one made of another workload's: `default-deny` of every namespace, `x-requests`,
 * `x-policy` and `x-rbac` of x, `x-allow-y`, `x-to-y`. The workload's own policies are named after it, so they would take that one's place.
 */
export const isPolicys = (name: string): boolean =>
  /^(default-deny|deny-all|no-(world|nodes|metadata|kube-apiserver))$/.test(name) ||
  /-(requests|egress|policy|rbac)$/.test(name) ||
  /(^|-)(to|from|allow)-/.test(name)

/** Whether this is a name that somebody else gives: Kubernetes to the account of every namespace, istiod to what it makes of a Gateway. */
export const isTaken = (name: string): boolean =>
  name === 'default' || name === 'waypoint' || name.endsWith('-waypoint') || name.endsWith('-istio')
