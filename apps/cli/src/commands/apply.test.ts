import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { before, describe, test } from 'node:test'
import { cleanUp, plainFolder, wholeSuite } from '@bulkhead/testing'
import { bulkhead, root, theShop } from '../target/testing.js'
import { runCli } from '../testing.js'

const identity = 'k8s/layers/50-identity/shop'
const policy = (name: string, spec: string) =>
  `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata:\n  name: ${name}\n  namespace: shop\nspec: ${spec}\n`

/** Who calls whom in the lines that say what opened or closed. */
const movedBy = (text: string): readonly string[] =>
  text.split('\n').flatMap((line) => /^[+-] (.*)$/.exec(line)?.[1] ?? [])

describe('apply and delete, on a target without layers', () => {
  const suite = wholeSuite()
  const folder = plainFolder(suite)
  const state = ['--state', path.join(folder, 'state')]
  const say = (command: string, ...args: readonly string[]) => runCli([command, ...args, ...state], { cwd: root })
  /** The outcome of a call from notsleep to web-api, and what explain says of it. */
  const asked = async () => {
    const { code, stdout } = await say('explain', 'shop/notsleep', 'shop/web-api:8080')
    return { code, stdout }
  }
  const write = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text)
    return path.join(folder, name)
  }

  before(async () => {
    const { code, stderr } = await bulkhead('up', ...theShop, ...state, '--port', '0', '--layers', 'none')
    assert.equal(code, 0, stderr)
  })
  cleanUp(suite, () => bulkhead('down', ...state))

  test('what admission refuses is told as kubectl tells it, the others are in force, and the command ends with 1', async () => {
    const account = (name: string) =>
      `apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: ${name}, namespace: shop }\n`
    const pod = (spec: string) =>
      `apiVersion: v1\nkind: Pod\nmetadata: { name: careless, namespace: shop }\nspec: ${spec}\n`
    const spec = '{ hostPID: true, containers: [{ name: a, image: localhost/bulkhead/probe:0.1.0 }] }'
    const file = write('careless.yaml', [account('a1'), pod(spec), account('a2')].join('---\n'))
    const { code, stdout, stderr } = await say('apply', '-f', file)
    assert.equal(code, 1)
    assert.match(stdout, /^serviceaccount\/a1 created\nserviceaccount\/a2 created\n/)
    assert.match(
      stderr,
      /^Error from server \(Forbidden\): error when creating ".*careless\.yaml": pods "careless" is forbidden: violates PodSecurity "restricted:latest": host namespaces \(hostPID=true\), .*\n {2}by {4}Namespace\/shop \(k8s\/workloads\/shop\/namespace\.yaml:\d+\)\n {2}for {3}\/spec\/hostPID of Pod\/shop\/careless \(.*careless\.yaml:8:9\)\n {2}It is not there\. What to do: /,
    )
    const json = JSON.parse((await say('apply', '-f', file, '--json')).stdout) as {
      objects: readonly { done: string; said?: readonly string[] }[]
    }
    assert.deepEqual(
      json.objects.map(({ done }) => done),
      ['unchanged', 'refused', 'unchanged'],
    )
    assert.match(json.objects[1]?.said?.[0] ?? '', /^Error from server/)
    const gone = await say('delete', '-f', file)
    assert.equal(gone.code, 1, 'the pod was never there')
    assert.match(gone.stdout, /"a1" deleted/)
  })

  test('from stdin, as kubectl takes it: places are those of the text', async () => {
    const account = (name: string) =>
      `apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: ${name}, namespace: shop }\n`
    const pod =
      'apiVersion: v1\nkind: Pod\nmetadata: { name: piped, namespace: shop }\nspec: { hostPID: true, containers: [{ name: a, image: localhost/bulkhead/probe:0.1.0 }] }\n'
    const piped = (command: string, text: string) => runCli([command, '-f', '-', ...state], { cwd: root, stdin: text })
    const applied = await piped('apply', `${account('piped')}---\n${pod}`)
    assert.equal(applied.code, 1)
    assert.match(applied.stdout, /^serviceaccount\/piped created\n/)
    assert.match(applied.stderr, /error when creating "STDIN": pods "piped" is forbidden: [\s\S]* \(-:8:9\)/)
    const gone = await piped('delete', account('piped'))
    assert.equal(gone.code, 0, gone.stderr)
    assert.match(gone.stdout, /^serviceaccount "piped" deleted from shop namespace\n/)
    assert.equal((await piped('apply', 'kind: [')).code, 2)
  })

  test('an object applied counts as of its layer, at its line; deleted, it is gone', async () => {
    assert.equal((await asked()).code, 0, 'open before')
    const created = await say('apply', '-f', `${identity}/allow-nothing.yaml`)
    assert.match(
      created.stdout,
      /^authorizationpolicy\.security\.istio\.io\/allow-nothing created\n0 flows opened, \d+ closed\n(- {2}.*\n)*- {2}.*notsleep.* → shop\/web-api:8080 and its pod\n$/,
      created.stderr,
    )
    const closed = await asked()
    assert.equal(closed.code, 1)
    assert.match(closed.stdout, /DENIED by 50-identity/)
    assert.match(closed.stdout, /allow-nothing \(k8s\/layers\/50-identity\/shop\/allow-nothing\.yaml:13\)/)
    const again = await say('apply', '-f', `${identity}/allow-nothing.yaml`)
    assert.equal(again.stdout, 'authorizationpolicy.security.istio.io/allow-nothing unchanged\n')
    const deleted = await say('delete', '-f', `${identity}/allow-nothing.yaml`)
    assert.match(
      deleted.stdout,
      /^authorizationpolicy\.security\.istio\.io "allow-nothing" deleted from shop namespace\n\d+ flows opened, 0 closed\n\+ {2}/,
      deleted.stderr,
    )
    assert.deepEqual(movedBy(deleted.stdout), movedBy(created.stdout), 'what it closed is open again')
    assert.equal((await asked()).code, 0, 'open again')
    const gone = await say('delete', '-f', `${identity}/allow-nothing.yaml`)
    assert.deepEqual([gone.code, gone.stdout], [1, ''])
    assert.match(gone.stderr, /AuthorizationPolicy\/shop\/allow-nothing is not in force/)
  })

  test('each object of a file is one of its own, and keeps its line', async () => {
    const file = write('two.yaml', `# two\n${policy('first', '{}')}---\n${policy('second', '{}')}`)
    const { stdout } = await say('apply', '-f', file)
    const lines = ['first', 'second'].map((name) => `authorizationpolicy.security.istio.io/${name} created\n`)
    assert.ok(stdout.startsWith(lines.join('')), stdout)
    const json = JSON.parse((await say('apply', '-f', file, '--json')).stdout) as unknown
    const unchanged = ['first', 'second'].map((name) => ({ id: `AuthorizationPolicy/shop/${name}`, done: 'unchanged' }))
    assert.deepEqual(json, { objects: unchanged })
    assert.match((await asked()).stdout, /first \(\S*two\.yaml:7\)[\s\S]*second \(\S*two\.yaml:14\)/)
    const one = await say('delete', 'authorizationpolicy/shop/first')
    assert.equal(one.code, 0, one.stderr)
    const left = await asked()
    assert.equal(left.code, 1, 'the other still closes')
    assert.doesNotMatch(left.stdout, /shop\/first/)
    write('two.yaml', policy('second', '{ action: DENY, rules: [{ from: [{ source: { namespaces: [other] } }] }] }'))
    assert.match((await say('apply', '-f', file)).stdout, /second configured/)
    assert.equal((await asked()).code, 0, 'it denies somebody else now')
    assert.equal((await say('delete', '-f', file)).code, 0)
  })

  test('a List, and a folder with a kustomization, are taken apart too', async () => {
    const item = { ...{ apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy' }, spec: {} }
    const items = ['a', 'b'].map((name) => ({ ...item, metadata: { name, namespace: 'shop' } }))
    const file = write('list.yaml', JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
    assert.match((await say('apply', '-f', file)).stdout, /\/a created\n.*\/b created\n/)
    assert.match((await asked()).stdout, /shop\/a \(\S*list\.yaml:1\)[\s\S]*shop\/b \(/)
    assert.equal((await say('delete', '-f', file)).code, 0)
    const folders = ['k8s/layers/50-identity', 'k8s/layers/40-mtls']
    const files = folders.flatMap(
      (folder) =>
        readFileSync(path.join(root, folder, 'kustomization.yaml'), 'utf8').match(/^ {2}- \S+\.yaml$/gm) ?? [],
    )
    assert.ok(files.length > 9)
    const layer = await say('apply', '-f', ...folders)
    assert.equal(layer.stdout.match(/ created$/gm)?.length, files.length, layer.stdout)
    assert.equal((await say('delete', '-f', ...folders)).code, 0)
  })

  test('what the files hold is deleted until it is applied again', async () => {
    assert.equal((await say('layer', 'on', '50-identity')).code, 0)
    const files = ['allow-nothing', 'web-api-rbac'].map((name) => `${identity}/${name}.yaml`)
    assert.equal((await asked()).code, 1)
    assert.equal((await say('delete', '-f', ...files)).code, 0)
    assert.equal((await asked()).code, 0)
    assert.match((await say('apply', '-f', ...files)).stdout, /allow-nothing created[\s\S]*web-api-rbac created/)
    assert.equal((await asked()).code, 1)
    const { changes } = JSON.parse((await say('status', '--json')).stdout) as { changes: string[] }
    assert.deepEqual(changes, [], 'they are the files’ own again')
    assert.equal((await say('layer', 'off', '50-identity')).code, 0)
    assert.equal((await asked()).code, 0)
    assert.equal((await say('apply', '-f', ...files)).code, 0)
    assert.equal((await asked()).code, 1, 'applied, they stay without their layer')
    assert.equal((await say('delete', '-f', ...files)).code, 0)
    assert.equal((await asked()).code, 0)
  })

  test('objects of two API groups with one kind and name stand beside each other', async () => {
    const gateway = (apiVersion: string, spec: string) =>
      `apiVersion: ${apiVersion}\nkind: Gateway\nmetadata:\n  name: front\n  namespace: shop\nspec: ${spec}\n`
    const api = 'gateway.networking.k8s.io'
    const listeners = '[{ name: http, port: 80, protocol: HTTP }]'
    const one = write('one.yaml', gateway(`${api}/v1`, `{ gatewayClassName: nobodys, listeners: ${listeners} }`))
    const servers = "[{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }]"
    const other = write('other.yaml', gateway('networking.istio.io/v1', `{ servers: ${servers} }`))
    const created = await say('apply', '-f', one, other)
    assert.equal(created.code, 0, created.stderr)
    assert.match(created.stdout, /gateway\.gateway\.networking\.k8s\.io\/front created\ngateway\.networking\.istio/)
    assert.match((await say('apply', '-f', one, other)).stdout, /front unchanged\n.*front unchanged\n/)
    const { changes } = JSON.parse((await say('status', '--json')).stdout) as { changes: string[] }
    assert.deepEqual(changes.slice(-2), [
      `object/${api}/Gateway/shop/front`,
      'object/networking.istio.io/Gateway/shop/front',
    ])
    const either = await say('delete', 'gateway/shop/front')
    assert.equal(either.code, 2)
    assert.match(
      either.stderr,
      /is Gateway\.gateway\.networking\.k8s\.io\/shop\/front and Gateway\.networking\.istio\.io/,
    )
    assert.equal((await say('delete', `Gateway.${api}/shop/front`)).code, 0)
    assert.match((await say('apply', '-f', other)).stdout, /gateway\.networking\.istio\.io\/front unchanged/)
    assert.equal((await say('delete', '-f', other)).code, 0)
  })

  test('a mistake is told with its place, and nothing is changed', async () => {
    const good = write('good.yaml', policy('good', '{}'))
    const bad = write('bad.yaml', policy('bad', '{ rules: [{ form: [] }] }'))
    const { code, stdout, stderr } = await say('apply', '-f', good, bad)
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /bad\.yaml:6:19: .*"form"/)
    assert.equal((await asked()).code, 0, 'nor the good one')
    for (const [args, said] of [
      [['apply', '-f', 'nowhere.yaml'], /there is no file or folder "nowhere\.yaml"/],
      [['delete'], /say what to delete/],
      [['delete', 'X/shop/sleep'], /did you mean .*Deployment\/shop\/sleep/],
    ] as const) {
      const failed = await say(...(args as unknown as [string]))
      assert.equal(failed.code, 2)
      assert.match(failed.stderr, said)
    }
  })

  test('with nothing up it says so', async () => {
    const { code, stderr } = await bulkhead('apply', '-f', `${root}/${identity}`, '--state', `${folder}/none`)
    assert.equal(code, 2)
    assert.match(stderr, /nothing is up here/)
  })
})
