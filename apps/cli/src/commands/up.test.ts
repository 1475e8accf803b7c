import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { before, describe, test } from 'node:test'
import { rootCertificates } from 'node:tls'
import { cleanUp, eventually, plainFolder, wholeSuite } from '@bulkhead/testing'
import type { UpReport } from '../target/messages.js'
import { bulkhead, isAlive, pidsOf, start, theShop } from '../target/testing.js'

/** The machine's own curl; without it what `exec` does is tried with Node alone, which the last test of exec says. */
const curl = spawnSync('curl', ['--version']).status === 0

describe('a target in the background', () => {
  const suite = wholeSuite()
  const stateDir = plainFolder(suite)
  const state = ['--state', stateDir]
  let report: UpReport

  before(async () => {
    const { code, stdout, stderr } = await bulkhead('up', ...theShop, ...state, '--port', '0', '--json')
    assert.equal(code, 0, stderr)
    report = JSON.parse(stdout) as UpReport
  })
  cleanUp(suite, () => bulkhead('down', ...state))

  test('all of the shop is ready, on two nodes, out of the mesh only who asked to be', async () => {
    const pods = report.status.workloads.flatMap((workload) => workload.pods)
    assert.deepEqual([report.notReady, pods.length, new Set(pods.map(({ node }) => node)).size], [[], 8, 2])
    assert.deepEqual(
      pods.filter(({ mesh }) => !mesh).map(({ pod }) => pod.replace(/-[^-]+-[^-]+$/, '')),
      ['shop/outsider', 'shop/shop-gateway-istio'],
    )
    const { code, stdout } = await bulkhead('status', ...state)
    assert.equal(code, 0)
    const published = report.status.published.find(({ hosts }) => hosts.includes('istioexplained.io'))
    assert.deepEqual([published?.service, published?.hosts], ['shop/shop-gateway-istio', ['istioexplained.io']])
    assert.ok(stdout.includes(`outside  ${published?.url} leads to shop/shop-gateway-istio:80, for istioexplained.io`))
    assert.match(
      stdout,
      /shop\/web-api +bulkhead-worker2? +10\.244\.\d+\.\d+ +yes +spiffe:\/\/cluster\.local\/ns\/shop\/sa\/web-api\n/,
    )
    assert.match(stdout, /layers +40-mtls on, 50-identity on, 70-ingress on/)
    assert.match(stdout, /way out +api\.github\.com and api\.cloudflare\.com played by a stand-in on this machine/)
  })

  test('a second up on the same folder says who is up, and changes nothing', async () => {
    const log = path.join(stateDir, 'supervisor.log')
    appendFileSync(log, 'what it has said\n')
    const { code, stdout, stderr } = await bulkhead('up', ...theShop, ...state, '--port', '0')
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(
      stderr,
      new RegExp(
        `^bulkhead: a target is already up on .* \\(process ${report.status.pid}; it answers at ${report.url}\\)\\. .*\\n$`,
      ),
    )
    assert.equal((await bulkhead('status', ...state)).code, 0)
    assert.match(readFileSync(log, 'utf8'), /what it has said\n$/)
  })

  const call =
    'fetch("http://web-api:8080/").then(async (r) => console.log(r.status, (await r.json()).name), (e) => { console.log(e.cause.code); process.exitCode = 7 })'

  test('exec runs a program as a workload, and ends with its exit code', async () => {
    const allowed = await bulkhead('exec', ...state, 'shop/sleep', '--', process.execPath, '-e', call)
    assert.deepEqual(allowed, { code: 0, stdout: '200 web-api\n', stderr: '' })
    const denied = await bulkhead('exec', ...state, 'shop/notsleep', '--', process.execPath, '-e', call)
    assert.deepEqual([denied.code, denied.stdout], [7, 'ECONNRESET\n'])
    assert.match(
      denied.stderr,
      /^bulkhead: shop\/notsleep -> shop\/web-api:8080 failed\. On a cluster its client sees .*\(curl 35 or 52 or 56\)\.\n {2}layer 50-identity: .*\n/,
    )
    assert.match(
      denied.stderr,
      /AuthorizationPolicy\/shop\/web-api-rbac at k8s\/layers\/50-identity\/shop\/web-api-rbac\.yaml:\d+\n/,
    )
    const nowhere = await bulkhead('exec', ...state, 'shop/nobody', '--', 'true')
    assert.equal(nowhere.code, 2)
    assert.match(nowhere.stderr, /there is no workload "shop\/nobody"; there are shop\/intruder, /)
    assert.equal((await bulkhead('exec', ...state, 'shop/sleep', '--', 'no-such-program')).code, 127)
  })

  test('a program that is executed has the environment of the pod, and nothing of the user’s but the way to programs', async () => {
    const { stdout } = await bulkhead(
      'exec',
      ...state,
      'shop/web-api',
      '--',
      process.execPath,
      '-p',
      'JSON.stringify(process.env)',
    )
    const env = JSON.parse(stdout) as Record<string, string>
    assert.equal(env.UPSTREAM_URIS, 'http://recommendation:8080')
    assert.equal(env.PATH, process.env.PATH)
    const mesh =
      /^(BULKHEAD_CAPTURE|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|NODE_USE_ENV_PROXY|\w+_proxy|CURL_CA_BUNDLE|SSL_CERT_FILE)$/i
    const pod = /^(HOME|HOSTNAME|TMPDIR|LISTEN_ADDR|NAME|MESSAGE|UPSTREAM_URIS|HTTP_CLIENT_KEEP_ALIVES)$/
    const terminal = /^(PATH|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|TZ|LANG|LC_\w+)$/
    // As the kubelet gives it to every pod: where the API server is.
    const api = /^KUBERNETES_(SERVICE_(HOST|PORT|PORT_HTTPS)|PORT(_443_TCP(_PROTO|_PORT|_ADDR)?)?)$/
    assert.equal(env.KUBERNETES_SERVICE_HOST, '10.96.0.1')
    const others = Object.keys(env).filter((name) => ![mesh, pod, terminal, api].some((known) => known.test(name)))
    // macOS gives every process this one.
    assert.deepEqual(
      others.filter((name) => name !== '__CF_USER_TEXT_ENCODING'),
      [],
    )
    // What is not Node's trusts whom Node does: the world's authorities, and the stand-in's.
    assert.equal(env.SSL_CERT_FILE, env.CURL_CA_BUNDLE)
    const trusted = readFileSync(env.CURL_CA_BUNDLE ?? '', 'utf8')
    assert.ok(trusted.includes(readFileSync(env.NODE_EXTRA_CA_CERTS ?? '', 'utf8').trim()))
    assert.ok(trusted.includes(rootCertificates[0] ?? assert.fail()))
  })

  test('what a typo probably meant is said, and that a gateway has no program', async () => {
    const typo = await bulkhead('logs', ...state, 'shop/web-apo')
    assert.deepEqual(
      [typo.code, typo.stderr],
      [2, 'bulkhead: there is no workload "shop/web-apo"; did you mean "shop/web-api"?\n'],
    )
    const unqualified = await bulkhead('exec', ...state, 'sleep', '--', 'true')
    assert.match(unqualified.stderr, /^bulkhead: there is no workload "sleep"; did you mean "shop\/sleep"\?\n$/)
    const gateway = await bulkhead('exec', ...state, 'shop/shop-gateway-istio', '--', 'true')
    assert.equal(gateway.code, 2)
    assert.match(gateway.stderr, /is the proxy of Gateway shop\/shop-gateway, which the mesh plays itself/)
    assert.match((await bulkhead('logs', ...state, 'shop/shop-gateway-istio')).stdout, /its requests follow/)
  })

  test('exec without a program, or with its options in the wrong place, says so', async () => {
    const nothing = await bulkhead('exec', ...state, 'shop/sleep', '--')
    assert.deepEqual([nothing.code, nothing.stderr], [2, 'bulkhead: there is no program to run; write it after --.\n'])
    const late = await bulkhead('exec', 'shop/sleep', '--state', stateDir, '--', 'true')
    assert.equal(late.code, 2)
    assert.match(
      late.stderr,
      /^bulkhead: "--state" is no program; options of exec go before the workload: bulkhead exec --state \S+ shop\/sleep -- PROGRAM\n$/,
    )
  })

  test(`exec with ${curl ? 'the machine’s curl' : 'Node in place of curl, which is not on this machine'}`, async () => {
    const get = curl
      ? ['curl', '-sS', 'http://web-api:8080/']
      : [
          process.execPath,
          '-e',
          'fetch("http://web-api:8080/").then(async (r) => console.log(await r.text()), () => process.exit(56))',
        ]
    const allowed = await bulkhead('exec', ...state, 'shop/sleep', '--', ...get)
    assert.deepEqual([allowed.code, allowed.stderr], [0, ''])
    assert.equal(
      (JSON.parse(allowed.stdout) as { upstream_calls: { upstream_calls: { name: string }[] }[] }).upstream_calls[0]
        ?.upstream_calls[0]?.name,
      'purchase-history-v1',
    )
    const denied = await bulkhead('exec', ...state, 'shop/notsleep', '--', ...get)
    assert.ok([52, 56].includes(denied.code ?? 0), String(denied.code))
    assert.equal(denied.stdout, '')
  })

  test('layer off lets through what that wall stopped, and layer on stops it again', async () => {
    const get = () => bulkhead('exec', ...state, 'shop/notsleep', '--', process.execPath, '-e', call)
    const off = await bulkhead('layer', 'off', '50-identity', ...state)
    assert.equal(off.code, 0)
    assert.match(
      off.stdout,
      /^50-identity is down: its 4 objects are not enforced until `npx bulkhead layer on 50-identity --state \S+`\.\n/,
    )
    assert.match(off.stdout, /\n\d+ flows opened, 0 closed.*\n\+ .*shop\/notsleep.* → /)
    assert.equal((await get()).stdout, '200 web-api\n')
    assert.match((await bulkhead('layer', ...state)).stdout, /50-identity +OFF +4/)
    assert.equal((await bulkhead('layer', 'on', 'identity', ...state)).code, 0)
    assert.equal((await get()).stdout, 'ECONNRESET\n')
    const unknown = await bulkhead('layer', 'off', '99-nothing', ...state)
    assert.equal(unknown.code, 2)
    assert.equal(
      unknown.stderr,
      'bulkhead: there is no layer "99-nothing"; there are 40-mtls, 50-identity, 70-ingress.\n',
    )
  })

  test('flows are told one a line, as they end too', async () => {
    const following = start(['flows', '-f', '--json', ...state])
    let seen = ''
    following.stdout?.on('data', (chunk) => {
      seen += chunk
    })
    const all = await bulkhead('flows', ...state)
    assert.match(
      all.stdout,
      /^\S+Z allow src\.addr=10\.244\.\d+\.\d+ src\.workload=shop\/sleep src\.identity=spiffe:\S+ dst\.addr=\S+ dst\.service=shop\/web-api .* transport=hbone .*duration=\d+ms flag=- /m,
    )
    assert.match(
      all.stdout,
      / deny .* flag=DENY error="connection closed due to policy rejection: allow policies exist, but none allowed" .*code=authz\.no-rule-allows policy=".*web-api-rbac\.yaml:\d+/,
    )
    const few = await bulkhead('flows', '--tail', '2', ...state)
    assert.equal(few.stdout, all.stdout.split('\n').slice(-3).join('\n'))
    await eventually('what is kept is told', () => seen.split('\n').length > all.stdout.split('\n').length - 1)
    assert.doesNotMatch(seen, /"workload":"shop\/intruder"/)
    await bulkhead('exec', ...state, 'shop/intruder', '--', process.execPath, '-e', call)
    await eventually('the new one is told', () => /"workload":"shop\/intruder".*\n$/.test(seen))
    following.kill('SIGINT')
    assert.equal((await once(following, 'exit'))[0], 0)
  })

  test('logs are a workload’s own', async () => {
    const { code, stdout } = await bulkhead('logs', 'shop/web-api', ...state, '--tail', '500')
    assert.equal(code, 0)
    assert.match(stdout, /listening/)
    assert.match(stdout, /--- \S+ web-api: ready/)
    assert.equal((await bulkhead('logs', 'shop/nobody', ...state)).code, 2)
    assert.equal((await bulkhead('logs', 'shop/web-api', ...state, '--tail', 'x')).code, 2)
  })

  test('kill -9 of the supervisor leaves no orphan; the next up just works, and keeps what was switched off', async () => {
    await bulkhead('layer', 'off', '40-mtls', ...state)
    const found = JSON.parse((await bulkhead('status', ...state, '--json')).stdout) as UpReport['status']
    const pids = pidsOf({ status: found })
    assert.equal(pids.length, 7)
    process.kill(report.status.pid, 'SIGKILL')
    await eventually('every process is gone', () => pids.every((pid) => !isAlive(pid)))
    const status = await bulkhead('status', ...state)
    assert.equal(status.code, 2)
    assert.match(status.stderr, new RegExp(`process ${report.status.pid}\\) ended without saying so`))
    const before = { off: [], applied: [] }
    const underWay = { lab: '01', started: found.started, target: found.started, before }
    writeFileSync(path.join(stateDir, 'overlay', 'lab.json'), JSON.stringify(underWay))
    const again = await bulkhead('up', ...theShop, ...state, '--port', '0')
    assert.equal(again.code, 0, again.stderr)
    assert.match(again.stdout, /lab 01 is under way: npx bulkhead lab check .* goes on, lab reset .* puts all back\n/)
    const second = { status: JSON.parse((await bulkhead('status', ...state, '--json')).stdout) as UpReport['status'] }
    assert.deepEqual(
      second.status.layers.map(({ name, on }) => [name, on]),
      [
        ['40-mtls', false],
        ['50-identity', true],
        ['70-ingress', true],
      ],
    )
    const down = await bulkhead('down', ...state)
    assert.deepEqual([down.code, down.stdout], [0, `it is down (process ${second.status.pid}).\n`])
    assert.ok(
      [...pidsOf(second), second.status.pid].every((pid) => !isAlive(pid)),
      'nothing is left running',
    )
    assert.equal(existsSync(path.join(stateDir, 'control.json')), false)
  })

  test('down with nothing up says so', async () => {
    const { code, stderr } = await bulkhead('down', ...state)
    assert.equal(code, 2)
    assert.match(stderr, /^bulkhead: nothing is up here \(no .*control\.json\)\.\n$/)
    for (const args of [['status'], ['layer'], ['flows'], ['logs', 'shop/sleep'], ['exec', 'shop/sleep', 'true']]) {
      const [name = '', ...rest] = args
      const ran = await bulkhead(name, ...state, ...rest)
      assert.deepEqual([ran.code, /nothing is up here/.test(ran.stderr)], [2, true], args.join(' '))
    }
  })
})
