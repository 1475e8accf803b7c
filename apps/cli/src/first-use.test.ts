// What the README shows and a newcomer types, in that order, on one target.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import path from 'node:path'
import { before, describe, test } from 'node:test'
import { cleanUp, plainFolder, wholeSuite } from '@bulkhead/testing'
import { bulkhead, root } from './target/testing.js'

/** The blocks of the README that show a terminal: what is typed, and all that it answers. */
function shown(name: string): { readonly typed: readonly string[]; readonly answer: string } {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
  const block = new RegExp(
    `begin: ${name} -->\n\`\`\`\n\\$ npx bulkhead (.*)\n([\\s\\S]*?)\`\`\`\n<!-- end: ${name} -->`,
  )
  const [, typed = '', answer = ''] = block.exec(readme) ?? []
  assert.ok(typed !== '' && answer !== '', `README.md has a block "${name}"`)
  return { typed: typed.split(' '), answer }
}

describe('the first use', () => {
  const suite = wholeSuite()
  const stateDir = plainFolder(suite)
  const state = ['--state', stateDir]
  /** A command's words as they are without --state, on both streams in the order of a terminal, and without seconds. */
  const say = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await bulkhead(...args, ...state)
    return { code, said: stable(`${stdout}${stderr}`.replaceAll(` --state ${stateDir}`, '')) }
  }
  const stable = (text: string) => text.replace(/\(\d+\.\d s\)/g, '(0.0 s)')

  before(async () => {
    const { code, stderr } = await bulkhead('up', ...state, '--port', '0')
    assert.equal(code, 0, stderr)
  })
  cleanUp(suite, () => bulkhead('down', ...state))

  test('the attack in the README is what the terminal shows', async () => {
    const { typed, answer } = shown('attack')
    const { code, said } = await say(...typed)
    assert.equal(said, stable(answer))
    assert.equal(code, 0)
  })

  test('the front door of the README is there, at the host and the port of the manifests', async () => {
    const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
    const [, host = '', pinned = ''] = /^ {4}curl -H 'Host: (\S+)' http:\/\/127\.0\.0\.1:(\d+)\/$/m.exec(readme) ?? []
    const overlay = readFileSync(path.join(root, 'k8s/layers/70-ingress/shop/shop-gateway-service.yaml'), 'utf8')
    assert.equal(pinned, /nodePort: (\d+)/.exec(overlay)?.[1])
    const status = JSON.parse((await bulkhead('status', '--json', ...state)).stdout)
    const { url } = status.published.find((port: { hosts: readonly string[] }) => port.hosts.includes(host))
    const ask = (at: string, headers: Record<string, string>): Promise<[number | undefined, string]> =>
      new Promise((resolve, reject) => {
        const asked = get(new URL(at, url), { headers, agent: false }, async (answer) => {
          let text = ''
          for await (const chunk of answer) text += String(chunk)
          resolve([answer.statusCode, text])
        })
        asked.on('error', reject)
      })
    const [code, page] = await ask('/', { host })
    assert.deepEqual([code, JSON.parse(page).name], [200, 'web-api'])
    assert.deepEqual(await ask('/metrics', { host }), [403, 'RBAC: access denied'])
    assert.deepEqual(await ask('/', {}), [403, 'RBAC: access denied'])
  })

  test('explain says why, by which line, and what would change it', async () => {
    const { code, said } = await say('explain', 'shop/notsleep', 'shop/web-api:8080')
    assert.equal(code, 1)
    assert.match(said, /^shop\/notsleep → shop\/web-api:8080\/TCP {3}DENIED by 20-network \(cni-egress\)$/m)
    const policy = (name: string, file: string) => new RegExp(`${name} \\(k8s/layers/${file}\\.yaml:\\d+\\)`)
    assert.match(said, policy('NetworkPolicy/shop/default-deny', '20-network/shop/default-deny'))
    assert.match(said, policy('AuthorizationPolicy/shop/web-api-requests', '60-requests/shop/web-api-requests'))
    assert.match(said, /^ {2}would also be stopped by .*; 60-requests \(waypoint authz\)$/m)
    assert.match(said, /^to allow it: /m)
    assert.match(said, /^asked: the running target$/m)
  })

  test('with a wall down what it alone stops gets through, and says so', async () => {
    const off = await say('layer', 'off', '50-identity')
    assert.deepEqual([off.code, /^50-identity is down/.test(off.said)], [0, true], off.said)
    const { code, said } = await say('attack', 'outsider-where-identity-is-open', 'hello-app-thief-to-postgres')
    assert.equal(code, 1)
    assert.match(said, /^BLOCKED by 40-mtls /m)
    assert.match(
      said,
      /^THROUGH {3}50-identity is off; the attacker was served\n {6}demo\/hello-app-thief → .* [\d,]+ bytes /m,
    )
    assert.match(
      said,
      /^2 attacks: 1 blocked, 1 through \(0\.0 s\)\nPut 50-identity back: npx bulkhead layer on 50-identity\n$/m,
    )
    const explained = await say('explain', 'demo/test-pod', 'demo/postgres:5432')
    assert.deepEqual([explained.code, /50-identity/.test(explained.said)], [1, false], explained.said)
    assert.equal((await say('layer', 'on', '50-identity')).code, 0)
    assert.equal((await say('attack', 'hello-app-thief-to-postgres')).code, 0)
  })
})
