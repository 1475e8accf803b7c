import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { wholeSuite } from '@bulkhead/testing'
import { makeWorld, type World } from './testing.js'

const suite = wholeSuite()
let world: World
before(async () => {
  world = await makeWorld(suite)
})

async function client(code: string): Promise<unknown> {
  const ended = await world.run('shop/client', code)
  assert.equal(ended.stderr, '')
  assert.equal(ended.code, 0)
  return JSON.parse(ended.stdout)
}

const CODE = `const code = (promise) => promise.catch((e) => [e.code, e.syscall, e.hostname])`

test('lookup answers with IPv4, in every form', async () => {
  const seen = await client(`
    import dns, { lookup } from 'node:dns'
    import promises, { lookup as lookupP } from 'node:dns/promises'
    import { promisify } from 'node:util'
    ${CODE}
    const back = (...args) => new Promise((resolve, reject) => lookup(...args, (error, ...rest) => (error ? reject(error) : resolve(rest))))
    console.log(JSON.stringify({
      plain: await back('server'), all: await back('two.test', { all: true }), four: await back('server', 4), options: await back('SERVER.', { family: 4 }),
      ip: await back('10.1.2.3'), ip6: await back('::1'), localhost: await back('localhost'), own: await back('client-7d9'), none: await back(''),
      six: await code(back('server', { family: 6 })), nowhere: await code(back('nowhere.test')), refused: await code(back('refused.test')),
      promise: await lookupP('server'), promiseAll: await promises.lookup('two.test', { all: true }), same: dns.promises === promises,
      promisified: await promisify(lookup)('server'), code: await code(promises.lookup('nowhere.test')),
    }))`)
  const server = ['10.244.1.20', 4]
  const two = [
    { address: '10.244.5.1', family: 4 },
    { address: '10.244.5.2', family: 4 },
  ]
  assert.deepEqual(seen, {
    plain: server,
    all: [two],
    four: server,
    options: server,
    ip: ['10.1.2.3', 4],
    ip6: ['::1', 6],
    localhost: ['127.0.0.1', 4],
    own: ['10.244.0.10', 4],
    none: [null, 4],
    six: ['ENOTFOUND', 'getaddrinfo', 'server'],
    nowhere: ['ENOTFOUND', 'getaddrinfo', 'nowhere.test'],
    refused: ['EAI_AGAIN', 'getaddrinfo', 'refused.test'],
    promise: { address: '10.244.1.20', family: 4 },
    promiseAll: two,
    same: true,
    promisified: { address: '10.244.1.20', family: 4 },
    code: ['ENOTFOUND', 'getaddrinfo', 'nowhere.test'],
  })
})

test('resolve, its kinds, and Resolver ask the mesh and nothing else', async () => {
  const seen = await client(`
    import dns, { resolve4, Resolver } from 'node:dns'
    import promises from 'node:dns/promises'
    ${CODE}
    const back = (f, ...args) => new Promise((resolve, reject) => f(...args, (error, value) => (error ? reject(error) : resolve(value))))
    const resolver = new Resolver()
    resolver.setServers(['8.8.8.8'])
    const promised = new promises.Resolver()
    console.log(JSON.stringify({
      four: await back(resolve4, 'two.test'), ttl: await back(resolve4, 'server', { ttl: true }), any: await back(dns.resolve, 'server'), a: await back(dns.resolve, 'server', 'A'),
      six: await code(back(dns.resolve6, 'server')), mx: await code(back(dns.resolveMx, 'server')), srv: await code(promises.resolveSrv('nowhere.test')), refused: await code(promises.resolve4('refused.test')),
      own: await back(resolver.resolve4.bind(resolver), 'server'), promised: await promised.resolve4('server'), servers: [dns.getServers(), resolver.getServers(), promised.getServers()],
      reverse: await code(promises.reverse('10.244.1.20')), service: await promises.lookupService('127.0.0.1', 80), self: await back(dns.lookupService, '10.244.0.10', 5432), other: await code(promises.lookupService('10.9.9.9', 1)),
    }))`)
  const dns = ['10.96.0.10']
  assert.deepEqual(seen, {
    four: ['10.244.5.1', '10.244.5.2'],
    ttl: [{ address: '10.244.1.20', ttl: 30 }],
    any: ['10.244.1.20'],
    a: ['10.244.1.20'],
    six: ['ENODATA', 'queryAaaa', 'server'],
    mx: ['ENODATA', 'queryMx', 'server'],
    srv: ['ENOTFOUND', 'querySrv', 'nowhere.test'],
    refused: ['EREFUSED', 'queryA', 'refused.test'],
    own: ['10.244.1.20'],
    promised: ['10.244.1.20'],
    servers: [dns, dns, dns],
    reverse: ['ENOTFOUND', 'getHostByAddr', '10.244.1.20'],
    service: { hostname: 'localhost', service: 'http' },
    self: 'client-7d9',
    other: ['ENOTFOUND', 'getnameinfo', '10.9.9.9'],
  })
})

test('a lookup function of the app does not lead a connect elsewhere', async () => {
  const seen = await client(`
    import net from 'node:net'
    net.connect({ host: 'nowhere.test', port: 80, lookup: (host, options, cb) => cb(null, '10.244.1.20', 4) }).on('error', (e) => console.log(JSON.stringify(e.code)))`)
  assert.equal(seen, 'ENOTFOUND')
})

test('os tells of the pod', async () => {
  const seen = await client(`
    import os, { hostname } from 'node:os'
    const { lo, eth0, ...more } = os.networkInterfaces()
    console.log(JSON.stringify([hostname(), \`\${os.hostname}\`, lo[0].address, eth0[0].cidr, eth0.length, Object.keys(more)]))`)
  assert.deepEqual(seen, ['client-7d9', 'client-7d9', '127.0.0.1', '10.244.0.10/24', 1, []])
})
