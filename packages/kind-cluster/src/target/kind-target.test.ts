import assert from 'node:assert/strict'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { commandsFor } from '../plan/commands.js'
import { layerNames, layerOff, layerOn } from '../plan/layers.js'
import { recordingTools } from '../testing/index.js'
import { shortCommandLine } from '../tools/command-line.js'
import { KindTarget } from './kind-target.js'
import { bench, everything, files, placeFor } from './testing/bench.js'

const without = (layer: string, but: (id: string) => boolean = () => false) => {
  const ids = new Set(
    files
      .filter((one) => one.layer === layer && !but(one.id))
      .map(({ kind, namespace, name }) => `${kind}/${namespace}/${name}`),
  )
  return everything.objects.filter(({ kind, metadata }) => !ids.has(`${kind}/${metadata.namespace}/${metadata.name}`))
}

describe('the target', () => {
  it('is there when a cluster of ours is, and asks it first whether it is ours', async (t) => {
    const { target, tools } = bench(t, [])
    await target.layers()
    assert.match(tools.lines()[0] ?? '', /^kubectl config view --minify/)
    assert.match(tools.lines()[1] ?? '', /^kubectl get namespace kube-system/)
    const place = placeFor(t)
    rmSync(place.kubeconfig)
    assert.throws(() => KindTarget.find(place, recordingTools([])), { code: 'no-cluster', message: /cluster up/ })
  })

  it('asks nothing more of one that is not ours, and asks one that did not answer again', async (t) => {
    const foreign = bench(t, [['kubectl get namespace kube-system', { stdout: 'somebody-elses' }]])
    for (const use of [
      () => foreign.target.layers(),
      () => foreign.target.apply('x', {}),
      () => foreign.target.withdraw('x'),
    ])
      await assert.rejects(use(), { code: 'not-ours' })
    assert.ok(foreign.tools.lines().every((line) => /^kubectl (config view|get namespace)/.test(line)))
    const slow = bench(t, [['kubectl get namespace kube-system', [{ code: 1, stderr: 'EOF' }, { stdout: 'ours' }]]])
    await assert.rejects(slow.target.layers(), { code: 'no-answer' })
    assert.equal((await slow.target.layers()).length, 7)
  })

  it('asks again before each change: a cluster that is another by now stays as it is', async (t) => {
    const { target, tools } = bench(t, [
      ['kubectl get namespace kube-system', [{ stdout: 'ours' }, { stdout: 'another' }]],
    ])
    await target.layers()
    for (const change of [
      () => target.apply('x', {}),
      () => target.withdraw('x'),
      () => target.setLayers({ off: ['50-identity'] }),
    ])
      await assert.rejects(change(), { code: 'not-ours' })
    assert.ok(!tools.lines().some((line) => /^kubectl (apply|delete|replace|create)/.test(line)))
  })

  it('changes nothing, and tries nothing, while somebody else changes the cluster', async (t) => {
    const { target, tools, place } = bench(t, [['kubectl delete -k', {}]])
    // Of this process, and not by this target.
    writeFileSync(place.lock, String(process.pid))
    const tried = () => assert.fail('tried')
    for (const change of [
      () => target.apply('x', {}),
      () => target.withdraw('x'),
      () => target.setLayers({ off: ['50-identity'] }),
      () => target.alone(tried),
    ])
      await assert.rejects(change(), { name: 'LockedError', message: new RegExp(`^process ${process.pid} `) })
    assert.ok(!tools.lines().some((line) => /^kubectl (apply|delete)/.test(line)))
    assert.equal((await target.layers()).length, 7, 'who only reads needs nobody to wait')
    rmSync(place.lock)
    await target.alone(() => target.setLayers({ off: ['50-identity'] }))
    assert.ok(tools.lines().some((line) => /^kubectl delete -k .*50-identity/.test(line)))
    assert.ok(!existsSync(place.lock))
  })

  it('what was read is shared for a moment, and read anew after a change', async (t) => {
    const { target, tools } = bench(t, [])
    const reads = () => tools.lines().filter((line) => line.includes(' -A -o json')).length
    const flow = { from: { workload: 'shop/sleep' }, to: { service: 'shop/web-api' }, port: 8080 }
    await Promise.all([target.predict(flow), target.layers(), target.explain(flow)])
    assert.equal(reads(), 1)
    await target.apply('x', { without: [] })
    await target.layers()
    assert.ok(reads() > 1)
  })

  it('predicts and explains by what is on the cluster', async (t) => {
    const flow = { from: { workload: 'shop/sleep' }, to: { workload: 'shop/web-api' }, port: 8080 }
    const walls = bench(t, []).target
    assert.equal((await walls.predict(flow)).outcome, 'deny')
    assert.equal((await walls.explain(flow)).verdict.outcome, 'deny')
    const open = bench(t, [], {
      objects: everything.objects.filter(({ apiVersion }) => /^(v1|apps\/v1)$/.test(apiVersion)),
    }).target
    assert.equal((await open.predict(flow)).outcome, 'allow')
  })

  it('a cluster that does not answer is told with what kubectl said', async (t) => {
    const { target } = bench(t, [
      ['kubectl api-resources', { code: 1, stderr: 'The connection to the server was refused' }],
    ])
    await assert.rejects(target.layers(), {
      code: 'kubectl',
      message: /kubectl api-resources did not work \(1\): The connection/,
    })
  })
})

describe('layers', () => {
  it('are on when all that is in them is there', async (t) => {
    const all = await bench(t, []).target.layers()
    assert.deepEqual(
      all.map(({ name, on, missing, drifted }) => [name, on, missing, drifted]),
      layerNames.map((name) => [name, true, [], []]),
    )
    assert.ok(all.every(({ objects }) => objects > 0))
  })

  it('off when nothing is there, or not all of it, and then it is told what is not', async (t) => {
    const identity = (await bench(t, [], { objects: without('50-identity') }).target.layers()).find(
      ({ name }) => name === '50-identity',
    )
    assert.deepEqual([identity?.on, identity?.missing.length], [false, identity?.objects])
    const but = (id: string): boolean => id !== 'AuthorizationPolicy/shop/web-api-rbac'
    const half = (await bench(t, [], { objects: without('50-identity', but) }).target.layers()).find(
      ({ name }) => name === '50-identity',
    )
    assert.deepEqual([half?.on, half?.missing], [false, ['AuthorizationPolicy/shop/web-api-rbac']])
  })

  it('are switched by the commands that the plan prints', async (t) => {
    const { target, tools, place } = bench(t, [
      [/^kubectl (apply|delete) -[kf]/, {}],
      [/^kubectl .*(wait|rollout)/, {}],
    ])
    const { layers } = await target.setLayers({ off: ['50-identity'], on: ['60-requests'] })
    assert.equal(layers.length, 7)
    const commands = commandsFor(place)
    const planned = [...layerOff(commands, '50-identity'), ...layerOn(commands, '60-requests')].map(({ command }) =>
      shortCommandLine(command),
    )
    const lines = tools.lines()
    const at = lines.indexOf(planned[0] ?? '')
    assert.deepEqual(lines.slice(at, at + planned.length), planned)
  })

  it('come down in the order of up, backwards', async (t) => {
    const { target, tools } = bench(t, [
      [/^kubectl delete -k/, {}],
      [/^kubectl .* wait --for=delete /, {}],
    ])
    await target.setLayers({ off: ['20', 'requests', '40-mtls'] })
    const down = tools.lines().flatMap((line) => /^kubectl delete -k k8s\/layers\/(\S+)/.exec(line)?.[1] ?? [])
    assert.deepEqual(down, ['60-requests', '40-mtls', '20-network'])
  })

  it('a name that none has, or one that is to be both, changes nothing', async (t) => {
    const { target, tools } = bench(t, [])
    await assert.rejects(target.setLayers({ off: ['55-none'] }), {
      code: 'unknown-layer',
      message: /there are 10-admission, /,
    })
    await assert.rejects(target.setLayers({ off: ['identity'], on: ['50-identity'] }), { code: 'unknown-layer' })
    assert.ok(!tools.lines().some((line) => /^kubectl (apply|delete)/.test(line)))
  })

  it('one that fails in the middle is told, and what is there is read anew', async (t) => {
    const { target } = bench(t, [['kubectl delete -k', { code: 1, stderr: 'error: unable to recognize' }]])
    await assert.rejects(target.setLayers({ off: ['50-identity'] }), {
      code: 'kubectl',
      message: /unable to recognize/,
    })
    assert.equal((await target.layers()).length, 7)
  })

  it('says that an answer is none, where it cannot be read', async (t) => {
    for (const [stdout, says] of [
      ['', /kubectl answered with nothing/],
      ['<html>', /kubectl answered with what is no JSON$/],
    ] as const) {
      const { target } = bench(t, [[/^kubectl get namespaces,.* -A -o json$/, { stdout }]])
      await assert.rejects(target.layers(), { code: 'kubectl', message: says })
    }
  })
})
