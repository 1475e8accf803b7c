import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ciliumPolicy, namespace, networkPolicy, snapshotOf, workload } from '../testing/objects.js'
import { matrix } from './matrix.js'

const app = workload('a/app', { ports: [{ containerPort: 80 }] })
const scene = [namespace('a'), app, workload('a/other')]
const kubeDns = { matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s-app': 'kube-dns' } }
const onApp = { matchLabels: { app: 'app' } }
const questions = (...names: readonly string[]) => ({
  toEndpoints: [kubeDns],
  toPorts: [{ ports: [{ port: '53', protocol: 'ANY' }], rules: { dns: names.map((matchName) => ({ matchName })) } }],
})
const https = [{ port: '443', protocol: 'TCP' }]

/** The columns outside of the cluster, and of each who gets there. */
function beyond(...policies: readonly Parameters<typeof snapshotOf>[0][number][]): Record<string, string> {
  const { destinations, cells } = matrix(snapshotOf([...scene, ...policies]))
  const columns = destinations.filter((name) => !name.startsWith('a/'))
  return Object.fromEntries(
    columns.map((name) => {
      const allowed = cells.filter(({ to, verdict }) => to === name && verdict.outcome === 'allow')
      return [name, allowed.map(({ from }) => from).join(' ')]
    }),
  )
}

test('without a policy of the network nobody is asked for the way out', () => {
  assert.deepEqual(beyond(), {})
})

test('where there is one, the world is a column, and nobody outside is asked for what is outside', () => {
  const closed = networkPolicy('a/closed', { podSelector: onApp, policyTypes: ['Egress'] })
  assert.deepEqual(beyond(closed), { 'world:443': 'a/other' })
  const { cells } = matrix(snapshotOf([...scene, closed]))
  assert.deepEqual(
    cells.filter(({ to }) => to === 'world:443').map(({ from }) => from),
    ['a/app', 'a/other'],
  )
})

test('each host that a rule names, by FQDN or by server name, at the ports that it opens', () => {
  const door = ciliumPolicy('a/door', {
    endpointSelector: onApp,
    egress: [
      questions('api.one.example', 'api.two.example', 'any.three.example'),
      {
        toFQDNs: [
          { matchName: 'API.one.example.' },
          { matchName: 'api.two.example' },
          { matchPattern: '*.three.example' },
        ],
        toPorts: [
          { ports: https, serverNames: ['api.one.example'] },
          { ports: [{ port: '8443' }, { port: '53', protocol: 'UDP' }] },
        ],
      },
      { toCIDR: ['198.51.100.7/32'] },
    ],
  })
  assert.deepEqual(beyond(door), {
    'any.three.example:443': 'a/other',
    'any.three.example:8443': 'a/app a/other',
    'api.one.example:443': 'a/app a/other',
    'api.one.example:8443': 'a/app a/other',
    'api.two.example:443': 'a/other',
    'api.two.example:8443': 'a/app a/other',
    'world:443': 'a/other',
  })
})

test('a name for every host is no host', () => {
  const all = ciliumPolicy('a/all', { endpointSelector: onApp, egress: [{ toFQDNs: [{ matchPattern: '*' }] }] })
  assert.deepEqual(Object.keys(beyond(all)), ['world:443'])
})

test('what is written and off is asked about as well: who gets out then is shown', () => {
  const closed = networkPolicy('a/closed', { podSelector: {}, policyTypes: ['Egress'] })
  const door = ciliumPolicy('a/door', {
    endpointSelector: onApp,
    egress: [{ toFQDNs: [{ matchName: 'api.one.example' }], toPorts: [{ ports: https }] }],
  })
  const on = snapshotOf(scene)
  const { destinations, cells } = matrix(on, { written: snapshotOf([...scene, closed, door]).resources })
  const columns = ['api.one.example:443', 'world:443']
  assert.deepEqual(destinations.slice(-2), columns)
  assert.deepEqual(
    cells.filter(({ to }) => columns.includes(to)).map(({ verdict }) => verdict.outcome),
    ['allow', 'allow', 'allow', 'allow'],
  )
  assert.deepEqual(
    matrix(on).destinations.filter((name) => columns.includes(name)),
    [],
  )
})
