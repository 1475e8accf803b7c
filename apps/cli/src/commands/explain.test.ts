import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import type { Explanation } from '@bulkhead/analysis'
import { ControlError } from '@bulkhead/control'
import { type Flow, type FlowDestination, FlowError, type FlowErrorCode } from '@bulkhead/verdict'
import { parseDestination } from '../endpoints.js'
import { fixtures, matchesGolden, repository } from '../golden.js'
import { styleOf } from '../style.js'
import { runCli } from '../testing.js'
import { coloured, explainNamed } from './explain.js'

const explain = (...args: readonly string[]) => runCli(['explain', '--offline', ...args], { cwd: repository })

for (const [name, args, exit] of [
  ['an allowed caller', ['shop/sleep', 'shop/web-api:8080', 'GET', '/'], 0],
  ['another identity', ['shop/notsleep', 'shop/web-api:8080', 'GET', '/'], 1],
  ['no identity', ['shop/outsider', 'shop/web-api:8080'], 1],
  ['another port', ['shop/sleep', 'shop/web-api:9090'], 1],
  ['a workload by its own name', ['shop/sleep', 'shop/purchase-history-v1:8080'], 1],
  ['a host', ['shop/sleep', 'web-api:8080'], 0],
  ['an address that nobody has', ['shop/sleep', '10.244.1.250:8080'], 1],
  ['from outside', ['outside', 'http://istioexplained.io/'], 0],
  ['a method that the gateway stops', ['outside', 'http://istioexplained.io/', 'DELETE'], 1],
  ['a host that no route has', ['outside', 'shop/shop-gateway-istio:80', 'GET', '/', '--host', 'other.example'], 1],
  ['past the gateway', ['outside', 'shop/web-api:8080'], 1],
  ['a port that carries every port', ['demo/hello-app', 'demo/postgres:5432'], 0],
  ['a host outside', ['demo/hello-app', 'api.github.com:443'], 0],
  ['a server name that is not allowed', ['demo/hello-app', 'https://api.cloudflare.com/'], 1],
  ['a name that may not be asked for', ['demo/hello-app', 'drop.attacker.example:443'], 1],
  ['the metadata address', ['demo/hello-app', '169.254.169.254:80'], 1],
  ['a datagram to the outside', ['demo/intruder', 'api.github.com:443/UDP'], 1],
  ['the api server', ['demo/intruder', 'default/kubernetes:443'], 1],
  ['a kubelet', ['shop/web-api', 'node/bulkhead-worker:10250'], 1],
] as const) {
  const file = `explain/${name.replaceAll(' ', '-')}`

  test(`${name}: text and exit code, and JSON says the same`, async () => {
    const text = await explain(...args)
    assert.equal(text.code, exit, text.stderr)
    assert.equal(text.stderr, 'asked: the manifests in k8s/\n')
    matchesGolden(`$ npx bulkhead explain --offline ${args.join(' ')}\n${text.stdout}`, `${file}.txt`)
    const { code, stdout, stderr } = await explain(...args, '--json')
    assert.equal(code, exit)
    assert.equal(stderr, '')
    matchesGolden(stdout, `${file}.json`)
    const { verdict } = JSON.parse(stdout) as { verdict: { outcome: string; text: string } }
    assert.equal(verdict.outcome === 'allow' ? 0 : 1, exit)
    assert.ok(text.stdout.startsWith(verdict.text))
  })
}

test('the same from a folder within the clone: places are relative to the clone', async () => {
  const there = await explain('shop/notsleep', 'shop/web-api:8080')
  const within = await runCli(['explain', '--offline', 'shop/notsleep', 'shop/web-api:8080'], {
    cwd: path.join(repository, 'k8s', 'layers'),
  })
  assert.deepEqual(within, there)
  assert.match(within.stdout, /k8s\/layers\/60-requests\/shop\/waypoint-allow-nothing\.yaml:\d+/)
})

test('what is not modelled and decides is unknown: exit code 3', async () => {
  const manifests = path.join(fixtures, 'not-modelled')
  const { code, stdout } = await runCli(['explain', '--manifests', manifests, 'a/client', 'a/elsewhere:80'])
  assert.equal(code, 3, stdout)
  assert.match(stdout, /UNKNOWN/)
})

test('what a connection carries is told with --sni, --no-sni and --query', async () => {
  for (const [args, code, says] of [
    [['demo/hello-app', 'api.github.com:443', '--sni', 'api.cloudflare.com'], 1, /server name api\.cloudflare\.com\)/],
    [['demo/hello-app', 'api.cloudflare.com:443', '--sni', 'api.github.com'], 0, /ALLOWED/],
    [['demo/hello-app', 'api.github.com:443', '--no-sni'], 1, /no server name\)/],
    [['demo/hello-app', 'kube-system/kube-dns:53/UDP', '--query', 'api.github.com'], 0, /ALLOWED/],
    [['demo/hello-app', 'kube-system/kube-dns:53/UDP', '--query', 'a.example'], 1, /asking for a\.example\)/],
  ] as const) {
    const said = await explain(...args)
    assert.equal(said.code, code, said.stderr)
    assert.match(said.stdout.split('\n')[0] ?? '', says)
  }
})

const staff = (...args: readonly string[]) =>
  runCli(['explain', '--manifests', 'header-route', ...args, '--json'], { cwd: fixtures })

test('headers, method and host of the request are what the route is chosen by', async () => {
  const put = ['outside', 'http://any.example/', 'PUT']
  const taken = await staff(...put, '--header', 'X-Staff: yes')
  assert.equal(taken.code, 0, taken.stderr)
  assert.match(taken.stdout, /"route\.forwards"/)
  for (const other of [
    put,
    [...put, '--header', 'x-staff: no'],
    ['outside', 'http://any.example/', '--header', 'x-staff: yes'],
  ]) {
    const { code, stdout } = await staff(...other)
    assert.equal(code, 1)
    assert.match(stdout, /"symptom": "gateway-404"/)
  }
})

test('a URL leads to the gateway that answers for its host and port; within the cluster only by name', async () => {
  const toOf = async (...args: readonly string[]) => {
    const { stdout } = await staff(...args)
    return (JSON.parse(stdout) as { verdict: { hops: { to: string }[] } }).verdict.hops.map(({ to }) => to).join()
  }
  const staffs = ['PUT', '--header', 'x-staff: yes']
  assert.equal(await toOf('outside', 'http://x.more.example:8080/', ...staffs), 'a/gw-istio,a/web')
  assert.equal(await toOf('a/web', 'http://x.more.example:8080/', ...staffs), 'a/gw-istio,a/web')
  assert.equal(await toOf('outside', 'http://any.example/', ...staffs), 'a/gw-istio,a/web')
  // Of two gateways at one port the one that has the name, and not the one that takes any, whichever comes first.
  assert.equal(await toOf('outside', 'http://named.example/'), 'a/named-istio,a/web')
  assert.equal(await toOf('outside', 'http://x.named.example:81/'), 'a/named-istio,a/web')
  // A Gateway by its own name, as the matrix has it.
  assert.equal(await toOf('outside', 'a/gw:80', ...staffs), 'a/gw-istio,a/web')
  // The gateway's first listener is for every name, and a Service's name is a Service's.
  assert.equal(await toOf('a/gw-istio', 'http://web/', ...staffs), 'a/web')
  assert.equal(await toOf('a/web', 'http://any.example/', ...staffs), 'any.example')
  assert.equal(await toOf('a/web', 'http://x.more.example/', ...staffs), 'x.more.example')
})

for (const [what, args, said] of [
  [
    'an unknown caller',
    ['shop/slep', 'shop/web-api:8080'],
    /^bulkhead: there is no workload "shop\/slep"; did you mean "shop\/sleep"\?\n$/,
  ],
  [
    'an unknown destination',
    ['shop/sleep', 'shop/web-ap:8080'],
    /^bulkhead: there is no Service and no workload "shop\/web-ap"; did you mean "shop\/web-api"\?\n$/,
  ],
  ['both unknown', ['shop/slep', 'shop/nothing-like-it:8080'], /^bulkhead: there is no /],
  ['no port', ['shop/sleep', 'shop/web-api'], /^bulkhead: "shop\/web-api" has no port/],
  ['a method in the wrong place', ['shop/sleep', 'shop/web-api:8080', '/'], /^bulkhead: "\/" is not an HTTP method/],
  [
    'a request inside TLS',
    ['demo/hello-app', 'https://api.github.com/', 'GET'],
    /^bulkhead: what is asked inside TLS is not seen on the way; leave the method/,
  ],
  [
    'a server name in a datagram',
    ['demo/hello-app', 'api.github.com:443/UDP', '--sni', 'x.example'],
    /^bulkhead: a server name goes with TCP, not with UDP\./,
  ],
  [
    'an unknown node',
    ['shop/sleep', 'node/bulkhead-worke:10250'],
    /^bulkhead: there is no node "bulkhead-worke"; did you mean "bulkhead-worker"/,
  ],
  [
    'no such folder',
    ['shop/sleep', 'shop/web-api:8080', '--manifests', 'no-such'],
    /^bulkhead: there is no folder "no-such"/,
  ],
] as const) {
  test(`${what}: a sentence on stderr, nothing on stdout, exit code 2`, async () => {
    const { code, stdout, stderr } = await explain(...args)
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, said)
  })
}

for (const [who, errorOf] of [
  ['the manifests', (code: string, message: string) => new FlowError(code as FlowErrorCode, message)],
  ['a running target', (_: string, message: string) => new ControlError('bad-flow', message)],
] as const) {
  test(`a name is a Service, a workload or a gateway, whichever is there: asked of ${who}`, async () => {
    const missing = (to: FlowDestination): Error => {
      if ('service' in to) return errorOf('flow.unknown-service', `there is no Service ${JSON.stringify(to.service)}`)
      return errorOf('flow.unknown-workload', `there is no workload "a/x"; did you mean "a/y"?`)
    }
    const { candidates } = parseDestination('a/x:80')
    const flowTo = (to: FlowDestination) => ({ from: { workload: 'a/z' }, to, port: 80 })
    const asking = async (there: (to: FlowDestination) => boolean, other = missing) => {
      const asked: FlowDestination[] = []
      const explain = ({ to }: Flow): Promise<Explanation> => {
        asked.push(to)
        return there(to) ? Promise.resolve({} as Explanation) : Promise.reject(other(to))
      }
      await explainNamed({ explain }, { candidates, port: 80 }, flowTo)
      return asked
    }
    assert.deepEqual(await asking(() => true), [{ service: 'a/x' }])
    assert.deepEqual(await asking((to) => 'workload' in to), [{ service: 'a/x' }, { workload: 'a/x' }])
    assert.deepEqual((await asking((to) => 'service' in to && to.service === 'a/x-istio')).length, 3)
    await assert.rejects(
      asking(() => false),
      /^CliError: there is no Service and no workload "a\/x"; did you mean "a\/y"\?$/,
    )
    const caller = errorOf('flow.unknown-workload', 'there is no workload "a/z"')
    await assert.rejects(
      asking(
        () => false,
        () => caller,
      ),
      caller,
    )
  })
}

test('a state folder that is named and has no target is not answered for by the manifests', async () => {
  const { code, stdout, stderr } = await runCli(
    ['explain', '--state', 'no-such-state', 'shop/sleep', 'shop/web-api:8080'],
    { cwd: repository },
  )
  assert.equal(code, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /^bulkhead: nothing is up here/)
})

test('on a terminal what decided has a colour, and the words stay the same', () => {
  const text = [
    'shop/a → shop/b:80/TCP   DENIED by 50-identity (ztunnel)',
    '  cni-egress     allowed  no network policy',
    '  ztunnel authz  DENIED   ALLOW policies select shop/b  DENIED',
    '  destination    STOPS    nothing listens',
    'what shop/a sees: a reset',
  ].join('\n')
  const shown = coloured(text, styleOf({ colour: true }))
  assert.deepEqual(
    shown.split('\u001b[31m').map((part) => part.split('\u001b[39m')[0]),
    [text.slice(0, text.indexOf('DENIED')), 'DENIED', 'DENIED', 'STOPS'],
  )
  assert.equal(shown.replaceAll('\u001b[31m', '').replaceAll('\u001b[39m', ''), text)
  assert.equal(coloured(text, styleOf({ colour: false })), text)
  const allowed = coloured('a/b → c/d:1/TCP   ALLOWED\n', styleOf({ colour: true }))
  assert.ok(allowed.includes('   \u001b[32mALLOWED\u001b[39m\n'))
})
