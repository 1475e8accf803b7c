import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { ControlClient } from '@bulkhead/control'
import { type Missing, readPage } from '@bulkhead/labs'
import { cleanUp, temporaryFolder, wholeSuite } from '@bulkhead/testing'
import { bulkhead, theShopWalled } from '../target/testing.js'
import { runCli } from '../testing.js'
import { toType } from './lab.js'

const nothing = 'k8s/layers/50-identity/shop/allow-nothing.yaml'

test('lab lists what there is, in the language that is asked for', async (t) => {
  const folder = temporaryFolder(t)
  const state = ['--state', folder]
  const english = await runCli(['lab', ...state])
  assert.deepEqual(
    [english.code, /01 +Lab 01: Who may call whom\? +15 min +docs\/labs\/01-\S+\/README\.md/.test(english.stdout)],
    [0, true],
  )
  assert.equal(english.stderr, 'Start one: npx bulkhead lab start 01\n')
  for (const chinese of [
    await runCli(['lab', ...state], { env: { LANG: 'zh_TW.UTF-8' } }),
    await runCli(['lab', '--lang', 'zh-TW', ...state]),
  ]) {
    assert.match(chinese.stdout, /誰可以呼叫誰.* 15 分鐘 .*README\.zh-TW\.md/)
  }
  const json = JSON.parse((await runCli(['lab', '--json', ...state])).stdout) as { labs: unknown[] }
  assert.equal(json.labs.length > 0, true)
})

test('what cannot be done is one sentence, and 2', async (t) => {
  const folder = temporaryFolder(t)
  for (const [args, said] of [
    [['start', '99'], /^bulkhead: there is no lab "99"; there are 01\b/],
    [['start'], /^bulkhead: say which lab: npx bulkhead lab start 01/],
    [['reset'], /^bulkhead: say which lab: npx bulkhead lab reset 01/],
    [['stop', '01'], /^bulkhead: there is nothing like `lab stop`; there are list, start, check, hint, reset\./],
    [['check', '01'], /^bulkhead: lab 01 is not started; `npx bulkhead lab start 01` starts it\./],
    [['hint', '1'], /^bulkhead: lab 01 is not started/],
    [['start', '01', '--lang', 'fr'], /Allowed choices are en, zh-TW/],
    [['start', '01'], /nothing is up here .*start it with `npm start -- --state \S/],
  ] as const) {
    const { code, stdout, stderr } = await runCli(['lab', ...args, '--state', folder])
    assert.deepEqual([code, stdout], [2, ''], stderr)
    assert.match(stderr.replace(/^bulkhead: this lab types .*\n/, ''), said)
  }
  const reset = await runCli(['lab', 'reset', '01', '--state', folder])
  assert.deepEqual([reset.code, reset.stderr], [0, 'no lab is under way; there is nothing to put back.\n'])
})

describe('a lab on a target', () => {
  const suite = wholeSuite()
  const folder = temporaryFolder(suite)
  const state = ['--state', folder]
  const say = (...args: readonly string[]) => runCli([...args, ...state])
  const up = async (...args: readonly string[]) => {
    const { code, stderr } = await bulkhead('up', ...theShopWalled, ...state, '--port', '0', ...args)
    assert.equal(code, 0, stderr)
  }
  const offNow = async () => (await ControlClient.find(folder).layers()).flatMap(({ name, on }) => (on ? [] : [name]))
  const changesNow = async () => (await ControlClient.find(folder).changes()).map(({ name }) => name)

  before(() => up('--layers', '50-identity'))
  cleanUp(suite, () => bulkhead('down', ...state))

  test('check says what is not done yet, why, and what to type; hint that alone', async () => {
    assert.equal((await say('lab', 'start', '01')).code, 0)
    assert.match((await say('lab')).stderr, /^01 started; /)
    const { code, stdout } = await say('lab', 'check', '01')
    assert.equal(code, 1)
    assert.match(stdout, /^ {2}not yet {2}1\. .*\n {11}still to be tried: shop\/sleep → shop\/web-api:8080; .*\n/m)
    assert.match(stdout, /^ {11}type: npx bulkhead exec shop\/sleep -- curl /m)
    assert.match(stdout, /^0 of \d+ steps are done\.$/m)
    const hint = await say('lab', 'hint', '01')
    assert.match(hint.stdout, /^Next: 1\. .*\n {11}still to be tried/)
    const json = JSON.parse((await say('lab', 'check', '01', '--json')).stdout) as { steps: { status: string }[] }
    assert.ok(json.steps.length > 5 && json.steps.every(({ status }) => status === 'not-yet'))
  })

  test('reset brings back layers and objects as they were, also from the middle', async () => {
    assert.equal((await say('lab', 'reset', '01')).code, 0)
    const before = await offNow()
    assert.ok(before.includes('40-mtls') && !before.includes('50-identity'), before.join())
    assert.equal((await say('delete', '-f', nothing)).code, 0)
    assert.equal((await say('lab', 'start', '01')).code, 0)
    assert.deepEqual((await offNow()).slice(0, 4), ['20-network', '30-cilium', '40-mtls', '50-identity'])
    assert.equal((await say('apply', '-f', nothing, 'k8s/layers/40-mtls/shop.yaml')).code, 0)
    const reset = await say('lab', 'reset', '01')
    assert.match(reset.stdout, /^All is as it was before: .*40-mtls.* off, all other layers on\.$/m)
    assert.deepEqual(await offNow(), before)
    assert.deepEqual(await changesNow(), ['object/security.istio.io/AuthorizationPolicy/shop/allow-nothing'])
    const explained = await say('explain', 'shop/notsleep', 'shop/recommendation:8080')
    assert.doesNotMatch(explained.stdout, /allow-nothing/, 'what was deleted before the lab is deleted again')
    assert.match((await say('lab', 'reset', '01')).stderr, /no lab is under way/)
  })

  test('on a target that was started anew check says so, and reset puts the layers back', async () => {
    const before = await offNow()
    assert.equal((await say('lab', 'start', '01')).code, 0)
    await bulkhead('down', ...state)
    assert.match((await say('lab', 'reset', '01')).stderr, /nothing is up here/)
    await up()
    for (const action of ['check', 'hint']) {
      const { code, stderr } = await say('lab', action, '01')
      assert.equal(code, 2)
      assert.match(stderr, /the target was started anew since the lab was, .* `npx bulkhead lab start 01` begins again/)
    }
    assert.match((await say('lab', 'check', '01', '--lang', 'zh-TW')).stderr, /重新啟動過/)
    assert.equal((await say('lab', 'start', '01')).code, 0)
    assert.equal((await say('lab', 'check', '01')).code, 1)
    assert.equal((await say('lab', 'reset', '01')).code, 0)
    assert.deepEqual(await offNow(), before)
  })
})

test('what to type next is what is still missing', () => {
  const commands = ['npx bulkhead apply -f x.yaml', 'npx bulkhead exec a/b -- curl http://c/', 'curl http://d/'].map(
    (line, index) => ({ line, output: [], at: index }),
  )
  const step = { heading: '1', prose: '', commands, line: 1 }
  const tried = (from: string): Missing => {
    const [call] = readPage(page(from), 'docs/labs/01-x/README.md').steps[0]?.check?.tried ?? []
    assert.ok(call !== undefined)
    return { kind: 'never-tried', call }
  }
  const lines = (...missing: readonly Missing[]) =>
    toType({ step, missing }).map((line) => commands.findIndex((one) => one.line === line))
  assert.deepEqual(lines({ kind: 'not-in-force', id: 'X/a/b' }, tried('a/b')), [0, 1, 2])
  assert.deepEqual(lines(tried('a/b')), [1])
  assert.deepEqual(lines(tried('outside')), [2])
  assert.deepEqual(lines(tried('outside'), tried('a/b')), [1, 2])
  assert.deepEqual(lines(tried('c/d')), [1, 2], 'a call that another one causes')
})

test('what to type next has the layers that a step switches before its call, whatever program makes the call', () => {
  const call = 'npx bulkhead exec a/b -- node probe.js login postgres://c'
  const typed = [
    'npx bulkhead explain a/b c/d:80',
    'npx bulkhead layer off 20-network',
    call,
    'npx bulkhead layer on 20-network',
  ]
  const step = { heading: '1', prose: '', commands: typed.map((line, at) => ({ line, output: [], at })), line: 1 }
  const [tried] = readPage(page('a/b'), 'docs/labs/01-x/README.md').steps[0]?.check?.tried ?? []
  assert.ok(tried !== undefined)
  assert.deepEqual(toType({ step, missing: [{ kind: 'never-tried', call: tried }] }), typed.slice(1, 3))
})

const page = (from: string) =>
  `<!-- lab\nminutes: 1\n-->\n# T\n\n## 1\n\n<!-- check\ntried: ["${from} -> c/d:80 sees ok"]\n-->\n`
