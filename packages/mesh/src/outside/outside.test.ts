import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { cleanUp, temporaryFolder } from '@bulkhead/testing'
import { compile } from '@bulkhead/verdict'
import { readAll } from '../testing/harness.js'
import { isGloballyRoutable, StandInNames } from './addresses.js'
import { createOutside, type OutsideMode, type RunningOutside } from './index.js'
import type { World } from './real.js'

const GITHUB = '140.82.121.6'
const CLOUDFLARE = '104.19.193.29'

interface FakeWorld extends World {
  readonly asked: string[]
  readonly dialled: string[]
}

/** A real world of a table: what its DNS says, and who answers, with the stand-in of another run as server. */
function worldOf(names: Readonly<Record<string, readonly string[]>>, connect: World['connect']): FakeWorld {
  const asked: string[] = []
  const dialled: string[] = []
  return {
    asked,
    dialled,
    async resolve4(name) {
      asked.push(name)
      const found = names[name]
      if (found === undefined) throw Object.assign(new Error('no'), { code: 'ENOTFOUND' })
      return found
    },
    connect(ip, port, signal) {
      dialled.push(`${ip}:${port}`)
      return connect(ip, port, signal)
    },
  }
}

async function start(t: TestContext, mode: OutsideMode, world?: World, lookMs = 300): Promise<RunningOutside> {
  const runDir = temporaryFolder(t)
  const outside = await createOutside({ mode, runDir, lookMs, ...(world && { world }) })
  cleanUp(t, () => outside.close())
  return outside
}

const refuse: World['connect'] = () => Promise.reject(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }))
const http = (stream: Duplex, request: string): Promise<string> => {
  stream.write(request)
  return readAll(stream)
}
const who = ({ hosts }: RunningOutside) => hosts.map(({ host, by }) => `${host} ${by}`)
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: NodeJS.ErrnoException) => error.code,
  )

describe('the outside', () => {
  it('auto: is the stand-in for each host that cannot be reached with a certificate that is good', async (t) => {
    const helper = await start(t, 'stand-in')
    // It answers at both addresses, with certificates that nobody trusts.
    const world = worldOf({ 'api.github.com': [GITHUB] }, () =>
      helper.dial({ ip: '198.51.100.10', port: 443 }, 'world'),
    )
    const outside = await start(t, 'auto', world)
    assert.deepEqual(who(outside), ['api.github.com stand-in', 'api.cloudflare.com stand-in'])
    assert.deepEqual(world.dialled, [`${GITHUB}:443`])
    assert.deepEqual(await outside.resolve('api.github.com'), ['198.51.100.10'])
  })

  it('auto: does not wait for a world that says nothing', async (t) => {
    const never = worldOf({ 'api.github.com': [GITHUB] }, () => new Promise(() => {}))
    const began = performance.now()
    const outside = await start(t, 'auto', { ...never, resolve4: () => new Promise(() => {}) }, 100)
    assert.ok(performance.now() - began < 15_000)
    assert.deepEqual(who(outside), ['api.github.com stand-in', 'api.cloudflare.com stand-in'])
  })

  it('real: dials those two hosts only, at 443, at addresses that their names gave, and that the world knows', async (t) => {
    const world = worldOf(
      { 'api.github.com': ['10.0.0.1', '169.254.169.254', GITHUB], 'api.cloudflare.com': ['127.0.0.1', '192.168.1.1'] },
      refuse,
    )
    const outside = await start(t, 'real', world)
    assert.deepEqual(who(outside), ['api.github.com real', 'api.cloudflare.com real'])
    // Before it was asked for, an address is anybody's.
    assert.equal(await code(outside.dial({ ip: GITHUB, port: 443 }, 'world')), 'ETIMEDOUT')
    assert.deepEqual(await outside.resolve('api.github.com'), [GITHUB])
    assert.equal(await outside.resolve('api.cloudflare.com'), undefined)
    assert.equal(await outside.resolve('example.com'), undefined)
    assert.deepEqual(world.dialled, [])
    assert.equal(await code(outside.dial({ ip: GITHUB, port: 443 }, 'world')), 'ECONNREFUSED')
    assert.deepEqual(world.dialled, [`${GITHUB}:443`])
    for (const [ip, port] of [
      [GITHUB, 80],
      [CLOUDFLARE, 443],
      ['10.0.0.1', 443],
      ['127.0.0.1', 443],
      ['8.8.8.8', 443],
      ['169.254.169.254', 443],
    ] as const)
      assert.equal(await code(outside.dial({ ip, port }, 'world')), 'ETIMEDOUT', `${ip}:${port}`)
    // Not for real, whoever asks.
    assert.match(
      await http(await outside.dial({ ip: '169.254.169.254', port: 80 }, 'world'), 'GET / HTTP/1.0\r\nhost: x\r\n\r\n'),
      /stand-in: on a cloud/,
    )
    assert.deepEqual(world.dialled, [`${GITHUB}:443`])
    assert.deepEqual(new Set(world.asked), new Set(['api.github.com', 'api.cloudflare.com']))
  })

  it('real: a name with no address that may be dialled has none', async (t) => {
    const outside = await start(t, 'real', worldOf({}, refuse))
    assert.equal(await outside.resolve('api.github.com'), undefined)
  })

  it('the stand-in says that it is one, counts what it is sent, and answers as the hosts do', async (t) => {
    const outside = await start(t, 'stand-in')
    const ask = async (name: string, request: string) => {
      const [ip = ''] = (await outside.resolve(name)) ?? []
      const raw = await outside.dial({ ip, port: 443 }, 'world')
      return http(connectTls({ socket: raw, servername: name, ca: outside.root }), request)
    }
    const github = await ask('api.github.com', 'GET / HTTP/1.1\r\nhost: api.github.com\r\nconnection: close\r\n\r\n')
    assert.match(github, /^HTTP\/1\.1 200 [\s\S]*server: bulkhead-stand-in/)
    assert.match(
      await ask(
        'api.cloudflare.com',
        'GET /client/v4/ HTTP/1.1\r\nhost: api.cloudflare.com\r\nconnection: close\r\n\r\n',
      ),
      /^HTTP\/1\.1 400 /,
    )
    const sent = `POST /x HTTP/1.1\r\nhost: drop.attacker.example:443\r\ncontent-length: 100000\r\nconnection: close\r\n\r\n${'x'.repeat(100_000)}`
    const got = await ask('drop.attacker.example', sent)
    assert.ok(
      got.includes('{"stand-in":true,"host":"drop.attacker.example","method":"POST","received":100000}'),
      got.slice(0, 400),
    )
    assert.match(await ask('api.github.com', 'no HTTP at all\r\n\r\n'), /^HTTP\/1\.1 400 /)
  })

  it('plays istiod at every port that the engine says it has, the one for debugging in plain HTTP', async (t) => {
    const outside = await start(t, 'stand-in')
    const { ip, ports } = compile([]).platform.istiod
    assert.ok(ports.length > 3)
    for (const { port } of ports) (await outside.dial({ ip, port }, 'istiod')).destroy()
    const raw = await outside.dial({ ip, port: 15014 }, 'istiod')
    const answer = await http(raw, 'GET /debug/syncz HTTP/1.1\r\nhost: istiod\r\nconnection: close\r\n\r\n')
    assert.match(answer, /^HTTP\/1\.1 404 [\s\S]*stand-in for istiod/)
    assert.equal(await code(outside.dial({ ip, port: 8080 }, 'istiod')), 'ECONNREFUSED')
  })

  it('is not asked where the API server is one of its own, and only there', async (t) => {
    const runDir = temporaryFolder(t)
    const apiServer = async () => Duplex.from(['the API server'])
    const outside = await createOutside({ mode: 'stand-in', runDir, apiServer })
    cleanUp(t, () => outside.close())
    const { ip } = compile([]).platform.controlPlane
    assert.equal(await readAll(await outside.dial({ ip, port: 6443 }, 'control-plane')), 'the API server')
    assert.equal(await code(outside.dial({ ip, port: 6444 }, 'control-plane')), 'ECONNREFUSED')
    assert.equal(await code(outside.dial({ ip, port: 6443 }, 'node')), 'ECONNREFUSED')
    // The kubelet there is the stand-in's all the same.
    assert.equal(await code(outside.dial({ ip, port: 10250 }, 'control-plane')), 'answered')
  })

  it('has nothing at other addresses, ports and names', async (t) => {
    const outside = await start(t, 'stand-in')
    assert.equal(await outside.resolve('www.example.com'), undefined)
    assert.equal(await outside.resolve('example'), undefined)
    assert.equal(await code(outside.dial({ ip: '203.0.113.7', port: 22 }, 'world')), 'ETIMEDOUT')
    assert.equal(await code(outside.dial({ ip: '192.0.2.1', port: 443 }, 'world')), 'ETIMEDOUT')
    assert.equal(await code(outside.dial({ ip: '172.18.0.3', port: 443 }, 'node')), 'ECONNREFUSED')
    assert.equal(await code(outside.dial({ ip: '172.18.0.3', port: 6443 }, 'node')), 'ECONNREFUSED')
    let replied = ''
    const reply = (data: Uint8Array) => (replied += Buffer.from(data).toString())
    assert.equal(outside.datagram({ ip: '203.0.113.7', port: 53 }, 'world', Buffer.from('12345'), reply), true)
    assert.equal(outside.datagram({ ip: '8.8.8.8', port: 53 }, 'world', Buffer.from('12345'), reply), false)
    assert.equal(replied, 'stand-in: 5 bytes')
  })

  it('gives each name the same address in every run, and no two names one while there are enough', () => {
    const [one, two] = [new StandInNames(), new StandInNames()]
    assert.equal(one.addressOf('drop.attacker.example'), two.addressOf('drop.attacker.example'))
    const many = Array.from({ length: 253 }, (_, i) => one.addressOf(`n${i}.example`))
    assert.equal(new Set(many).size, 253)
    assert.ok(many.every((ip) => /^203\.0\.113\.\d+$/.test(ip ?? '')))
    for (let i = 0; i < 1_000; i += 1) assert.match(one.addressOf(`more${i}.example`) ?? '', /^203\.0\.113\./)
    assert.equal(one.addressOf('api.github.com'), '198.51.100.10')
  })

  it('knows which addresses the whole world means the same by', () => {
    for (const ip of [GITHUB, CLOUDFLARE, '1.1.1.1', '172.32.0.1', '100.128.0.1']) assert.ok(isGloballyRoutable(ip), ip)
    for (const ip of [
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.1',
      '127.0.0.1',
      '0.0.0.0',
      '169.254.169.254',
      '100.64.0.1',
      '100.100.100.200',
      '168.63.129.16',
      '198.18.0.1',
      '203.0.113.1',
      '224.0.0.1',
      '255.255.255.255',
      '::1',
      '2001:db8::1',
      '::ffff:8.8.8.8',
      'api.github.com',
      '',
    ])
      assert.ok(!isGloballyRoutable(ip), ip)
  })
})
