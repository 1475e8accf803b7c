import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { loadManifests } from '@bulkhead/resources'
import { compile, type Flow, judge, type Snapshot } from '@bulkhead/verdict'
import { loadScenarios } from './load.js'

/*
 * What an owned pod can still do, with every layer on: not what somebody thought of trying, but everything that there is.
 * What is left has to be in a scenario that says so (`remains`), or in the list of what goes with such a one.
 */

const root = resolve(import.meta.dirname, '../../..')
const { resources } = await loadManifests([join(root, 'k8s/workloads'), join(root, 'k8s/layers')], { relativeTo: root })
const layers = [...new Set(resources.flatMap(({ layer }) => layer ?? []))].sort()
const scenarios = await loadScenarios(join(root, 'scenarios'), { layers })
const snapshot = compile(resources)

const deletion = { method: 'DELETE', path: '/' }

type Try = readonly [what: string, flow: Omit<Flow, 'from'>]

const someTcp = [22, 53, 80, 443, 2379, 5432, 8000, 8080, 9229, 10250, 15000, 15008, 15020, 15021]
const hosts = ['api.github.com', 'api.cloudflare.com', 'drop.attacker.example']
const names = [...hosts, 'c2VjcmV0.drop.attacker.example', 'postgres.demo.svc.cluster.local']

/** Every Service's ports, every pod's own and some that it may have forgotten, by TCP and UDP. */
function inside({ services, pods }: Snapshot): Try[] {
  const byService = [...services.values()].flatMap(({ key, ports }) =>
    ports.flatMap(({ port, protocol, application }): Try[] => [
      [`${key}:${port}/${protocol}`, { to: { service: key }, port, protocol }],
      ...(application === 'http'
        ? [[`${key}:${port} DELETE`, { to: { service: key }, port, http: deletion }] as const]
        : []),
    ]),
  )
  const byPod = [...pods.values()].flatMap(({ workload, ports }) => {
    const own = ports.map(({ port, protocol }) => `${port}/${protocol}`)
    const more = someTcp.flatMap((port) => [`${port}/TCP`, `${port}/UDP`])
    return [...new Set([...own, ...more])].map((text): Try => {
      const [port = '', protocol] = text.split('/')
      return [
        `pod ${workload}:${text}`,
        { to: { workload }, port: Number(port), protocol: protocol === 'UDP' ? 'UDP' : 'TCP' },
      ]
    })
  })
  return [...byService, ...byPod]
}

/** What every cluster has: its DNS, istiod, the API server, and the nodes with the ports of gateways on them. */
function platform({ nodes, services, platform: { controlPlane, dns, istiod } }: Snapshot): Try[] {
  const nodePorts = [...services.values()].flatMap(({ ports }) => ports.flatMap(({ nodePort }) => nodePort ?? []))
  const ports = [...new Set([...someTcp, 6443, ...nodePorts])]
  return [
    ...[...new Set([...nodes, controlPlane])].flatMap(({ name }) =>
      ports.flatMap((port): Try[] => [
        [`node ${name}:${port}/TCP`, { to: { node: name }, port }],
        [`node ${name}:${port}/UDP`, { to: { node: name }, port, protocol: 'UDP' }],
      ]),
    ),
    [
      'gthulhu/gthulhu-manager:8080 PUT a report',
      { to: { service: 'gthulhu/gthulhu-manager' }, port: 8080, http: { method: 'PUT', path: '/api/v1/schedulers/a' } },
    ],
    ['API server', { to: { service: 'default/kubernetes' }, port: 443 }],
    ...[15010, 15012, 15014, 15017].map((port): Try => [`istiod:${port}`, { to: { workload: istiod.workload }, port }]),
    ...[9153, 8080].map((port): Try => [`kube-dns:${port}/TCP`, { to: { workload: dns.workload }, port }]),
    ...names.map(
      (query): Try => [
        `ask for ${query}`,
        { to: { service: 'kube-system/kube-dns' }, port: 53, protocol: 'UDP', dns: { query } },
      ],
    ),
  ]
}

/** Hosts by every port, with every server name; and addresses, the metadata service's among them. */
function outside(): Try[] {
  const ports = [80, 443, 8443, 22, 25]
  const byName = hosts.flatMap((host): Try[] => [
    ...ports.flatMap((port): Try[] => [
      [`${host}:${port}/UDP`, { to: { host }, port, protocol: 'UDP' }],
      ...(port === 443 ? [] : [[`${host}:${port}/TCP`, { to: { host }, port }] as const]),
    ]),
    ...hosts.map((sni): Try => [`${host}:443 as ${sni}`, { to: { host }, port: 443, tls: { sni } }]),
    [`${host}:443 without a name`, { to: { host }, port: 443, tls: {} }],
  ])
  const addresses = [
    '203.0.113.66',
    '198.51.100.10',
    '8.8.8.8',
    '169.254.169.254',
    '172.18.0.1',
    '10.0.0.1',
    '2001:db8::1',
  ]
  const byAddress = addresses.flatMap((ip) =>
    [53, ...ports].flatMap((port): Try[] => [
      [`${ip}:${port}/TCP`, { to: { ip }, port, tls: { sni: 'api.github.com' } }],
      [`${ip}:${port}/UDP`, { to: { ip }, port, protocol: 'UDP' }],
    ]),
  )
  return [...byName, ...byAddress]
}

/** Pods of one workload are as good as one. */
const everythingOf = (on: Snapshot): readonly Try[] => [
  ...new Map([...inside(on), ...platform(on), ...outside()].map((one) => [one[0], one])).values(),
]
const everything = everythingOf(snapshot)

function open(from: string, on: Snapshot): readonly string[] {
  return (on === snapshot ? everything : everythingOf(on))
    .filter(([what]) => !what.startsWith(`pod ${from}:`)) // its own loopback
    .filter(([, flow]) => judge({ ...flow, from: { workload: from } }, on).outcome !== 'deny')
    .map(([what]) => what)
    .sort()
}

const without = (...off: readonly string[]): Snapshot =>
  compile(resources.filter(({ layer }) => layer === undefined || !off.includes(layer)))

/** Every name, told to whoever the attacker is. */
const anyName = (id: string) => Object.fromEntries(names.map((name) => [`ask for ${name}`, id]))

/** Who may be owned; all that is left to whoever owns it; and the scenario that tells it. */
const radius: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'demo/hello-app': {
    'api.cloudflare.com:443 as api.github.com': 'hello-app-to-github', // which says that the name is all that is read
    'api.github.com:443 as api.github.com': 'hello-app-to-github',
    'ask for api.cloudflare.com': 'hello-app-to-github',
    'ask for api.github.com': 'hello-app-to-github',
    'demo/postgres:5432/TCP': 'hello-app-to-postgres',
    'pod demo/postgres:5432/TCP': 'hello-app-to-postgres',
  },
  'shop/web-api': {
    ...anyName('web-api-hides-data-in-names'),
    'shop/recommendation:8080/TCP': 'chain-web-api-to-recommendation',
  },
  'manifest-gen/curl-test': {
    ...anyName('curl-test-hides-data-in-names'),
    'manifest-gen/manifest-gen:80 DELETE': 'curl-test-to-manifest-gen',
    'manifest-gen/manifest-gen:80/TCP': 'curl-test-to-manifest-gen',
    'pod manifest-gen/manifest-gen:8080/TCP': 'curl-test-to-manifest-gen',
  },
  'manifest-gen/manifest-gen': anyName('manifest-gen-hides-data-in-names'),
  'gthulhu/gthulhu-manager': {
    ...anyName('manager-hides-data-in-names'),
    'API server': 'manager-lists-pods',
    'node bulkhead-control-plane:6443/TCP': 'manager-lists-pods',
    'node bulkhead-worker2:6443/TCP': 'manager-lists-pods', // 20 opens the port, and no policy can name the one node
    'node bulkhead-worker:6443/TCP': 'manager-lists-pods',
    'gthulhu-node/gthulhu-scheduler-sidecar:8080 DELETE': 'manager-asks-a-scheduler',
    'gthulhu-node/gthulhu-scheduler-sidecar:8080/TCP': 'manager-asks-a-scheduler',
    'pod gthulhu-node/gthulhu-scheduler:8080/TCP': 'manager-asks-a-scheduler',
    'gthulhu/gthulhu-mongodb:27017/TCP': 'manager-to-mongodb',
    'pod gthulhu/gthulhu-mongodb:27017/TCP': 'manager-to-mongodb',
  },
  'gthulhu-node/gthulhu-scheduler': {
    ...anyName('scheduler-hides-data-in-names'),
    'gthulhu/gthulhu-manager:8080 PUT a report': 'scheduler-reports-to-the-manager',
  },
}

/**
 * The same of proxies, which the local target plays, so that no scenario can be made from them: beside DNS and istiod, what they
 * are there for. A waypoint that is owned asks in its own name for all that it was to judge; no wall behind it judges that again.
 */
const proxies: Readonly<Record<string, readonly string[]>> = {
  'gthulhu/waypoint': [
    'gthulhu/gthulhu-manager:8080 DELETE',
    'gthulhu/gthulhu-manager:8080 PUT a report',
    'gthulhu/gthulhu-manager:8080/TCP',
    'pod gthulhu/gthulhu-manager:8080/TCP',
  ],
  'shop/waypoint': ['purchase-history', 'recommendation', 'web-api'].flatMap((name) => [
    `pod shop/${name === 'purchase-history' ? 'purchase-history-v1' : name}:8080/TCP`,
    `shop/${name}:8080 DELETE`,
    `shop/${name}:8080/TCP`,
  ]),
  // They come by the waypoint like everybody, which judges what they ask.
  'gthulhu/gthulhu-gw-istio': ['gthulhu/gthulhu-gw-istio:80/TCP', 'gthulhu/gthulhu-manager:8080/TCP'],
  'shop/shop-gateway-istio': ['shop/web-api:8080/TCP'],
}

describe('an owned pod, every layer on', () => {
  it('is tried against everything', () => {
    assert.ok(everything.length > 600, `${everything.length} flows`)
  })

  for (const [from, left] of Object.entries(radius)) {
    it(`${from} may do what the report tells, and nothing else`, () => {
      assert.deepEqual(open(from, snapshot), Object.keys(left).sort())
      for (const id of new Set(Object.values(left))) {
        const told = scenarios.find((scenario) => scenario.id === id)
        assert.deepEqual([told?.from, told?.kind], [from, 'legitimate'], id)
        assert.ok(told?.remains !== undefined, `${id} says what remains`)
      }
    })

    it(`${from} may do far more with no wall but the door`, () => {
      assert.ok(open(from, without(...layers.filter((layer) => layer !== '70-ingress'))).length > 50)
    })
  }

  for (const [from, left] of Object.entries(proxies)) {
    it(`${from}, a proxy, may do what it is there for, and nothing else`, () => {
      const own = [...Object.keys(anyName('')), 'istiod:15012']
      const aside = (what: string): boolean => own.includes(what) || what.startsWith(`${from}:15021`)
      assert.deepEqual(
        open(from, snapshot).filter((what) => !aside(what)),
        left.toSorted(),
      )
    })
  }

  it('may do no more with a wall of the way out off, because the other one holds; and with both off it is out', () => {
    for (const from of Object.keys(radius)) {
      const way = (on: Snapshot) => open(from, on).filter((what) => what.startsWith('drop.') || what.startsWith('169.'))
      assert.deepEqual(way(without('20-network')), [], from)
      assert.deepEqual(way(without('30-cilium')), [], from)
      assert.ok(way(without('20-network', '30-cilium')).length > 5, from)
    }
  })
})
