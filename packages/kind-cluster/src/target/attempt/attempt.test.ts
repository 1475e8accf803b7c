import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Attempt } from '@bulkhead/scenarios'
import { type Answers, noOutside } from '../../testing/index.js'
import { textAt } from '../live/index.js'
import { bench, everything, given, listOf, program, seen } from '../testing/bench.js'

const get: Attempt = { kind: 'http', to: { service: 'shop/web-api' }, port: 8080, http: { method: 'GET', path: '/' } }
const exec = /^kubectl exec -i -n/

function addressOf(prefix: string): string {
  const pod = everything.objects.find(({ kind, metadata }) => kind === 'Pod' && metadata.name.startsWith(prefix))
  return textAt(pod, 'status', 'podIP') ?? ''
}

describe('an attempt from a pod whose image is the probe', () => {
  it('is made by its own program, with names, addresses and times of the cluster', async (t) => {
    const { target, tools, place } = bench(t, [[exec, { stdout: seen() }]])
    const { observation, flows, sightings } = await target.attempt('shop/sleep', get)
    assert.deepEqual([observation.symptom, flows, sightings], ['ok', [], []])
    const line = tools.lines().find((one) => exec.test(one)) ?? ''
    assert.match(line, /^kubectl exec -i -n shop sleep-\S+ -c \S+ -- node \/app\/dist\/main.js attempt$/)
    const { host, port, timeoutMs, lateResetMs } = given(tools.asked.find(({ stdin }) => stdin !== undefined)?.stdin)
    assert.deepEqual([host, port, timeoutMs, lateResetMs], ['web-api.shop.svc.cluster.local', 8080, 15_000, 9_000])
    assert.deepEqual(tools.astray(place.kubeconfig), [])
  })

  it('has no log read for it where nobody wants to know more than what its client saw', async (t) => {
    const asksWitnesses = /^kubectl get pods -n istio-system/
    const { target, tools } = bench(t, [[exec, { stdout: seen() }]])
    const { sightings } = await target.attempt('shop/sleep', get, { records: 'none' })
    assert.equal(sightings, undefined)
    assert.ok(!tools.lines().some((line) => asksWitnesses.test(line)))
    await target.attempt('shop/sleep', get)
    assert.ok(tools.lines().some((line) => asksWitnesses.test(line)))
  })

  it('dials a pod by the address that the cluster gave it', async (t) => {
    const { target, tools } = bench(t, [[exec, { stdout: seen() }]])
    await target.attempt('shop/sleep', { ...get, to: { workload: 'shop/web-api' } })
    const { host } = given(tools.asked.find(({ stdin }) => stdin !== undefined)?.stdin)
    const pod = everything.objects.find(({ kind, metadata }) => kind === 'Pod' && metadata.name.startsWith('web-api-'))
    assert.ok(host !== undefined)
    assert.equal(host, textAt(pod, 'status', 'podIP'))
  })

  it('is made from a pod that is ready, where one of them is not', async (t) => {
    const sleep = everything.objects.find(({ kind, metadata }) => kind === 'Pod' && metadata.name.startsWith('sleep-'))
    assert.ok(sleep)
    const early = {
      ...sleep,
      metadata: { ...sleep.metadata, name: 'sleep-early' },
      status: { phase: 'Running', podIP: '10.244.7.7' },
    }
    const { target, tools } = bench(t, [[exec, { stdout: seen() }]], { objects: [early, ...everything.objects] })
    await target.attempt('shop/sleep', get)
    assert.ok(tools.lines().some((line) => line.startsWith(`kubectl exec -i -n shop ${sleep.metadata.name} `)))
  })

  it('what it saw is the answer, whatever that is: it is not tried again', async (t) => {
    const { target, tools } = bench(t, [[exec, { stdout: seen({ symptom: 'reset', phase: 'request' }), code: 1 }]])
    assert.equal((await target.attempt('shop/sleep', get)).observation.symptom, 'reset')
    assert.equal(tools.lines().filter((one) => exec.test(one)).length, 1)
  })

  it('is made again where the program could not be started, and that is told', async (t) => {
    const broken = { code: 1, stderr: 'error: unable to upgrade connection: container not found ("sleep")\n' }
    const { target } = bench(t, [[exec, [broken, broken, { stdout: seen() }]]])
    const { notes = [] } = await target.attempt('shop/sleep', get)
    assert.equal(notes.length, 2)
    assert.match(notes[0] ?? '', /^made again \(2\), since the program could not be started in shop\/sleep-.*upgrade/)
  })

  it('is given up after three times, and at once where it is not the way to the pod that failed', async (t) => {
    const broken = bench(t, [[exec, { code: 1, stderr: 'error: error dialing backend: EOF\n' }]])
    await assert.rejects(broken.target.attempt('shop/sleep', get), {
      code: 'attempt-failed',
      message: /dialing backend/,
    })
    assert.equal(broken.tools.lines().filter((one) => exec.test(one)).length, 3)
    const killed = bench(t, [[exec, { code: 137, stderr: 'command terminated with exit code 137\n' }]])
    await assert.rejects(killed.target.attempt('shop/sleep', get), {
      code: 'attempt-failed',
      message: /too little memory/,
    })
    assert.equal(killed.tools.lines().filter((one) => exec.test(one)).length, 1)
    const slow = bench(t, [[exec, { fails: 'timeout' }]])
    await assert.rejects(slow.target.attempt('shop/sleep', get), { code: 'attempt-failed', message: /was ended/ })
    const missing = bench(t, [[exec, { fails: 'missing' }]])
    await assert.rejects(missing.target.attempt('shop/sleep', get), { name: 'ToolError', code: 'missing' })
  })

  it('that is told in no form of ours was not observed: nobody may choose what a report is made of', async (t) => {
    const odd = [
      seen({}).replace('"ok"', '"\\u001b[2J"'),
      seen({}).replace('"ok"', '"toString"'),
      seen({}).replace('"answer"', '"somewhere"'),
      seen({}).replace('"bytes":2', '"bytes":null'),
      seen({}).replace('"bytes":2', '"bytes":2,"http":{"status":"403","headers":{},"body":""}'),
      seen({}).replace('"bytes":2', '"bytes":2,"error":"no"'),
      'garbage\n',
      '',
    ]
    for (const stdout of odd) {
      const { target } = bench(t, [[exec, { stdout }]])
      await assert.rejects(target.attempt('shop/sleep', get), { code: 'attempt-failed' }, stdout)
    }
  })

  it('held: the change comes once the first answer is there, and is waited for', async (t) => {
    const order: string[] = []
    const { target } = bench(t, [[exec, { stdout: `{"held":true}\n${seen({ phase: 'held' })}` }]])
    const held = async (): Promise<void> => {
      order.push('begins')
      await new Promise((resolve) => setImmediate(resolve))
      order.push('in force')
    }
    const { observation } = await target.attempt('shop/sleep', { ...get, hold: true }, { held })
    assert.deepEqual([observation.phase, order], ['held', ['begins', 'in force']])
  })

  it('held: when the change fails the connection is ended, and the reason is the change s', async (t) => {
    const { target } = bench(t, [[exec, { stdout: '{"held":true}\n', hangs: true }]])
    const held = () => Promise.reject(new Error('refused'))
    await assert.rejects(target.attempt('shop/sleep', { ...get, hold: true }, { held }), /^Error: refused$/)
  })

  it('ends when it is called off', async (t) => {
    const stop = new AbortController()
    const { target, tools } = bench(t, [[exec, () => ({ hangs: true })]])
    const attempt = target.attempt('shop/sleep', get, { signal: stop.signal })
    while (!tools.lines().some((one) => exec.test(one))) await new Promise((resolve) => setImmediate(resolve))
    stop.abort(new Error('called off'))
    await assert.rejects(attempt, /called off/)
  })

  it('so many at once, and no more', async (t) => {
    let now = 0
    let most = 0
    const { target, tools } = bench(t, [[exec, { stdout: seen() }]], { atOnce: 2 })
    const run = tools.run.bind(tools)
    Object.assign(tools, {
      run: async (...args: Parameters<typeof run>) => {
        if (args[0].stdin === undefined) return run(...args)
        now += 1
        most = Math.max(most, now)
        await new Promise((resolve) => setImmediate(resolve))
        now -= 1
        return run(...args)
      },
    })
    await Promise.all(Array.from({ length: 7 }, () => target.attempt('shop/sleep', get, { records: 'none' })))
    assert.equal(most, 2)
  })
})

describe('an attempt from a pod whose image has no probe', () => {
  it('is made by the pod s own node, which gets the program on stdin with the attempt before it', async (t) => {
    const { target, tools } = bench(t, [[exec, { stdout: seen() }]])
    await target.attempt('shop/web-api', { ...get, to: { service: 'shop/recommendation' } })
    const asked = tools.asked.find(({ stdin }) => stdin !== undefined)
    assert.deepEqual(asked?.args.slice(-4), ['--', 'node', '--input-type=module', '-'])
    const [first = '', ...rest] = (asked?.stdin ?? '').split('\n')
    assert.equal(rest.join('\n'), program)
    const text = /^globalThis\[Symbol\.for\('bulkhead\.probe\.attempt'\)\]=(.*);$/.exec(first)?.[1] ?? ''
    assert.equal(JSON.parse(JSON.parse(text)).host, 'recommendation.shop.svc.cluster.local')
  })

  it('cannot be made where there is no node either, and bash cannot make it; that is no failure', async (t) => {
    const { target } = bench(t, [])
    await assert.rejects(target.attempt('demo/postgres', { ...get, tls: {} }), {
      code: 'not-makeable',
      message: /demo\/postgres-0 runs docker\.io\/library\/postgres\S*, which has bash, and no program.* over TLS/,
    })
  })
})

describe('an attempt from outside', () => {
  it('has as long as one from a pod, and where it is held as long as a change may take', async (t) => {
    const { target, tools } = bench(t, [[/^node /, { stdout: seen() }]])
    const door: Attempt = { ...get, to: { service: 'shop/shop-gateway-istio' }, port: 80, timeoutMs: 2000 }
    await target.attempt('outside', door)
    await target.attempt('outside', { ...door, hold: true })
    const times = tools.asked.filter(({ tool }) => tool === 'node').map(({ stdin }) => given(stdin).timeoutMs)
    assert.deepEqual(times, [15_000, 60_000])
  })

  it('is this machine s, to the port that leads to the gateway', async (t) => {
    const { target, tools } = bench(t, [[/^node .+probe\.mjs'? attempt$/, { stdout: seen() }]])
    await target.attempt('outside', { ...get, to: { service: 'shop/shop-gateway-istio' }, port: 80 })
    const { host, port } = given(tools.asked.find(({ tool }) => tool === 'node')?.stdin)
    assert.deepEqual([host, port], ['127.0.0.1', 30080])
  })

  it('leads nowhere where there is no NodePort, or nothing', async (t) => {
    const { target } = bench(t, [])
    await assert.rejects(target.attempt('outside', get), { code: 'bad-attempt', message: /has no NodePort for 8080/ })
    const to = { service: 'shop/none' }
    await assert.rejects(target.attempt('outside', { ...get, to }), {
      code: 'bad-attempt',
      message: /could be reached/,
    })
  })
})

describe('attempts that no cluster has a way to make', () => {
  const cases: Readonly<Record<string, readonly [Partial<Attempt>, RegExp]>> = {
    'a private socket': [{ kind: 'socket' }, /private socket/],
    'a stolen certificate': [{ kind: 'hbone', certificate: 'stolen' }, /ztunnel asks istiod/],
    'an expired one': [{ kind: 'hbone', certificate: 'expired' }, /^an expired certificate/],
    'a name that nobody has': [{ to: { host: 'nobody.invalid' } }, /a name that nobody has/],
    'a name that nobody plays': [
      { to: { host: 'drop.attacker.example' } },
      /bulkhead-outside does not run.*cluster up/,
    ],
  }
  for (const [name, [change, message]] of Object.entries(cases))
    it(name, async (t) => {
      const { target, tools } = bench(t, [noOutside])
      await assert.rejects(target.attempt('shop/sleep', { ...get, ...change }), { code: 'not-makeable', message })
      assert.equal(
        tools.lines().some((one) => exec.test(one)),
        false,
      )
    })

  it('an address that nobody has, where its packets are not dropped anyway: that one is told by Cilium', async (t) => {
    const unwalled = everything.objects.filter(({ apiVersion }) => /^(v1|apps\/v1)$/.test(apiVersion))
    for (const [ip, message] of [
      ['203.0.113.9', /an address that nobody has/],
      ['169.254.169.254', /no metadata service/],
    ] as const) {
      const attempt: Attempt = { ...get, to: { ip } }
      const open = bench(t, [], { objects: unwalled })
      await assert.rejects(open.target.attempt('shop/web-api', attempt), { code: 'not-makeable', message })
      let madeAt = new Date(0)
      const late: readonly [RegExp, Answers] = [
        exec,
        () => {
          madeAt = new Date()
          return { stdout: seen({ symptom: 'late-reset', phase: 'request' }) }
        },
      ]
      const agents = listOf(everything.objects.filter(({ metadata }) => metadata.name.startsWith('cilium-')))
      const dropped = () => ({
        time: madeAt.toISOString(),
        ...{ verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED', event_type: { type: 1 } },
        IP: { source: addressOf('web-api-'), destination: ip },
        l4: { TCP: { destination_port: 8080 } },
      })
      const hubble: readonly [RegExp, Answers] = [
        /^kubectl exec -n kube-system cilium-/,
        () => ({ stdout: `${JSON.stringify({ flow: dropped() })}\n` }),
      ]
      const told = bench(t, [late, [/^kubectl get pods -n kube-system -l k8s-app=cilium/, { stdout: agents }], hubble])
      assert.equal((await told.target.attempt('shop/web-api', attempt)).observation.symptom, 'late-reset')
      // It fails with no wall at all: where nobody says that it was one, nothing is known.
      const silent = bench(t, [late])
      await assert.rejects(silent.target.attempt('shop/web-api', attempt), {
        code: 'attempt-failed',
        message: /nobody has \S+ here, .* Cilium does not say that it dropped/,
      })
    }
  })

  it('but a question for such a name is asked, and certificates that anybody makes are shown', async (t) => {
    const { target, tools } = bench(t, [[exec, { stdout: seen() }]])
    const query = 'drop.attacker.example'
    await target.attempt('shop/sleep', { kind: 'dns', to: { host: query }, port: 53, dns: { query } })
    const forged: Attempt = {
      ...get,
      kind: 'hbone',
      to: { workload: 'shop/web-api' },
      certificate: 'self-signed',
      as: 'shop/sleep',
    }
    await target.attempt('shop/intruder', forged)
    const { claim } = given(tools.asked.filter(({ stdin }) => stdin !== undefined).at(-1)?.stdin)
    assert.equal(claim, 'spiffe://cluster.local/ns/shop/sa/sleep')
  })

  it('what names nobody is another mistake', async (t) => {
    const { target } = bench(t, [])
    await assert.rejects(target.attempt('shop/nobody', get), {
      code: 'bad-attempt',
      message: /no pod of "shop\/nobody"/,
    })
    await assert.rejects(target.attempt('node bulkhead-x', get), { code: 'bad-attempt', message: /there is no node/ })
    const to = { workload: 'shop/nobody' }
    await assert.rejects(target.attempt('shop/sleep', { ...get, to }), { code: 'bad-attempt' })
  })
})

describe('run', () => {
  const run: Attempt = { kind: 'run', to: { workload: 'demo/postgres' }, port: 5432 }

  it('that the pod is there and its own program runs: nothing is started for it', async (t) => {
    const { target, tools } = bench(t, [])
    const { observation } = await target.attempt('demo/postgres', run)
    assert.deepEqual([observation.symptom, observation.detail?.pod], ['ok', 'postgres-0'])
    assert.equal(
      tools.lines().some((one) => exec.test(one)),
      false,
    )
  })

  it('a pod whose program never ran has not', async (t) => {
    const waiting = { containerStatuses: [{ state: { waiting: { reason: 'ErrImagePull' } } }] }
    const objects = everything.objects.map((one) =>
      one.metadata.name === 'postgres-0' ? { ...one, status: { ...(one.status as object), ...waiting } } : one,
    )
    const { target } = bench(t, [], { objects })
    await assert.rejects(target.attempt('demo/postgres', run), { code: 'attempt-failed', message: /ErrImagePull/ })
  })
})
