import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Attempt } from '@bulkhead/scenarios'
import { cleanUp, eventually, temporaryFolder, wholeSuite } from '@bulkhead/testing'
import type { FlowDestination } from '@bulkhead/verdict'
import { LocalCluster } from './cluster.js'
import type { ManifestsEvent } from './cluster-types.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** A request of somebody outside; the error's code where there is no answer. */
function ask(url: string, host: string, agent?: never): Promise<string> {
  return new Promise((resolve) => {
    const asked = request(url, { headers: { host }, agent }, (response) => {
      response.resume()
      response.on('close', () => resolve(response.complete ? String(response.statusCode) : 'cut'))
    })
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    asked.end()
  })
}

describe('the shop’s front door', () => {
  const suite = wholeSuite()
  const folder = temporaryFolder(suite)
  const taken = createServer()
  let cluster: LocalCluster
  const notes: string[] = []
  const events: ManifestsEvent[] = []
  const k8s = (name: string) => join(folder, 'k8s', name)

  before(async () => {
    cpSync(join(root, 'k8s'), join(folder, 'k8s'), { recursive: true })
    // The shop alone: no other gateway is a way in.
    const ingress = k8s('layers/70-ingress/kustomization.yaml')
    writeFileSync(ingress, readFileSync(ingress, 'utf8').replaceAll(/^ *- (?:demo|gthulhu)\/.*\n/gm, ''))
    // Its own pinned port, which a program of somebody else's has.
    taken.listen(0, '127.0.0.1')
    cleanUp(suite, () => taken.close())
    await once(taken, 'listening')
    const pin = k8s('layers/70-ingress/shop/shop-gateway-service.yaml')
    const { port } = taken.address() as AddressInfo
    writeFileSync(pin, readFileSync(pin, 'utf8').replace('nodePort: 30080', `nodePort: ${port}`))
    cluster = await LocalCluster.start({
      manifests: ['workloads/shop', 'layers/40-mtls', 'layers/50-identity/shop', 'layers/70-ingress'].map(k8s),
      outside: 'stand-in',
      relativeTo: folder,
      stateDir: join(folder, 'state'),
      watch: { quietMs: 60 },
      publishPorts: 'pinned',
      progress: (event) => void (event.kind === 'note' && notes.push(event.text)),
    })
    cleanUp(suite, () => cluster.stop({ graceMs: 1000 }))
    cluster.onManifests((event) => void events.push(event))
    assert.deepEqual(await cluster.whenReady(20_000), [])
  })

  const door = () => {
    const [found] = cluster.status().published
    assert.ok(found !== undefined)
    return found
  }
  const outside = (
    path: string,
    host = 'istioexplained.io',
    to: FlowDestination = { service: 'shop/shop-gateway-istio' },
  ) => {
    const attempt: Attempt = { kind: 'http', to, port: 80, http: { method: 'GET', path, headers: { Host: host } } }
    return cluster.attempt('outside', attempt)
  }

  test('it is published, with its hosts, and where its port is taken at another one, which is a note', async () => {
    const { port } = taken.address() as AddressInfo
    assert.deepEqual(
      [door().service, door().port, door().hosts, door().wanted],
      ['shop/shop-gateway-istio', 80, ['istioexplained.io'], port],
    )
    assert.match(
      notes.join('\n'),
      new RegExp(
        `^port ${port} on 127\\.0\\.0\\.1 is in use by another program, so shop/shop-gateway-istio:80 is at \\d+ instead$`,
      ),
    )
    assert.equal(await ask(door().url, 'istioexplained.io'), '200')
    assert.equal(await ask(door().url, 'elsewhere.example'), '403')
  })

  test('its pod has no program and is ready; its log is its access log; nobody can act as it', async () => {
    const workload = cluster.status().workloads.find(({ kind }) => kind === 'Gateway')
    assert.deepEqual([workload?.workload, workload?.ready, workload?.of], ['shop/shop-gateway-istio', 1, 1])
    const [pod] = workload?.pods ?? []
    assert.deepEqual([pod?.gateway, pod?.containers, pod?.mesh], ['shop/shop-gateway', [], false])
    assert.equal(pod?.identity, 'spiffe://cluster.local/ns/shop/sa/shop-gateway-istio')
    await ask(door().url, 'istioexplained.io')
    const log = () =>
      cluster
        .logs('shop/shop-gateway-istio')
        .map(({ file }) => readFileSync(file, 'utf8'))
        .join('')
    await eventually('the request is logged', () =>
      /"GET istioexplained\.io\/" 200 \d+ms route=HTTPRoute\/shop\/web-api-route upstream=shop\/web-api-/.test(log()),
    )
    assert.throws(() => cluster.exec('shop/shop-gateway-istio'), { code: 'no-program', message: /played|plays/ })
    await assert.rejects(cluster.attempt('shop/shop-gateway-istio', { kind: 'dns', to: { host: 'x' }, port: 0 }), {
      code: 'no-program',
    })
  })

  test('an attempt from outside comes in by a door of its own, and its records are known', async () => {
    const { observation, flows } = await outside('/')
    assert.deepEqual([observation.symptom, observation.http?.status], ['ok', 200])
    const [record] = flows.filter(({ transport }) => transport === 'http')
    assert.deepEqual(
      [record?.http?.host, record?.http?.status, record?.source.pod, record?.outcome],
      ['istioexplained.io', 200, undefined, 'allow'],
    )
    assert.ok(flows.every(({ run }) => run === record?.run && run !== undefined))
    const denied = await outside('/admin')
    assert.deepEqual([denied.observation.symptom, denied.observation.http?.status], ['rbac-403', 403])
    assert.equal(denied.flows[0]?.steps[denied.flows[0].decidedBy ?? -1]?.code, 'authz.no-rule-allows')
    for (const to of [
      { workload: 'shop/shop-gateway-istio' },
      { namespace: 'shop', labels: { 'gateway.networking.k8s.io/gateway-name': 'shop-gateway' } },
    ])
      assert.equal((await outside('/', 'istioexplained.io', to)).observation.http?.status, 200)
  })

  test('what cannot be tried from outside is one sentence', async () => {
    const tries: readonly [Partial<Attempt>, RegExp][] = [
      [
        { to: { service: 'shop/web-api' }, port: 8080 },
        /^the Service shop\/web-api is of type ClusterIP, so that no way from outside leads to it/,
      ],
      [
        { to: { service: 'shop/nothing' } },
        /^nothing that is up here is \{"service":"shop\/nothing"\}.*a layer that is off may hold it/,
      ],
      [{ to: { workload: 'shop/web-api' } }, /only Services and gateways can be reached/],
      [{ to: { ip: '10.244.1.2' } }, /only Services and gateways can be reached/],
      [{ port: 81 }, /^the Service shop\/shop-gateway-istio has no port 81; it has 15021, 80|80/],
      [{ kind: 'udp' }, /^an attempt from outside is http, tcp, tls, postgres, mongo, and not udp/],
    ]
    for (const [fields, message] of tries) {
      const attempt: Attempt = { kind: 'http', to: { service: 'shop/shop-gateway-istio' }, port: 80, ...fields }
      await assert.rejects(cluster.attempt('outside', attempt), { code: 'bad-attempt', message })
    }
  })

  test('without its layer it is gone, and with it there again, when the switch is done', async () => {
    const { url } = door()
    await cluster.setLayers({ off: ['70'] })
    assert.deepEqual(cluster.status().published, [])
    assert.equal(await ask(url, 'istioexplained.io'), 'ECONNREFUSED')
    assert.equal(
      cluster.status().workloads.some(({ kind }) => kind === 'Gateway'),
      false,
    )
    await assert.rejects(outside('/'), { code: 'bad-attempt' })
    await cluster.setLayers({ on: ['70'] })
    assert.equal(await ask(door().url, 'istioexplained.io'), '200')
  })

  test('its routes and policies follow what is saved, and a Service that is opened to the outside has a port', async () => {
    const told = async (file: string, change: (text: string) => string) => {
      const from = events.length
      writeFileSync(k8s(file), change(readFileSync(k8s(file), 'utf8')))
      await eventually('the save is told', () => events.slice(from).some(({ kind }) => kind === 'changed'))
    }
    const gateway = 'layers/70-ingress/shop/shop-gateway.yaml'
    const policy = 'layers/70-ingress/shop/shop-gateway-rbac.yaml'
    await told(policy, (text) => text.replaceAll('istioexplained.io', 'renamed.example'))
    assert.equal(await ask(door().url, 'istioexplained.io'), '403')
    assert.equal(await ask(door().url, 'renamed.example'), '404')
    await told(gateway, (text) => text.replace('hostname: istioexplained.io', 'hostname: renamed.example'))
    assert.equal(await ask(door().url, 'renamed.example'), '200')
    assert.deepEqual(door().hosts, ['renamed.example'])
    await told('workloads/shop/web-api.yaml', (text) =>
      text.replace('spec:\n  selector:', 'spec:\n  type: NodePort\n  selector:'),
    )
    await eventually('it has a port', () => cluster.status().published.length === 2)
    await rmSync(k8s('layers/70-ingress/shop/web-api-route.yaml'))
    await eventually('it is refused', () => events.at(-1)?.kind === 'refused')
    assert.equal(await ask(door().url, 'renamed.example'), '200')
  })
})
