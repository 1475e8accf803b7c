import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { readVersions } from './engine-info.js'
import { readKindConfig } from './kind-config.js'
import { thisMachine } from './machine.js'
import { platformOf } from './platform.js'
import { blockOf, overlap, routesIn } from './routes.js'
import { compareVersions, minorsAhead, versionIn } from './versions.js'

describe('versions', () => {
  it('are found among words', () => {
    for (const [text, version] of [
      ['kind v0.33.0 go1.26.1 linux/amd64', '0.33.0'],
      ['v4.3.1+g2ab8c54', '4.3.1'],
      ['client version: 1.30.4\n', '1.30.4'],
      ['github.com/docker/buildx v0.30.1 9e66234aa', '0.30.1'],
      ['"gitVersion": "v1.35.8-dispatcher"', '1.35.8'],
      ['5.15.167.4-microsoft-standard-WSL2', '5.15.167'],
      ['v1.2', '1.2.0'],
      ['none here', undefined],
    ] as const)
      assert.equal(versionIn(text), version, text)
  })

  it('are compared by number, part by part', () => {
    assert.ok(compareVersions('1.9.0', '1.10.0') < 0)
    assert.ok(compareVersions('2.0.0', '1.99.99') > 0)
    assert.equal(compareVersions('1.2.3', '1.2.3'), 0)
    assert.deepEqual([minorsAhead('1.36.0', '1.35.8'), minorsAhead('1.33.9', '1.35.0')], [1, -2])
    assert.deepEqual(
      [minorsAhead('4.0.0', '3.99.0'), minorsAhead('3.0.0', '4.0.0')],
      [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    )
  })

  it('of Docker are those of both sides, as far as they are told', () => {
    const both = {
      Client: { Version: '28.2.2' },
      Server: { Version: '28.2.2', Platform: { Name: 'Docker Desktop 4.42.0 (192140)' } },
    }
    assert.deepEqual(readVersions(JSON.stringify(both)), {
      client: '28.2.2',
      server: '28.2.2',
      desktop: 'Docker Desktop 4.42.0 (192140)',
    })
    assert.deepEqual(readVersions(JSON.stringify({ Client: { Version: '28.2.2' }, Server: null })), {
      client: '28.2.2',
    })
    for (const text of ['', 'null', '[]', '{"Client":7}']) assert.deepEqual(readVersions(text), {})
  })
})

describe('blocks of addresses', () => {
  it('overlap, or do not', () => {
    const block = (cidr: string) => blockOf(cidr) ?? assert.fail(cidr)
    assert.deepEqual(block('10.244.7.9/16'), block('10.244.0.0/16'))
    assert.ok(overlap(block('10.244.0.0/16'), block('10.0.0.0/8')))
    assert.ok(overlap(block('0.0.0.0/0'), block('255.255.255.255/32')))
    assert.ok(!overlap(block('10.244.0.0/16'), block('10.245.0.0/16')))
    for (const text of ['fc00::/64', '10.0.0.0', '1.2.3.4/33', '256.0.0.0/8', ''])
      assert.equal(blockOf(text), undefined, text)
  })

  it("are read of the kernel's table, without the routes to everywhere", () => {
    const line = (destination: string, mask: string) => `tun0\t${destination}\t0\t3\t0\t0\t0\t${mask}\t0\t0\t0`
    const table = ['Iface\tDestination', line('0000F40A', '0000FFFF'), line('00000000', '00000000'), 'junk', ''].join(
      '\n',
    )
    assert.deepEqual(routesIn(table), [{ device: 'tun0', cidr: '10.244.0.0/16' }])
  })
})

describe('this machine', () => {
  it('is one of three kinds', () => {
    assert.equal(platformOf('darwin', '24.1.0'), 'macos')
    assert.equal(platformOf('linux', '6.6.87.2-microsoft-standard-WSL2'), 'wsl')
    assert.equal(platformOf('linux', '6.8.0-45-generic'), 'linux')
  })

  it('says of a port whether it is free, of a folder how much room it has, of a file what is in it', async () => {
    const machine = thisMachine({})
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    assert.equal(await machine.isFree('127.0.0.1', port), false)
    server.close()
    // Any that is free.
    assert.equal(await machine.isFree('127.0.0.1', 0), true)
    assert.ok(((await machine.freeBytes(tmpdir())) ?? 0) > 0)
    assert.equal(await machine.freeBytes(join(tmpdir(), 'no-such-folder-here')), undefined)
    assert.equal(machine.readText(join(tmpdir(), 'no-such-file-here')), undefined)
  })
})

describe("kind's configuration", () => {
  it('says which ports and addresses are needed, or where it cannot be read', (t) => {
    const root = temporaryFolder(t)
    const write = (text: string) => writeFileSync(join(root, 'kind-config.yaml'), text)
    write('nodes:\n- extraPortMappings:\n  - {containerPort: 1, hostPort: 2}\n  - {containerPort: 3}\n- role: worker\n')
    assert.deepEqual(readKindConfig(root), {
      ports: [{ address: '0.0.0.0', port: 2 }],
      subnets: ['10.244.0.0/16', '10.96.0.0/16'],
    })
    write('nodes: [')
    assert.throws(() => readKindConfig(root), /^Error: kind-config\.yaml:\d+:\d+: /)
  })
})
