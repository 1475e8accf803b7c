/** Every reason a step can give. One sentence per code and language in messages/. */
export const reasonCodes = [
  // PeerAuthentication at the destination's ztunnel
  'mtls.no-policy', // nothing selects the pod: PERMISSIVE by default
  'mtls.permissive', // a policy says PERMISSIVE (or DISABLE, which ambient treats alike)
  'mtls.strict-identity', // STRICT, and the peer has an identity
  'mtls.strict-no-identity', // STRICT, and the peer has none: denied
  // AuthorizationPolicy, at the destination's ztunnel, at a waypoint and at a gateway
  'authz.no-allow-policy', // no ALLOW policy selects the pod: allowed by default
  'authz.rule-allows',
  'authz.rule-denies',
  'authz.no-rule-allows', // ALLOW policies select the pod, and none of their rules matches: denied by default
  // a request, at a waypoint or a gateway
  'request.refused', // it is none that a proxy takes: 400, before any policy is asked
  // a waypoint
  'waypoint.walked-past', // the destination names one, and this connection does not go by it
  // a gateway's routes
  'route.forwards', // a rule takes the request to a backend
  'route.redirects', // a rule answers with another address
  'route.no-host', // no listener, or no route of it, has the host: 404
  'route.no-match', // the host is known, and no rule of its routes matches: 404
  'route.no-backend', // a rule matches and has nowhere to send the request: 500
  // the HBONE port itself, which no layer switches off
  'hbone.no-certificate',
  'hbone.untrusted-certificate', // self-signed, or signed by another mesh's CA
  'hbone.expired-certificate',
  'hbone.stolen-certificate', // the key is not the certificate's
  'hbone.own-port', // a port of ztunnel's own, which is nobody's to call
  'hbone.wrong-target', // CONNECT for a pod that is not the one asked
  // NetworkPolicy, CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy, at the pod that a packet leaves and at the one it reaches
  'cni.rule-allows',
  'cni.rule-denies', // a deny rule, which beats every allow
  'cni.default-deny', // policies isolate the pod in this direction, and no rule allows
  'cni.own-node', // what comes from the node a pod runs on
  'cni.sni-denied', // the packet passes, and the name in the ClientHello (or its lack) does not
  'cni.http-denied', // the packet passes, and the request does not: 403 Access denied
  'cni.dns-denied', // the packet passes, and the name that is asked does not: REFUSED
  'cni.auth-required', // the rule asks for Cilium's own mutual authentication, which is not there
  // the network
  'network.no-policy', // nothing isolates the pod in this direction
  'network.nothing-listens', // the destination has no such port
  'network.no-endpoint', // the Service has no ready pod
  'network.no-such-name',
  'network.unreachable', // an address nobody has
  'network.loopback', // a pod's own loopback crosses no wall
  // admission, where objects are created or changed
  'admission.allowed', // a policy looked and has nothing against it
  'admission.denied',
  'admission.warned', // a policy has something against it, and only says so
  'admission.audited', // likewise, and says so in reports alone
  'admission.not-matched', // a policy is not about this object
  'admission.excepted', // a PolicyException takes the object out
  'admission.failed', // a policy's own expression failed, and it refuses what it cannot judge
  'admission.mutated',
  'admission.generated',
  // what we cannot say
  'past-ztunnel', // the destination is captured, and this traffic is none of ztunnel's: UDP, the kubelet's probes
  'not-in-mesh', // the destination is not captured: ztunnel enforces nothing there
  'not-modelled', // an object or a field that decides here is not modelled: unknown
] as const

export type ReasonCode = (typeof reasonCodes)[number]
