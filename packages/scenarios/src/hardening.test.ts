import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseManifests, type Resource } from '@bulkhead/resources'
import { acceptedObjects, acceptedPods } from './testing/hardening/accepted.js'
import { type HeldPod, podOf, pods, shipped } from './testing/hardening/pods.js'
import { objectRules, type PodRule, podRules } from './testing/hardening/rules.js'
import { root } from './testing/in-force.js'

/*
 * What scanners of manifests would find in the pods that this repository ships, makes or has made. What is left as it is has a
 * reason each, and both directions are held: a finding without a reason, and a reason without a finding.
 */

const ids = (some: readonly HeldPod[]): readonly string[] => some.map(({ id }) => id).sort()
const findings = ({ kept }: PodRule): readonly HeldPod[] => pods.filter((pod) => !kept(pod, shipped))

describe('every pod that is shipped', () => {
  it('is looked at: of workloads, of the canary, of gateways and waypoints, and one that manifest-gen wrote', () => {
    assert.ok(pods.length >= 27, `${pods.length} pods`)
    assert.deepEqual([...new Set(pods.map(({ by }) => by))].sort(), ['istiod', 'manifest-gen', 'us'])
    assert.ok(pods.some(({ namespace }) => namespace === 'bulkhead-canary'))
    assert.equal(new Set(ids(pods)).size, pods.length)
  })

  for (const rule of podRules)
    it(`keeps ${rule.id} (${rule.asks}), but where a reason is given`, () => {
      const accepted = acceptedPods.filter((one) => one.rule === rule.id)
      assert.deepEqual(ids(findings(rule)), ids(pods.filter((pod) => accepted.some(({ is }) => is(pod)))))
      for (const { is, whose } of accepted) assert.ok(pods.some(is), whose)
    })

  for (const { id, asks, kept } of objectRules)
    it(`has beside it nothing that does not keep ${id} (${asks}), but where a reason is given`, () => {
      const found = shipped.filter((one) => !kept(one)).map((one) => one.id)
      const accepted = acceptedObjects.filter(({ rule }) => rule === id).flatMap((one) => one.ids)
      assert.deepEqual(found.sort(), [...accepted].sort())
    })
})

/** As careless as a pod can be written. */
const careless = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: careless, namespace: default }
spec:
  selector: { matchLabels: { app: careless } }
  template:
    metadata: { labels: { app: careless } }
    spec:
      hostPID: true
      securityContext: { sysctls: [{ name: net.ipv4.tcp_syncookies, value: "0" }] }
      containers:
        - name: careless
          image: docker.io/library/nginx:latest
          ports: [{ containerPort: 80, hostPort: 80 }]
          env: [{ name: PASSWORD, valueFrom: { secretKeyRef: { name: s, key: password } } }]
          livenessProbe: { tcpSocket: { port: 80 } }
          securityContext: { privileged: true }
      volumes:
        - name: node
          hostPath: { path: / }
        - name: scratch
          emptyDir: {}
`
const objects = `
apiVersion: v1
kind: Service
metadata: { name: open, namespace: default }
spec: { type: LoadBalancer, selector: { app: careless }, ports: [{ port: 80 }] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: everything }
rules: [{ apiGroups: ["*"], resources: [secrets], verbs: [get] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: admin }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }
subjects: [{ kind: ServiceAccount, name: default, namespace: default }]
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: with-a-token, namespace: default }
`
const read = (text: string): readonly Resource[] => parseManifests(text, 'careless.yaml').resources

describe('the rules', () => {
  it('each see a pod that does not keep them', () => {
    const [pod] = read(careless).flatMap((one) => podOf(one) ?? [])
    assert.ok(pod)
    const blind = podRules.filter(({ kept }) => kept(pod, shipped)).map(({ id }) => id)
    // A liveness probe is there, so that it can be the same as none.
    assert.deepEqual(blind, ['liveness', 'probes-differ'])
    const probe = { tcpSocket: { port: 80 } }
    const [container] = pod.containers
    assert.ok(container)
    const twins = { ...pod, containers: [{ ...container, livenessProbe: probe, readinessProbe: probe }] }
    const without = { ...pod, containers: [{ name: 'none', image: 'none' }] }
    const seen = podRules.filter(({ id, kept }) =>
      id === 'probes-differ' ? !kept(twins, shipped) : id === 'liveness' && !kept(without, shipped),
    )
    assert.deepEqual(
      seen.map(({ id }) => id),
      blind,
    )
  })

  it('each see an object that does not keep them', () => {
    const seen = objectRules.map(({ kept }) =>
      read(objects)
        .filter((one) => !kept(one))
        .map(({ id }) => id),
    )
    assert.deepEqual(seen, [
      ['Service/default/open'],
      ['ClusterRole/everything'],
      ['ClusterRole/everything'],
      ['ClusterRoleBinding/admin'],
      ['ServiceAccount/default/with-a-token'],
    ])
  })
})

describe('docs/hardening.md', () => {
  const page = readFileSync(join(root, 'docs/hardening.md'), 'utf8')
  const rowsOf = (title: string): readonly string[] => {
    const [, after = ''] = page.split(`## ${title}\n`)
    const [section = ''] = after.split('\n## ')
    return section.split('\n').filter((line) => line.startsWith('| `'))
  }

  it('lists every rule, with the names that scanners have for it', () => {
    const rows = [...podRules, ...objectRules].map(
      ({ id, asks, names }) => `| \`${id}\` | ${asks} | ${names.map((name) => `\`${name}\``).join(', ')} |`,
    )
    assert.deepEqual(rowsOf('What is asked'), rows)
  })

  it('lists whatever is left as it is, with the reason', () => {
    const rows = [...acceptedPods, ...acceptedObjects].map(
      ({ rule, whose, why }) => `| \`${rule}\` | ${whose} | ${why} |`,
    )
    assert.deepEqual(rowsOf('What is left as it is'), rows)
  })
})
