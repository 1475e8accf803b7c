// What a diff of this project's manifests costs after they are read, in a process that has never made one, and the
// matrix of 200 workloads and 200 ports. Targets: 100 ms, 1 s.
// `node benchmarks/diff.mjs` after `npm run build`; no network, no files but k8s/.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { diffSnapshots, matrix, renderDiff, renderMatrix } from '@bulkhead/analysis'
import { loadManifests } from '@bulkhead/resources'
import { compile } from '@bulkhead/verdict'

const self = fileURLToPath(import.meta.url)
const root = fileURLToPath(new URL('..', import.meta.url))
const runs = 9

/** Milliseconds, and what came of it. */
function timed(call) {
  const start = performance.now()
  const result = call()
  return [performance.now() - start, result]
}

if (process.argv[2] === 'cold-diff') {
  const read = async () =>
    (await loadManifests([`${root}k8s/workloads`, `${root}k8s/layers`], { relativeTo: root })).resources
  // Read twice, as two revisions are: nothing of the one is the other's. Two walls fall, so that much is to be said.
  const [old, now] = [await read(), await read()]
  const fewer = now.filter(({ layer }) => layer !== '50-identity' && layer !== '40-mtls')
  const [first, before] = timed(() => compile(old))
  const [second, after] = timed(() => compile(fewer, { previous: before }))
  const [asking, found] = timed(() => diffSnapshots(before, after))
  const [saying, text] = timed(() => renderDiff(found))
  const { asked, opened, closed } = found
  const flows = { asked, opened: opened.length, closed: closed.length, lines: text.split('\n').length }
  console.log(JSON.stringify({ compile: first + second, diff: asking, render: saying, ...flows }))
} else if (process.argv[2] === 'cold-matrix') {
  const snapshot = compile(town(200))
  // Drawn, since a cell is asked when it is read.
  const whole = () => renderMatrix(matrix(snapshot))
  const [cold] = timed(whole)
  const rest = Array.from({ length: 5 }, () => timed(whole)[0])
  const { sources, destinations, cells } = matrix(snapshot)
  const size = { sources: sources.length, destinations: destinations.length, cells: cells.length }
  console.log(JSON.stringify({ cold, warm: median(rest), ...size }))
} else {
  const times = (what) =>
    Array.from({ length: runs }, () => JSON.parse(execFileSync(process.execPath, [self, what], { encoding: 'utf8' })))
  const diffs = times('cold-diff')
  const whole = diffs.map(({ compile: compiling, diff, render }) => compiling + diff + render)
  const of = (field) => median(diffs.map((run) => run[field])).toFixed(1)
  const [{ asked, opened, closed, lines }] = diffs
  console.log(`this project's k8s/, ${runs} processes, each one's first diff (${asked} flows asked of both sides)`)
  console.log(`  ${opened} opened, ${closed} closed, said in ${lines} lines`)
  console.log(`  compile both ${of('compile')} ms, diff ${of('diff')} ms, render ${of('render')} ms (medians)`)
  console.log(
    `  together ${median(whole).toFixed(1)} ms median, ${Math.max(...whole).toFixed(1)} ms slowest; target 100`,
  )

  const matrices = times('cold-matrix')
  const [{ sources, destinations, cells }] = matrices
  const cold = matrices.map((run) => run.cold)
  console.log(`\nmatrix of ${sources} callers and ${destinations} ports, ${cells} flows, drawn, ${runs} processes`)
  console.log(`  first ${median(cold).toFixed(0)} ms median, ${Math.max(...cold).toFixed(0)} ms slowest; target 1000`)
  console.log(`  again ${median(matrices.map((run) => run.warm)).toFixed(0)} ms`)
  if (median(whole) > 100 || median(cold) > 1000) process.exitCode = 1
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

/** As many workloads, each with an identity, a port and a policy that lists ten of the others; half have a Service. */
function town(size) {
  const position = () => ({ file: 'made.yaml', line: 1, column: 1 })
  const made = (apiVersion, kind, name, more, namespace) => ({
    id: [kind, namespace, name].filter(Boolean).join('/'),
    kind,
    name,
    ...(namespace && { namespace }),
    object: { apiVersion, kind, metadata: { name, ...(namespace && { namespace }), ...more.metadata }, ...more },
    position,
  })
  const labels = { 'istio.io/dataplane-mode': 'ambient' }
  const objects = [
    made('v1', 'Namespace', 'a', { metadata: { name: 'a', labels } }),
    made('security.istio.io/v1', 'AuthorizationPolicy', 'allow-nothing', { spec: {} }, 'a'),
    made('security.istio.io/v1', 'PeerAuthentication', 'default', { spec: { mtls: { mode: 'STRICT' } } }, 'a'),
  ]
  for (let n = 0; n < size; n++) {
    const app = { app: `w${n}` }
    // Half of the ports are Services', half the pods' own.
    const called = n < size / 2
    const containers = [{ name: 'main', image: 'x', ...(called && { ports: [{ containerPort: 8080 }] }) }]
    const template = { metadata: { labels: app }, spec: { serviceAccountName: `w${n}`, containers } }
    objects.push(made('apps/v1', 'Deployment', `w${n}`, { spec: { selector: { matchLabels: app }, template } }, 'a'))
    const principals = Array.from({ length: 10 }, (_, i) => `cluster.local/ns/a/sa/w${(n + i * 7 + 1) % size}`)
    const rules = [{ from: [{ source: { principals } }], to: [{ operation: { ports: ['8080'] } }] }]
    const spec = { selector: { matchLabels: app }, rules }
    objects.push(made('security.istio.io/v1', 'AuthorizationPolicy', `w${n}`, { spec }, 'a'))
    const service = { spec: { selector: app, ports: [{ port: 80, targetPort: 8080 }] } }
    if (called) objects.push(made('v1', 'Service', `w${n}`, service, 'a'))
  }
  return objects
}
