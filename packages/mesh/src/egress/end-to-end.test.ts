import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseManifests } from '@bulkhead/resources'
import { cleanUp, eventually, killed, temporaryFolder } from '@bulkhead/testing'
import { compile, type Flow, type FlowRecord, judge, type Snapshot } from '@bulkhead/verdict'
import { withGrant } from '../capture/index.js'
import type { Mesh } from '../mesh.js'
import { createOutside } from '../outside/index.js'
import { startMesh } from '../start.js'
import { recordOf } from '../testing/harness.js'

/* The way out of real processes with the real capture, judged by the real engine from real manifests, up to the stand-in. */

const fixture = (name: string) => {
  const file = fileURLToPath(new URL(`../../fixtures/shop/${name}.yaml`, import.meta.url))
  const { resources, diagnostics } = parseManifests(readFileSync(file, 'utf8'), `${name}.yaml`)
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  )
  return resources
}

const workloads = fixture('workloads')
const open = compile(workloads)
const walled = compile([...workloads, ...fixture('way-out')], { previous: open })

const keyOf = (workload: string): string => {
  const pod = [...open.pods.values()].find((candidate) => candidate.workload === workload)
  assert.ok(pod, `no pod of ${workload}`)
  return pod.key
}

interface Place {
  readonly mesh: Mesh
  /** The file of the stand-in's root. */
  readonly extraCa: string
}

async function start(t: TestContext, snapshot: Snapshot): Promise<Place> {
  const runDir = temporaryFolder(t)
  const outside = await createOutside({ mode: 'stand-in', runDir })
  const extraCa = join(runDir, 'ca.pem')
  await writeFile(extraCa, outside.root)
  const mesh = await startMesh({ runDir, snapshot, outside, connectTimeoutMs: 400 })
  cleanUp(t, async () => {
    await mesh.close()
    await outside.close()
  })
  await Promise.all([...snapshot.pods.keys()].map((key) => mesh.addPod(key)))
  return { mesh, extraCa }
}

/** What a program of that pod prints, as JSON. */
async function run(
  t: TestContext,
  { mesh, extraCa }: Place,
  workload: string,
  name: string,
  code: string,
): Promise<unknown> {
  const grant = mesh.grant(keyOf(workload), { run: name })
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    env: withGrant({ PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: extraCa }, grant.env),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  cleanUp(t, () => killed(child))
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk
  })
  await once(child, 'close')
  return JSON.parse(said)
}

/** fetch, which verifies; a name that goes into the ClientHello in place of the host's. */
const fetching = (url: string) => `
  const said = await fetch(${JSON.stringify(url)}).then((r) => r.status, (e) => e.cause?.code ?? e.message)
  console.log(JSON.stringify(said))
  process.exit()`
const lying = (host: string, servername: string) => `
  import { connect } from 'node:tls'
  const socket = connect({ host: ${JSON.stringify(host)}, port: 443, servername: ${JSON.stringify(servername)}, rejectUnauthorized: false })
  const done = (said) => { console.log(JSON.stringify(said)); process.exit() }
  socket.once('secureConnect', () => done('let out')).once('error', (e) => done(e.code)).once('close', () => done('ECONNRESET'))`
const asking = (name: string) => `
  import dns from 'node:dns/promises'
  console.log(JSON.stringify([await dns.resolve4(${JSON.stringify(name)}).catch((e) => e.code), await dns.lookup(${JSON.stringify(name)}).then((a) => a.address, (e) => e.code)]))`

/** Up to what decided: the engine says what all that comes after would say, too, and nobody has asked it. */
const words = ({ outcome, symptom, steps }: Pick<FlowRecord, 'outcome' | 'symptom' | 'steps'>) => {
  const decided = steps.findIndex((step) => step.outcome !== 'allow')
  return { outcome, symptom, steps: decided === -1 ? steps : steps.slice(0, decided + 1) }
}

interface Case {
  readonly name: string
  readonly code: string
  readonly seen: Readonly<Record<'shop/sleep' | 'shop/outsider', unknown>>
  readonly flow: Omit<Flow, 'from'>
}

const both = (seen: unknown) => ({ 'shop/sleep': seen, 'shop/outsider': seen })

// Where the stand-in has them; the engine knows names only.
const GITHUB = { host: 'api.github.com', ip: '198.51.100.10' }
const CLOUDFLARE = { host: 'api.cloudflare.com', ip: '198.51.100.20' }

const cases: readonly Case[] = [
  {
    name: 'the name that is listed',
    code: fetching('https://api.github.com/'),
    seen: both(200),
    flow: { to: GITHUB, port: 443 },
  },
  {
    name: 'a name whose address may be opened, and that may not be said',
    code: fetching('https://api.cloudflare.com/client/v4/'),
    seen: both('ECONNRESET'),
    flow: { to: CLOUDFLARE, port: 443 },
  },
  {
    name: 'a listed name, said to another address',
    code: lying('api.cloudflare.com', 'api.github.com'),
    seen: both('let out'),
    flow: { to: CLOUDFLARE, port: 443, tls: { sni: 'api.github.com' } },
  },
  {
    name: 'another name, said to the listed address',
    code: lying('api.github.com', 'drop.attacker.example'),
    seen: both('ECONNRESET'),
    flow: { to: GITHUB, port: 443, tls: { sni: 'drop.attacker.example' } },
  },
  {
    name: 'a name that may not be asked for',
    code: fetching('https://drop.attacker.example/'),
    seen: both('EAI_AGAIN'),
    flow: { to: { host: 'drop.attacker.example' }, port: 443 },
  },
  {
    name: 'an address without a name',
    code: lying('203.0.113.7', 'api.github.com'),
    seen: { 'shop/sleep': 'ECONNRESET', 'shop/outsider': 'gave up' },
    flow: { to: { ip: '203.0.113.7' }, port: 443, tls: { sni: 'api.github.com' } },
  },
]

describe('the way out with real processes', () => {
  it('is what the engine predicts, step by step', async (t) => {
    const place = await start(t, walled)
    const tried = cases.flatMap((one) =>
      (['shop/sleep', 'shop/outsider'] as const).map(async (workload) => {
        const name = `${workload}: ${one.name}`
        // A dropped SYN is never answered: there the program gives up by itself.
        const own = `setTimeout(() => { console.log('"gave up"'); process.exit() }, 3000)\n${one.code}`
        assert.deepEqual(await run(t, place, workload, name, own), one.seen[workload], name)
        const record = await recordOf(place.mesh, name)
        assert.deepEqual(words(record), words(judge({ from: { workload }, ...one.flow }, walled)), name)
      }),
    )
    await Promise.all(tried)
  })

  it('lets everybody out where nothing stands in the way', async (t) => {
    const place = await start(t, open)
    const workload = 'shop/notsleep'
    assert.deepEqual(await run(t, place, workload, 'open', fetching('https://drop.attacker.example/')), 200)
    const flow: Flow = { from: { workload }, to: { host: 'drop.attacker.example', ip: '203.0.113.21' }, port: 443 }
    assert.deepEqual(words(await recordOf(place.mesh, 'open')), words(judge(flow, open)))
  })

  it('answers, refuses and drops names as a resolver reports it', async (t) => {
    const place = await start(t, walled)
    assert.deepEqual(await run(t, place, 'shop/sleep', 'a', asking('api.github.com')), [
      ['198.51.100.10'],
      '198.51.100.10',
    ])
    assert.deepEqual(await run(t, place, 'shop/sleep', 'b', asking('drop.attacker.example')), ['EREFUSED', 'EAI_AGAIN'])
    // The rest of the world's DNS is dropped: nothing but those two rules lets sleep out.
    const closed = compile([...workloads, ...fixture('way-out').map(withoutDns)], { previous: walled })
    place.mesh.swap(closed, 1)
    assert.deepEqual(await run(t, place, 'shop/sleep', 'c', asking('api.github.com')), ['ETIMEOUT', 'EAI_AGAIN'])
    assert.equal((await recordOf(place.mesh, 'c')).symptom, 'dns-timeout')
  })

  it('has the kubelet probe past a policy that lets nobody else in', async (t) => {
    const place = await start(t, walled)
    const { mesh } = place
    const key = keyOf('shop/web-api')
    const server = spawn(
      process.execPath,
      ['-e', "require('http').createServer((q, r) => r.end(q.socket.remoteAddress)).listen(8080)"],
      { env: withGrant({ PATH: process.env.PATH }, mesh.grant(key).env), stdio: 'inherit' },
    )
    cleanUp(t, () => killed(server))
    await eventually('web-api to listen', () => mesh.listening(key).includes(8080))
    mesh.setReady(key, true)
    const probe = async () => {
      const socket = await mesh.dialAsKubelet(key, 8080)
      socket.end('GET / HTTP/1.0\r\n\r\n')
      let said = ''
      for await (const chunk of socket) said += chunk
      return said
    }
    assert.match(await probe(), /169\.254\.7\.127$/)
    // The policy is there: a caller of the mesh, whose packets go to 15008, does not come in.
    assert.match(
      String(await run(t, place, 'shop/notsleep', 'caller', fetching('http://web-api:8080/'))),
      /UND_ERR_SOCKET|ECONNRESET/,
    )
    assert.deepEqual((await recordOf(mesh, 'caller')).flag, 'NETWORK_POLICY')
    // And it is by the address that the probe comes in.
    const nobody = compile([...workloads, ...fixture('way-out').map(forNobody)], { previous: walled })
    mesh.swap(nobody, 1)
    await assert.rejects(probe(), { code: 'ETIMEDOUT' })
  })
})

type Resource = ReturnType<typeof fixture>[number]

/** Without its first egress rule. */
function withoutDns(resource: Resource): Resource {
  if (resource.kind !== 'CiliumNetworkPolicy') return resource
  const object = structuredClone(resource.object) as unknown as { spec: { egress: unknown[] } }
  object.spec.egress.shift()
  return { ...resource, object: object as unknown as Resource['object'] }
}

/** With another address in the place of the kubelet's. */
function forNobody(resource: Resource): Resource {
  if (resource.kind !== 'NetworkPolicy') return resource
  const text = JSON.stringify(resource.object).replace('169.254.7.127/32', '169.254.7.128/32')
  return { ...resource, object: JSON.parse(text) }
}
