import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import {
  type Container,
  loadManifests,
  type Pod,
  type PodSpec,
  type Resource,
  type Secret,
  type Workload,
} from '@bulkhead/resources'

const root = resolve(import.meta.dirname, '../../..')
const load = async (folder: string): Promise<readonly Resource[]> =>
  (await loadManifests([join(root, 'k8s', folder)], { relativeTo: root })).resources
const [resources, layers, attacks] = await Promise.all([load('workloads'), load('layers'), load('attacks')])

const specOf = ({ kind, object }: Resource): PodSpec | undefined =>
  kind === 'Pod'
    ? (object as Pod).spec
    : ['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind)
      ? (object as Workload).spec.template.spec
      : undefined

const workloads = resources.flatMap((resource) => {
  const spec = specOf(resource)
  return spec === undefined ? [] : [{ id: resource.id, namespace: resource.namespace ?? '', spec }]
})
const containersOf = ({ containers, initContainers = [] }: PodSpec): readonly Container[] => [
  ...initContainers,
  ...containers,
]

/** What is asked of a pod, of what the types here leave out. */
interface Hardened {
  readonly automountServiceAccountToken?: boolean
  readonly enableServiceLinks?: boolean
  readonly securityContext?: { readonly runAsNonRoot?: boolean; readonly seccompProfile?: { readonly type?: string } }
}
interface HardenedContainer {
  readonly securityContext?: {
    readonly allowPrivilegeEscalation?: boolean
    readonly readOnlyRootFilesystem?: boolean
    readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] }
  }
  readonly resources?: { readonly limits?: { readonly memory?: string } }
}

interface Owned {
  readonly securityContext?: { readonly runAsUser?: number; readonly runAsGroup?: number; readonly fsGroup?: number }
}

describe('the workloads of k8s/', () => {
  it('are there', () => assert.ok(workloads.length >= 15))

  for (const { id, spec } of workloads) {
    it(`${id} is hardened, its init containers too, and has no token that it did not ask for`, () => {
      const pod = spec as PodSpec & Hardened
      assert.equal(pod.securityContext?.runAsNonRoot, true)
      assert.equal(pod.securityContext?.seccompProfile?.type, 'RuntimeDefault')
      assert.equal(pod.automountServiceAccountToken, false)
      assert.equal(pod.enableServiceLinks, false)
      for (const container of containersOf(spec)) {
        const { securityContext, resources: given } = container as Container & HardenedContainer
        assert.deepEqual(
          [securityContext?.allowPrivilegeEscalation, securityContext?.readOnlyRootFilesystem],
          [false, true],
          container.name,
        )
        assert.deepEqual(securityContext?.capabilities, { drop: ['ALL'] }, container.name)
        assert.ok(given?.limits?.memory, container.name)
      }
    })
  }

  it('have a ServiceAccount each, of their own', () => {
    const accounts = workloads.map(({ namespace, spec }) => `ServiceAccount/${namespace}/${spec.serviceAccountName}`)
    assert.deepEqual(accounts.toSorted(), [...new Set(accounts)].toSorted())
    const there = new Set(resources.map(({ id }) => id))
    assert.deepEqual(
      accounts.filter((id) => !there.has(id)),
      [],
    )
  })

  it('hold no value of a Secret but names', () => {
    const written = resources
      .filter(({ kind }) => kind === 'Secret')
      .flatMap(({ object }) => {
        const { data = {}, stringData = {} } = object as Secret
        return [...Object.keys(data), ...Object.keys(stringData)]
      })
    assert.deepEqual([...new Set(written)].toSorted(), ['database', 'username'])
  })
})

describe('the manager, its database and the schedulers', () => {
  const volumeOf = (spec: PodSpec, name: string) => spec.volumes?.find((volume) => volume.name === name)

  /** Keys of Secrets that a container can read, by its environment and by what is mounted into it. */
  function reads(spec: PodSpec, { env = [], volumeMounts = [] }: Container): readonly string[] {
    const byEnv = env.flatMap(({ valueFrom }) => {
      const ref = valueFrom?.secretKeyRef
      return ref === undefined ? [] : [`${ref.name}/${ref.key}`]
    })
    const byMount = volumeMounts.flatMap(({ name }) => {
      const secret = volumeOf(spec, name)?.secret as
        | { readonly secretName: string; readonly items?: readonly { readonly key: string }[] }
        | undefined
      if (secret === undefined) return []
      return secret.items?.map(({ key }) => `${secret.secretName}/${key}`) ?? [`${secret.secretName}/*`]
    })
    return [...byEnv, ...byMount].toSorted()
  }

  const all = workloads
    .filter(({ namespace }) => ['gthulhu', 'gthulhu-node'].includes(namespace))
    .flatMap(({ spec }) => containersOf(spec).map((container) => ({ spec, container })))

  it('read those Secrets that they need, each container, and no other', () => {
    assert.deepEqual(Object.fromEntries(all.map(({ spec, container }) => [container.name, reads(spec, container)])), {
      intruder: [],
      keyfile: ['gthulhu-mongodb-keyfile/keyfile'],
      mongodb: ['gthulhu-mongodb-auth/password', 'gthulhu-mongodb-auth/username'],
      migrate: [
        'gthulhu-manager-mongodb/password',
        'gthulhu-manager-mongodb/username',
        'gthulhu-mongodb-auth/password',
        'gthulhu-mongodb-auth/username',
      ],
      manager: [
        'gthulhu-manager-admin/password',
        'gthulhu-manager-admin/username',
        'gthulhu-manager-key/private-key.pem',
        'gthulhu-manager-mongodb/password',
        'gthulhu-manager-mongodb/username',
        'gthulhu-scheduler-public-key/public-key.pem',
      ],
      'scheduler-sidecar': ['gthulhu-manager-public-key/public-key.pem', 'gthulhu-scheduler-key/private-key.pem'],
    })
  })
})

describe('the Kubernetes API', () => {
  const ofPod = workloads.flatMap(({ id, spec }) => containersOf(spec).map((container) => ({ id, spec, container })))
  const tokenIn = (spec: PodSpec, name: string): boolean =>
    JSON.stringify(spec.volumes?.find((volume) => volume.name === name) ?? {}).includes('serviceAccountToken')

  it('is asked by the manager, and no other container of any pod has a token for it', () => {
    const withToken = ofPod.filter(({ spec, container }) =>
      container.volumeMounts?.some(({ name }) => tokenIn(spec, name)),
    )
    assert.deepEqual(
      withToken.map(({ id, container }) => [id, container.name]),
      [['Deployment/gthulhu/gthulhu-manager', 'manager']],
    )
  })

  it('gives no ServiceAccount a token by itself, and no Secret is one', () => {
    const accounts = [...resources, ...attacks].filter(({ kind }) => kind === 'ServiceAccount')
    assert.ok(accounts.length >= 20)
    for (const { id, object } of accounts)
      assert.equal((object as unknown as Hardened).automountServiceAccountToken, false, id)
    for (const { id, object } of resources.filter(({ kind }) => kind === 'Secret'))
      assert.doesNotMatch(String((object as Secret & { readonly type?: string }).type), /service-account-token/, id)
  })

  it('lets the manager list and watch pods and nodes, Kyverno read ServiceAccounts, and nobody anything else', () => {
    const rbac = [...resources, ...layers, ...attacks].filter(({ kind }) => /Role(Binding)?$/.test(kind))
    assert.deepEqual(
      rbac.map(({ id }) => id),
      [
        'ClusterRole/gthulhu-manager',
        'ClusterRoleBinding/gthulhu-manager',
        'ClusterRole/bulkhead-kyverno-reads-service-accounts',
      ],
    )
    const [role, binding, kyverno] = rbac.map(({ object }) => object as unknown as Readonly<Record<string, unknown>>)
    assert.deepEqual(role?.rules, [{ apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['list', 'watch'] }])
    assert.deepEqual(kyverno?.rules, [{ apiGroups: [''], resources: ['serviceaccounts'], verbs: ['get'] }])
    assert.deepEqual(binding?.subjects, [{ kind: 'ServiceAccount', name: 'gthulhu-manager', namespace: 'gthulhu' }])
  })
})

describe('the node', () => {
  it('is nobody’s but for its /proc, which the schedulers read and do not write', () => {
    const hostPaths = workloads.flatMap(({ id, spec }) =>
      (spec.volumes ?? []).flatMap((volume) => {
        const { hostPath } = volume as { readonly hostPath?: { readonly path: string } }
        return hostPath === undefined ? [] : [[id, hostPath.path, volume.name] as const]
      }),
    )
    assert.deepEqual(hostPaths, [['DaemonSet/gthulhu-node/gthulhu-scheduler', '/proc', 'proc']])
    const mounts = workloads
      .filter(({ id }) => id.startsWith('DaemonSet/'))
      .flatMap(({ spec }) => containersOf(spec).flatMap(({ volumeMounts = [] }) => volumeMounts))
    assert.deepEqual(
      mounts.filter(({ name }) => name === 'proc').map(({ mountPath, readOnly }) => [mountPath, readOnly]),
      [['/host/proc', true]],
    )
  })

  it('shows the schedulers what everybody may read: no other pod is of their user or group', () => {
    const users = workloads.map(({ id, spec }) => [id, (spec as PodSpec & Owned).securityContext ?? {}] as const)
    const own = new Map(users).get('DaemonSet/gthulhu-node/gthulhu-scheduler')
    assert.ok(own?.runAsUser !== undefined && own.runAsGroup !== undefined)
    const others = users.filter(([, one]) => one !== own)
    assert.ok(others.length >= 15)
    for (const [id, { runAsUser, runAsGroup, fsGroup }] of others) {
      assert.ok(runAsUser !== undefined && runAsUser !== own.runAsUser, id)
      assert.ok(runAsGroup !== undefined && runAsGroup !== own.runAsGroup && fsGroup !== own.runAsGroup, id)
    }
    // Nor does a container say otherwise.
    for (const { id, spec } of workloads)
      for (const container of containersOf(spec))
        assert.equal((container as Container & Owned).securityContext?.runAsUser, undefined, id)
  })

  it('shares its network, its processes and its IPC with no pod', () => {
    for (const { id, spec } of workloads) {
      const { hostNetwork, hostPID, hostIPC } = spec as PodSpec & Readonly<Record<string, unknown>>
      assert.deepEqual([hostNetwork, hostPID, hostIPC], [undefined, undefined, undefined], id)
    }
  })

  it('is reason for one namespace alone to enforce no Pod Security level, beside the sandbox', () => {
    const enforced = resources
      .filter(({ kind }) => kind === 'Namespace')
      .map(({ name, object }) => [name, object.metadata.labels?.['pod-security.kubernetes.io/enforce']])
    assert.deepEqual(Object.fromEntries(enforced), {
      demo: 'restricted',
      gthulhu: 'restricted',
      'gthulhu-node': 'privileged',
      'manifest-gen': 'restricted',
      sandbox: undefined,
      shop: 'restricted',
    })
  })
})
