import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GatewayModel, ServiceModel, Snapshot } from '@bulkhead/verdict'
import { PublishedPorts } from './published.js'

const service = (name: string, ports: ServiceModel['ports'], external = true): ServiceModel => ({
  key: `shop/${name}`,
  namespace: 'shop',
  name,
  ports,
  external,
  endpoints: [],
})
const port = (number: number, nodePort?: number, protocol: 'TCP' | 'UDP' = 'TCP') => ({
  port: number,
  targetPort: number,
  protocol,
  ...(nodePort !== undefined && { nodePort }),
})
const snapshotOf = (services: readonly ServiceModel[], gateways: readonly GatewayModel[] = []) =>
  ({
    services: new Map(services.map((one) => [one.key, one])),
    gateways: new Map(gateways.map((one) => [one.key, one])),
  }) as unknown as Snapshot
const gateway: GatewayModel = {
  key: 'shop/gw',
  id: 'Gateway/shop/gw',
  at: 'gw.yaml:1',
  workload: 'shop/gw-istio',
  listeners: [
    { name: 'http', port: 80, protocol: 'HTTP', at: 'gw.yaml:2', hosts: ['b.example', 'a.example'] },
    { name: 'more', port: 80, protocol: 'HTTP', at: 'gw.yaml:3', hosts: ['a.example'] },
  ],
}

/** A mesh on a machine where some ports are taken. */
function machine(taken: Readonly<Record<number, string>> = {}) {
  const said: string[] = []
  let next = 40_000
  const publish = async (of: string, port: number, { at }: { at: number }) => {
    if (taken[at] !== undefined) throw Object.assign(new Error(`listen ${taken[at]}`), { code: taken[at] })
    const opened = at === 0 ? next++ : at
    said.push(`open ${of}:${port} at ${opened}`)
    return { port: opened, close: async () => void said.push(`close ${opened}`) }
  }
  const notes: string[] = []
  const doors = (mode: 'pinned' | 'any') => new PublishedPorts({ publish }, mode, (text) => notes.push(text))
  return { said, notes, doors }
}

test('every TCP port of a Service that is reached from outside has a door, at its nodePort where that is pinned', async () => {
  const { said, doors } = machine()
  const ports = doors('pinned')
  await ports.follow(
    snapshotOf([
      service('inside', [port(8080)], false),
      service('a', [port(80, 30080), port(53, 30053, 'UDP'), port(81)]),
    ]),
  )
  assert.deepEqual(said, ['open shop/a:80 at 30080', 'open shop/a:81 at 40000'])
  assert.deepEqual(ports.list(), [
    { service: 'shop/a', port: 80, url: 'http://127.0.0.1:30080', hosts: [] },
    { service: 'shop/a', port: 81, url: 'http://127.0.0.1:40000', hosts: [] },
  ])
})

test('doors come and go with the policies, and those that stay are left alone', async () => {
  const { said, doors } = machine()
  const ports = doors('pinned')
  await ports.follow(snapshotOf([service('a', [port(80, 30080)]), service('b', [port(80, 30081)])]))
  said.length = 0
  void ports.follow(snapshotOf([service('a', [port(80, 30080)]), service('b', [port(80, 30082)])]))
  await ports.follow(snapshotOf([service('b', [port(80, 30082)]), service('c', [port(80)])]))
  assert.deepEqual(said, ['close 30081', 'open shop/b:80 at 30082', 'close 30080', 'open shop/c:80 at 40000'])
  await ports.close()
  assert.deepEqual([said.slice(4), ports.list()], [['close 30082', 'close 40000'], []])
})

test('a gateway’s door names its hosts, and its proxy’s own port has none', async () => {
  const { doors } = machine()
  const ports = doors('any')
  await ports.follow(snapshotOf([service('gw-istio', [port(80, 30080), port(15021)])], [gateway]))
  assert.deepEqual(ports.list(), [
    { service: 'shop/gw-istio', port: 80, url: 'http://127.0.0.1:40000', hosts: ['a.example', 'b.example'] },
  ])
})

test('a port that is taken is a note and another port; what cannot be opened at all is a note', async () => {
  const { notes, doors } = machine({ 30080: 'EADDRINUSE', 80: 'EACCES', 30099: 'EADDRNOTAVAIL' })
  const ports = doors('pinned')
  const snapshot = snapshotOf([service('a', [port(80, 30080), port(81, 80), port(82, 30099)])])
  await ports.follow(snapshot)
  await ports.follow(snapshot)
  assert.deepEqual(
    ports.list().map(({ url, wanted }) => [url, wanted]),
    [
      ['http://127.0.0.1:40000', 30080],
      ['http://127.0.0.1:40001', 80],
    ],
  )
  assert.deepEqual(notes, [
    'port 30080 on 127.0.0.1 is in use by another program, so shop/a:80 is at 40000 instead',
    'port 80 on 127.0.0.1 may not be opened, so shop/a:81 is at 40001 instead',
    'shop/a:82 has no port on this machine: listen EADDRNOTAVAIL',
  ])
})
