import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { RefusedError } from '@bulkhead/scenarios'
import { bench, everything, listOf, placeFor, repository } from '../testing/bench.js'

const policyId = 'AuthorizationPolicy/shop/web-api-rbac'
const live = everything.objects.find(
  ({ kind, metadata }) => kind === 'AuthorizationPolicy' && metadata.name === 'web-api-rbac',
)
const mine = {
  objects: `apiVersion: v1
kind: Pod
metadata: { name: late, namespace: sandbox, labels: { app: late } }
spec: { containers: [{ name: c, image: i }] }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: late, namespace: sandbox }
`,
  file: 'k8s/attacks/late.yaml',
}
const apply = 'kubectl apply --server-side'
const ready = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }
const pod = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'late', namespace: 'sandbox' },
  ...ready,
})
const changes = (lines: readonly string[]): readonly string[] =>
  lines.filter((one) => /^kubectl (apply|delete|replace|create)/.test(one))
const vpol =
  'Error from server: admission webhook "vpol.validate.kyverno.svc-fail" denied the request: Policy disallow-root-user failed: Running as root is forbidden\n'

describe('a change on the cluster', () => {
  it('what runs nothing is sent first, pods are tried before they are sent, and all is labelled', async (t) => {
    const { target, tools, place } = bench(t, [
      [apply, {}],
      ['kubectl get pods/late', { stdout: pod }],
    ])
    await target.apply('late.given', mine)
    const sent = '--server-side --force-conflicts --field-manager=bulkhead'
    assert.deepEqual(changes(tools.lines()), [
      `kubectl apply ${sent} -f -`,
      `kubectl apply ${sent} --dry-run=server -f -`,
      `kubectl apply ${sent} -f -`,
    ])
    const objects = tools.asked.flatMap(({ stdin }) => (stdin === undefined ? [] : [JSON.parse(stdin)]))
    assert.deepEqual(
      objects.map(({ kind }) => kind),
      ['ServiceAccount', 'Pod', 'Pod'],
    )
    for (const { metadata } of objects) assert.equal(metadata.labels['bulkhead.dev/change'], 'late.given')
    const [file = ''] = readdirSync(join(place.folder, 'changes'))
    assert.equal(statSync(join(place.folder, 'changes', file)).mode & 0o777, 0o600)
    assert.deepEqual(tools.astray(place.kubeconfig), [])
  })

  it('is taken back: what it brought goes, backwards, and its record after that', async (t) => {
    const { target, tools, place } = bench(t, [
      [apply, {}],
      ['kubectl get pods/late', { stdout: pod }],
      ['kubectl delete', {}],
    ])
    await target.apply('late.given', mine)
    await target.withdraw('late.given')
    assert.deepEqual(changes(tools.lines()).slice(3), [
      'kubectl delete pods/late -n sandbox --ignore-not-found --wait=true --timeout=180s',
      'kubectl delete serviceaccounts/late -n sandbox --ignore-not-found --wait=true --timeout=180s',
    ])
    assert.deepEqual(readdirSync(join(place.folder, 'changes')), [])
    await target.withdraw('never stood')
  })

  it('what it takes out, or stands in the place of, comes back as it was', async (t) => {
    const { target, tools } = bench(t, [
      [apply, {}],
      ['kubectl delete', {}],
      [/^kubectl (replace|create) (--field-manager=bulkhead )?-f -$/, {}],
      [
        /get authorizationpolicies\.security\.istio\.io\/web-api-rbac/,
        [{ stdout: JSON.stringify(live) }, { stdout: '' }],
      ],
      [
        /get services\/web-api/,
        {
          stdout: JSON.stringify({
            ...everything.objects.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'web-api'),
            status: { loadBalancer: {} },
          }),
        },
      ],
    ])
    const objects =
      'apiVersion: v1\nkind: Service\nmetadata: { name: web-api, namespace: shop }\nspec: { ports: [{ port: 8080 }] }\n'
    await target.apply('x', { objects, without: [policyId] })
    await target.withdraw('x')
    const back = tools.asked.filter(({ args }) => ['replace', 'create'].includes(args[4] ?? ''))
    assert.deepEqual(
      back.map(({ args, stdin }) => [args[4], JSON.parse(stdin ?? '').metadata.name]),
      [
        ['replace', 'web-api'],
        ['replace', 'web-api'],
        ['create', 'web-api-rbac'],
      ],
    )
    for (const { stdin = '' } of back) assert.doesNotMatch(stdin, /resourceVersion|managedFields|"uid"|"status"/)
    const [stands = '', service = ''] = back.map(({ stdin = '' }) => stdin)
    // Replaced, since an apply leaves a label that others have written and the manifest does not have.
    assert.deepEqual(JSON.parse(stands).metadata.labels, { 'bulkhead.dev/change': 'x' })
    assert.match(service, /clusterIP/)
    // Without this note a later apply of k8s/ takes nothing away.
    for (const one of back.slice(1))
      assert.match(one.stdin ?? '', /kubectl\.kubernetes\.io\/last-applied-configuration/)
  })

  it('an id that is not there is no mistake; one with its group is that alone', async (t) => {
    const { target, tools } = bench(t, [])
    await target.apply('x', { without: ['NetworkPolicy/shop/none', 'AuthorizationPolicy.other.io/shop/web-api-rbac'] })
    assert.deepEqual(changes(tools.lines()), [])
  })

  it('refused by a policy: as a whole, before any pod is there, in the API server s words, and nothing is left', async (t) => {
    const { target, tools, place } = bench(t, [
      [`${apply} --force-conflicts --field-manager=bulkhead --dry-run=server`, { code: 1, stderr: vpol }],
      [apply, {}],
      ['kubectl delete', {}],
    ])
    const error = await target.apply('late.given', mine).then(
      () => assert.fail('it was let in'),
      (thrown: RefusedError) => thrown,
    )
    assert.equal(error.code, 'refused')
    const [account, refused] = error.admissions
    assert.deepEqual([account?.object.id, account?.outcome], ['ServiceAccount/sandbox/late', 'allow'])
    assert.deepEqual([refused?.object.id, refused?.outcome], ['Pod/sandbox/late', 'deny'])
    const [step] = refused?.steps ?? []
    assert.deepEqual(
      [step?.policy, step?.code, step?.layer],
      ['ValidatingPolicy/disallow-root-user', 'admission.denied', '10-admission'],
    )
    assert.match(step?.at ?? '', /^k8s\/layers\/10-admission\/disallow-root-user\/policy\.yaml:\d+$/)
    assert.match(refused?.refusal?.message ?? '', /^admission webhook .* Running as root is forbidden$/)
    assert.equal(changes(tools.lines()).filter((one) => one.startsWith('kubectl delete')).length, 2)
    assert.deepEqual(readdirSync(join(place.folder, 'changes')), [])
  })

  it('refused when a controller wants to make its pods', async (t) => {
    const deployment = readFileSync(join(repository, 'k8s/attacks/shop-privileged-deployment.yaml'), 'utf8')
    const message = 'pods "x-1" is forbidden: violates PodSecurity "restricted:latest": privileged'
    const status = { conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }] }
    const { target } = bench(t, [
      [apply, {}],
      ['kubectl delete', {}],
      [
        /get deployments\.apps/,
        [
          {
            stdout: JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' }, status: {} }),
          },
          { stdout: JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' }, status }) },
        ],
      ],
    ])
    const error = await target.apply('x', { objects: deployment }).then(
      () => assert.fail('it was let in'),
      (thrown: RefusedError) => thrown,
    )
    const refused = error.admissions.at(-1)
    assert.deepEqual(
      [refused?.outcome, refused?.pod?.outcome, refused?.pod?.refusal?.message],
      ['allow', 'deny', message],
    )
    assert.equal(refused?.pod?.steps[0]?.policy, 'Namespace/shop')
  })

  it('another failure is told as it is, and the change taken back', async (t) => {
    const stderr = 'Error from server (NotFound): namespaces "nowhere" not found'
    const { target, tools } = bench(t, [
      [apply, { code: 1, stderr }],
      ['kubectl delete', {}],
    ])
    await assert.rejects(target.apply('x', mine), {
      code: 'bad-change',
      message: /ServiceAccount\/sandbox\/late was not taken .*"nowhere" not found/,
    })
    assert.equal(changes(tools.lines()).filter((one) => one.startsWith('kubectl delete')).length, 2)
    await assert.rejects(target.apply('x', { objects: 'kind: Pod' }), { code: 'bad-change', message: /^change:1:1: / })
  })

  it('what could not be taken back either is told with it, and the record stays', async (t) => {
    const { target, place } = bench(t, [
      [apply, { code: 1, stderr: 'Error from server: gone' }],
      ['kubectl delete', { code: 1, stderr: 'Unable to connect to the server' }],
    ])
    await assert.rejects(target.apply('x', mine), {
      message: /gone\nand the change "x" could not be taken back: .*Unable to connect/,
    })
    assert.equal(readdirSync(join(place.folder, 'changes')).length, 1)
  })
})

describe('what an ended run has left', () => {
  const record = {
    name: 'old.given',
    pid: 2 ** 22 + 1,
    cluster: 'ours',
    brought: [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'late', namespace: 'sandbox' } }],
    replaced: [],
    taken: [live],
  }

  it('is taken back at the first use, and told', async (t) => {
    const place = placeFor(t)
    mkdirSync(join(place.folder, 'changes'))
    writeFileSync(join(place.folder, 'changes/old.given.json'), JSON.stringify(record))
    const table = [
      ['kubectl delete pods/late -n sandbox', {}],
      ['kubectl get authorizationpolicies.security.istio.io/web-api-rbac', {}],
      ['kubectl create -f -', {}],
    ] as const
    const { target, tools, notes } = bench(t, table, {}, place)
    await target.layers()
    assert.deepEqual(
      tools
        .unused()
        .filter((one) => !one.startsWith('/'))
        .slice(0, 3),
      [],
    )
    assert.match(notes.join(), /had left the change "old.given" on the cluster; it has been taken back/)
    assert.equal(existsSync(join(place.folder, 'changes/old.given.json')), false)
  })

  it('what the same run has in force is not left by anybody', async (t) => {
    const table = [
      [apply, {}],
      ['kubectl get pods/late', { stdout: pod }],
      ['kubectl delete', {}],
    ] as const
    const first = bench(t, table)
    await first.target.apply('late.given', mine)
    const second = bench(t, table, {}, first.place)
    await second.target.layers()
    assert.deepEqual([second.notes, changes(second.tools.lines())], [[], []])
    await second.target.withdraw('late.given')
    assert.equal(changes(second.tools.lines()).length, 2)
  })

  it('on a cluster that is gone went with it: nothing of it is put on another one', async (t) => {
    const place = placeFor(t)
    mkdirSync(join(place.folder, 'changes'))
    const file = join(place.folder, 'changes/old.given.json')
    writeFileSync(file, JSON.stringify({ ...record, cluster: 'another' }))
    const { target, tools, notes } = bench(t, [], {}, place)
    await target.layers()
    assert.deepEqual([changes(tools.lines()), notes, existsSync(file)], [[], [], false])
  })

  it('of two runs that began side by side the second changes nothing while the first does; one that is over is none', async (t) => {
    const { target, tools, place } = bench(t, [[apply, {}]])
    await target.layers()
    mkdirSync(join(place.folder, 'changes'))
    const file = join(place.folder, 'changes/old.given.json')
    writeFileSync(file, JSON.stringify({ ...record, pid: process.ppid }))
    await assert.rejects(target.apply('mine.given', mine), { code: 'bad-change', message: /another run/ })
    assert.deepEqual(changes(tools.lines()), [])
    assert.deepEqual(readdirSync(join(place.folder, 'changes')), ['old.given.json'])
    for (const pid of [0, -1, 0.5]) {
      writeFileSync(file, JSON.stringify({ ...record, pid, brought: [], taken: [] }))
      await bench(t, [], {}, place).target.layers()
      assert.ok(!existsSync(file), `${pid}`)
    }
  })

  it('a run that goes on is not disturbed, and a record that cannot be read is not passed over', async (t) => {
    const place = placeFor(t)
    mkdirSync(join(place.folder, 'changes'))
    writeFileSync(join(place.folder, 'changes/a.json'), JSON.stringify({ ...record, pid: process.ppid }))
    await assert.rejects(bench(t, [], {}, place).target.layers(), {
      code: 'bad-change',
      message: /another run \(process \d+\).*set "pid" to 0 in ".*old\.given\.json"/,
    })
    const unreadable = (why: RegExp) =>
      assert.rejects(bench(t, [], {}, place).target.layers(), { code: 'bad-change', message: why })
    for (const text of ['half', '[]', '{"name":"a"}']) {
      writeFileSync(join(place.folder, 'changes/a.json'), text)
      await unreadable(/a\.json" says .*, and cannot be read\. Look at/)
    }
    rmSync(join(place.folder, 'changes/a.json'))
    mkdirSync(join(place.folder, 'changes/a.json'))
    await unreadable(/a\.json" says .*, and cannot be read \(EISDIR/)
    rmSync(join(place.folder, 'changes'), { recursive: true })
    writeFileSync(join(place.folder, 'changes'), '')
    await unreadable(/changes" says .*, and cannot be read \(ENOTDIR/)
  })
})

describe('what the engine says beforehand', () => {
  it('of each object, with those before it in force', async (t) => {
    const { target, tools } = bench(t, [])
    const objects = readFileSync(join(repository, 'k8s/attacks/hacker-root.yaml'), 'utf8')
    const said = await target.admit({ objects, file: 'k8s/attacks/hacker-root.yaml' })
    assert.deepEqual(
      said.map(({ outcome }) => outcome),
      ['allow', 'deny'],
    )
    assert.deepEqual(changes(tools.lines()), [])
  })
})

describe('pods that do not become ready', () => {
  it('are waited for, and their cause told', async (t) => {
    const status = {
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'ErrImageNeverPull', message: 'not there' } } }],
    }
    const waiting = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'late' }, status })
    const { target } = bench(
      t,
      [
        [apply, {}],
        ['kubectl delete', {}],
        ['kubectl get pods/late', { stdout: waiting }],
      ],
      { readyMs: 5 },
    )
    await assert.rejects(target.apply('x', mine), {
      code: 'not-in-force',
      message: /Pod\/sandbox\/late: ErrImageNeverPull not there/,
    })
  })

  it('of a StatefulSet the events say what was refused', async (t) => {
    const set = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 's', namespace: 'demo', uid: 'u' } }
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e' },
      involvedObject: { uid: 'u' },
      message: `create Pod s-0 in StatefulSet s failed error: ${vpol.slice(19)}`,
    }
    const { target } = bench(t, [
      [apply, {}],
      ['kubectl delete', {}],
      [/get statefulsets\.apps\/s/, { stdout: JSON.stringify(set) }],
      [/get events .*involvedObject\.kind=StatefulSet/, { stdout: listOf([event]) }],
    ])
    const objects = `apiVersion: apps/v1
kind: StatefulSet
metadata: { name: s, namespace: demo }
spec:
  serviceName: s
  selector: { matchLabels: { app: s } }
  template: { metadata: { labels: { app: s } }, spec: { containers: [{ name: c, image: i }] } }
`
    await assert.rejects(target.apply('x', { objects }), { code: 'refused', message: /Running as root is forbidden/ })
  })
})
