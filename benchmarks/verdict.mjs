// What one verdict costs, warm: judgeAt('ztunnel') and judgeAt('gateway') as the data plane asks them, and judge() as
// explain and the batch do.
// `node benchmarks/verdict.mjs` after `npm run build`; no network, no files but k8s/.
import { fileURLToPath } from 'node:url'
import { loadManifests } from '@bulkhead/resources'
import { compile, judge, judgeAt } from '@bulkhead/verdict'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Microseconds per call: the median of 21 rounds, and the slowest, after a warm-up. */
function measure(name, call) {
  const calls = 5000
  for (let i = 0; i < calls; i++) call(i)
  const rounds = []
  for (let round = 0; round < 21; round++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < calls; i++) call(i)
    rounds.push(Number(process.hrtime.bigint() - start) / 1000 / calls)
  }
  rounds.sort((a, b) => a - b)
  console.log(
    `${name.padEnd(52)} ${rounds[10].toFixed(2).padStart(7)} us median ${rounds[20].toFixed(2).padStart(7)} us slowest round`,
  )
}

const { resources } = await loadManifests([`${root}k8s/workloads`, `${root}k8s/layers`], { relativeTo: root })
const shop = compile(resources)
const pod = (snapshot, workload) => [...snapshot.pods.values()].find((candidate) => candidate.workload === workload)
const evidence = (snapshot, from, to) => ({
  destination: pod(snapshot, to),
  port: 8080,
  peer: { ip: pod(snapshot, from).ip, identity: pod(snapshot, from).identity },
})

console.log(`the shop: ${resources.length} objects, ${shop.pods.size} pods`)
const allowed = evidence(shop, 'shop/sleep', 'shop/web-api')
const denied = evidence(shop, 'shop/notsleep', 'shop/web-api')
measure('judgeAt ztunnel, allowed', () => judgeAt('ztunnel', allowed, shop))
measure('judgeAt ztunnel, denied, with the closest rule', () => judgeAt('ztunnel', denied, shop))
const to = { service: 'shop/web-api' }
measure('judge, allowed', () => judge({ from: { workload: 'shop/sleep' }, to, port: 8080 }, shop))
measure('judge, denied', () => judge({ from: { workload: 'shop/notsleep' }, to, port: 8080 }, shop))

const door = [...shop.pods.values()].find((candidate) => candidate.gateway !== undefined)
const [listener] = shop.gateways.get(door.gateway).listeners
const [host = 'localhost'] = [listener.hostname, ...listener.hosts].filter((name) => name && !name.startsWith('*'))
const headers = { 'user-agent': 'curl/8.5.0', accept: '*/*' }
const request = (method) => ({
  gateway: door,
  port: listener.port,
  peer: { ip: '172.18.0.1' },
  request: { method, host, path: '/', headers },
})
const [get, remove] = [request('GET'), request('DELETE')]
measure('judgeAt gateway, allowed and routed', () => judgeAt('gateway', get, shop))
measure('judgeAt gateway, denied, with the closest rule', () => judgeAt('gateway', remove, shop))
const outside = { external: '172.18.0.1' }
const service = { service: shop.gateways.get(door.gateway).workload }
measure('judge, from outside, two hops', () =>
  judge({ from: outside, to: service, port: listener.port, http: { method: 'GET', path: '/', host } }, shop),
)

// A large cluster: 200 namespaces, 1,000 workloads, 2,200 policies. Only those that select the pod may cost.
const position = () => ({ file: 'made.yaml', line: 1, column: 1 })
const made = (object) => {
  const { kind, metadata } = object
  const id = [kind, metadata.namespace, metadata.name].filter(Boolean).join('/')
  return { id, kind, name: metadata.name, namespace: metadata.namespace, object, position }
}
const large = []
for (let n = 0; n < 200; n++) {
  const namespace = `ns${n}`
  const meta = (name) => ({ name, namespace })
  const policy = (name, spec) =>
    made({ apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata: meta(name), spec })
  large.push(
    made({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels: { 'istio.io/dataplane-mode': 'ambient' } },
    }),
    policy('allow-nothing', {}),
  )
  for (let w = 0; w < 5; w++) {
    const labels = { app: `w${w}` }
    const containers = [{ name: 'main', image: 'x', ports: [{ containerPort: 8080 }] }]
    const template = { metadata: { labels }, spec: { serviceAccountName: `w${w}`, containers } }
    const principals = Array.from({ length: 10 }, (_, i) => `cluster.local/ns/ns${(n + i) % 200}/sa/w${(w + 4) % 5}`)
    const rules = [{ from: [{ source: { principals } }], to: [{ operation: { ports: ['8080'] } }] }]
    large.push(
      made({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta(`w${w}`), spec: { selector: {}, template } }),
      policy(`w${w}`, { selector: { matchLabels: labels }, rules }),
      policy(`w${w}-no`, {
        selector: { matchLabels: labels },
        action: 'DENY',
        rules: [{ to: [{ operation: { ports: ['9090'] } }] }],
      }),
    )
  }
}
const start = performance.now()
const cluster = compile(large)
console.log(
  `\n${large.length} objects, ${cluster.pods.size} pods: compiled in ${Math.round(performance.now() - start)} ms`,
)
const near = evidence(cluster, 'ns7/w4', 'ns7/w0')
const far = evidence(cluster, 'ns100/w0', 'ns7/w0')
measure('judgeAt ztunnel, allowed', () => judgeAt('ztunnel', near, cluster))
measure('judgeAt ztunnel, denied, with the closest rule', () => judgeAt('ztunnel', far, cluster))
measure('judge, denied, by workload', () =>
  judge({ from: { workload: 'ns100/w0' }, to: { workload: 'ns7/w0' }, port: 8080 }, cluster),
)
