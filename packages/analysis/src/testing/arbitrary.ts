import fc from 'fast-check'
import {
  authorizationPolicy,
  ciliumPolicy,
  type Manifest,
  namespace,
  networkPolicy,
  peerAuthentication,
  service,
  workload,
} from './objects.js'

/*
 * Test code: small random clusters, in which callers, Services and policies often meet.
 */

const namespaces = ['a', 'b']
const names = ['web', 'db', 'job']
const ports = [80, 8080]

const key = fc.record({ ns: fc.constantFrom(...namespaces), name: fc.constantFrom(...names) })
/** At most one of a name, as the API server has it. */
const unique = <T>(arbitrary: fc.Arbitrary<T>, by: (value: T) => string, maxLength: number): fc.Arbitrary<T[]> =>
  fc.uniqueArray(arbitrary, { selector: by, maxLength })

const workloadArbitrary = fc
  .record({
    key,
    replicas: fc.constantFrom(1, 1, 2),
    mesh: fc.constantFrom(true, true, false),
    tier: fc.constantFrom('front', 'back'),
    serviceAccount: fc.option(fc.constantFrom('web', 'shared'), { nil: undefined }),
    ports: fc.uniqueArray(
      fc.record({ containerPort: fc.constantFrom(...ports), protocol: fc.constantFrom('TCP', 'TCP', 'UDP') }),
      { selector: ({ containerPort, protocol }) => `${containerPort}/${protocol}`, maxLength: 2 },
    ),
  })
  .map(({ key: { ns, name }, mesh, tier, serviceAccount, ...rest }) =>
    workload(`${ns}/${name}`, {
      ...rest,
      ...(serviceAccount !== undefined && { serviceAccount }),
      labels: { tier, ...(mesh ? {} : { 'istio.io/dataplane-mode': 'none' }) },
    }),
  )

const serviceArbitrary = fc
  .record({
    key,
    selector: fc.constantFrom({ app: 'web' }, { app: 'db' }, { tier: 'front' }, { tier: 'none' }),
    kind: fc.constantFrom('ClusterIP', 'ClusterIP', 'NodePort', 'headless'),
    protocol: fc.constantFrom('TCP', 'TCP', 'UDP'),
    targetPort: fc.constantFrom(...ports),
  })
  .map(({ key: { ns, name }, selector, kind, protocol, targetPort }) =>
    service(`${ns}/${name}`, {
      selector,
      ports: [{ port: 80, targetPort, protocol }],
      ...(kind === 'headless' ? { headless: true } : { type: kind }),
    }),
  )

const source = fc.oneof(
  fc.constantFrom('cluster.local/ns/a/sa/web', 'cluster.local/ns/b/sa/*', '*').map((one) => ({ principals: [one] })),
  fc.constantFrom('cluster.local/ns/a/sa/shared').map((one) => ({ notPrincipals: [one] })),
  fc.constantFrom(...namespaces).map((one) => ({ namespaces: [one] })),
  fc.constantFrom('172.18.0.0/16', '10.0.0.0/8').map((one) => ({ ipBlocks: [one] })),
)
const rule = fc.record(
  {
    from: fc.array(
      source.map((one) => ({ source: one })),
      { minLength: 1, maxLength: 2 },
    ),
    to: fc.constantFrom([{ operation: { ports: ['8080'] } }], [{ operation: { notPorts: ['80'] } }]),
  },
  { requiredKeys: [] },
)
const policyArbitrary = fc
  .record({
    ns: fc.constantFrom(...namespaces, 'istio-system'),
    name: fc.constantFrom('p', 'q'),
    action: fc.constantFrom('ALLOW', 'ALLOW', 'DENY'),
    app: fc.option(fc.constantFrom(...names), { nil: undefined }),
    rules: fc.array(rule, { maxLength: 2 }),
  })
  // A DENY without a rule is refused by the API server.
  .filter(({ action, rules }) => action === 'ALLOW' || rules.length > 0)
  .map(({ ns, name, action, app, rules }) =>
    authorizationPolicy(`${ns}/${name}`, {
      ...(app !== undefined && { selector: { matchLabels: { app } } }),
      action,
      rules,
    }),
  )
const mtlsArbitrary = fc
  .record({ ns: fc.constantFrom(...namespaces), mode: fc.constantFrom('STRICT', 'PERMISSIVE') })
  .map(({ ns, mode }) => peerAuthentication(`${ns}/default`, mode))

const port = fc.constantFrom(80, 8080, 15008)
const pods = fc.constantFrom(...names).map((app) => ({ podSelector: { matchLabels: { app } } }))
const networkPolicyArbitrary = fc
  .record({
    ns: fc.constantFrom(...namespaces),
    name: fc.constantFrom('n', 'm'),
    app: fc.option(fc.constantFrom(...names), { nil: undefined }),
    policyTypes: fc.constantFrom<readonly string[]>(['Ingress'], ['Egress'], ['Ingress', 'Egress']),
    peers: fc.array(pods, { maxLength: 2 }),
    port: fc.option(port, { nil: undefined }),
  })
  .map(({ ns, name, app, policyTypes, peers, port: number }) => {
    const ports = number === undefined ? {} : { ports: [{ port: number }] }
    return networkPolicy(`${ns}/${name}`, {
      podSelector: app === undefined ? {} : { matchLabels: { app } },
      policyTypes,
      ...(policyTypes.includes('Ingress') && { ingress: [{ from: peers, ...ports }] }),
      ...(policyTypes.includes('Egress') && { egress: [{ to: peers, ...ports }] }),
    })
  })

const https = [{ ports: [{ port: '443', protocol: 'TCP' }] }]
const questions = {
  toEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s-app': 'kube-dns' } }],
  toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: [{ matchName: 'one.example' }] } }],
}
const ciliumPolicyArbitrary = fc
  .record({
    ns: fc.constantFrom(...namespaces),
    name: fc.constantFrom('c', 'd'),
    app: fc.constantFrom(...names),
    rules: fc.constantFrom(
      { egressDeny: [{ toEntities: ['world'] }] },
      { egress: [questions, { toFQDNs: [{ matchName: 'one.example' }], toPorts: https }] },
      {
        egress: [
          questions,
          { toFQDNs: [{ matchPattern: '*.two.example' }], toPorts: [{ ...https[0], serverNames: ['one.example'] }] },
        ],
      },
      { ingress: [{ fromEntities: ['world'] }] },
    ),
  })
  .map(({ ns, name, app, rules }) =>
    ciliumPolicy(`${ns}/${name}`, { endpointSelector: { matchLabels: { app } }, ...rules }),
  )

const idOf = ({ kind, metadata }: Manifest): string => `${kind}/${metadata.namespace}/${metadata.name}`

/** A cluster's objects. */
export const cluster: fc.Arbitrary<readonly Manifest[]> = fc
  .record({
    meshed: fc.boolean(),
    workloads: unique(workloadArbitrary, idOf, 4),
    services: unique(serviceArbitrary, idOf, 3),
    policies: unique(policyArbitrary, idOf, 3),
    mtls: unique(mtlsArbitrary, idOf, 2),
    network: unique(networkPolicyArbitrary, idOf, 2),
    cilium: unique(ciliumPolicyArbitrary, idOf, 2),
  })
  .map(({ meshed, workloads, services, policies, mtls, network, cilium }) => [
    namespace('a'),
    namespace('b', meshed),
    namespace('istio-system', false),
    ...workloads,
    ...services,
    ...policies,
    ...mtls,
    ...network,
    ...cilium,
  ])

/** The same objects, in another order. */
export const shuffled = (objects: readonly Manifest[]): fc.Arbitrary<readonly Manifest[]> =>
  fc.shuffledSubarray([...objects], { minLength: objects.length, maxLength: objects.length })
