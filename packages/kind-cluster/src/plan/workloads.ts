import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadManifests, type Resource, type Workload } from '@bulkhead/resources'
import { valuesMade } from '@bulkhead/resources/secrets'
import { parseYaml } from '@bulkhead/resources/yaml'
import type { Commands } from './commands.js'
import { imagesOnNode, isOurs } from './images.js'
import type { Action, Step } from './types.js'

/** What the manifests say that a plan depends on. */
export interface WorkloadFacts {
  /** Namespaces of k8s/workloads, by their folder, in the order in which they are put up. */
  readonly namespaces: readonly string[]
  /** What has pods, `deployment/web-api` by namespace: what is waited for. */
  readonly workloads: ReadonlyMap<string, readonly string[]>
  /** Of those the ones with images of ours, with these. */
  readonly images: readonly {
    readonly namespace: string
    readonly workload: string
    readonly images: readonly string[]
  }[]
  /** Files with Secrets whose values are made, relative to the clone. */
  readonly secretFiles: readonly string[]
  /** Folders of 10-admission with a policy and what it refuses. */
  readonly policies: readonly string[]
}

/** Where the namespaces and the accounts of workloads/ are listed; the order is theirs. */
const ACCOUNTS = 'k8s/platform/accounts/kustomization.yaml'

/** Reads a clone's manifests. @throws ManifestError */
export async function readFacts(root: string): Promise<WorkloadFacts> {
  const { resources } = await loadManifests([join(root, 'k8s/workloads')], { relativeTo: root })
  const withPods = resources.filter(isWorkload)
  return {
    namespaces: listed(root, ACCOUNTS).map((path) => path.split('/').at(-1) ?? ''),
    workloads: byNamespace(withPods),
    images: withPods.flatMap((one) => {
      const images = imagesIn(one)
      return images.length === 0 ? [] : [{ namespace: one.namespace ?? '', workload: nameOf(one), images }]
    }),
    secretFiles: [...new Set(resources.filter(valuesMade).map((secret) => secret.position([]).file))],
    policies: listed(root, 'k8s/layers/10-admission/kustomization.yaml').flatMap(
      (path) => /^([^/]+)\/policy\.yaml$/.exec(path)?.[1] ?? [],
    ),
  }
}

const kindsWithPods = new Map([
  ['Deployment', 'deployment'],
  ['StatefulSet', 'statefulset'],
  ['DaemonSet', 'daemonset'],
])

const isWorkload = (one: Resource): one is Resource<Workload> => kindsWithPods.has(one.kind)

/** As kubectl takes it: `deployment/web-api`. */
const nameOf = ({ kind, name }: Resource): string => `${kindsWithPods.get(kind)}/${name}`

function imagesIn({ object }: Resource<Workload>): readonly string[] {
  const { containers = [], initContainers = [] } = object.spec.template.spec
  return [...new Set([...initContainers, ...containers].map(({ image }) => image))].filter(isOurs).toSorted()
}

function byNamespace(resources: readonly Resource[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const one of resources) {
    const { namespace = '' } = one
    found.set(namespace, [...(found.get(namespace) ?? []), nameOf(one)])
  }
  return found
}

function listed(root: string, file: string): readonly string[] {
  const value = parseYaml(readFileSync(join(root, file), 'utf8')).documents[0]?.value
  const resources = typeof value === 'object' && value !== null && 'resources' in value ? value.resources : []
  return Array.isArray(resources) ? resources.map(String) : []
}

/** Whom the values of Secrets belong to in the objects' managed fields: an `apply` of the files leaves them alone. */
const secretsManager = 'bulkhead-secrets'

export function workloadSteps(commands: Commands, facts: WorkloadFacts, stateArgs: readonly string[]): readonly Step[] {
  const { kubectl } = commands
  return [
    {
      id: 'secrets',
      part: 'workloads',
      title: 'Make the passwords and keys',
      why: 'They are in no file: the objects come without them, and the values are made here and go to the API server alone. A value that is there already stays, since the data knows it. Of a cluster that was made by hand this takes down that it is yours, so that the commands after it may ask it.',
      actions: [
        {
          kind: 'piped',
          from: ['npx', 'bulkhead', 'cluster', 'secrets', ...stateArgs],
          command: kubectl(['apply', '--server-side', '--field-manager', secretsManager, '-f', '-'], { secret: true }),
        },
        // Without a note of what the file says, the apply of the workloads would warn of each Secret.
        {
          kind: 'run',
          command: kubectl([
            ...['apply', 'set-last-applied', '--create-annotation'],
            ...facts.secretFiles.flatMap((file) => ['-f', file]),
          ]),
        },
      ],
    },
    {
      id: 'workloads',
      part: 'workloads',
      title: 'Start the workloads',
      why: 'Last of all: every wall stands, so nothing is open for a moment. A pod goes on with the image that it was started with, also when another one has its name by now: such pods are started again.',
      actions: [
        ...facts.namespaces.map(
          (namespace): Action => ({ kind: 'run', command: kubectl(['apply', '-k', `k8s/workloads/${namespace}`]) }),
        ),
        ...restarts(commands, facts),
      ],
      images: {
        names: [...new Set(facts.images.flatMap(({ images }) => images))].toSorted(),
        command: imagesOnNode(commands),
      },
    },
    {
      id: 'ready',
      part: 'workloads',
      title: 'Wait until all of them are ready',
      why: 'A call that fails because nobody listens would look like a wall. In each namespace the database first, since others wait for it.',
      actions: facts.namespaces.flatMap((namespace) =>
        ready(commands, namespace, facts.workloads.get(namespace) ?? []),
      ),
    },
  ]
}

/** Of each namespace those together that have the same images. */
function restarts({ kubectl }: Commands, { namespaces, images: all }: WorkloadFacts): readonly Action[] {
  return namespaces.flatMap((namespace) => {
    const inside = all.filter((one) => one.namespace === namespace)
    const keys = [...new Set(inside.map(({ images }) => images.join(' ')))]
    return keys.map((key): Action => {
      const same = inside.filter(({ images }) => images.join(' ') === key).map(({ workload }) => workload)
      const command = kubectl(['--namespace', namespace, 'rollout', 'restart', ...same])
      return { kind: 'restart', command, images: key.split(' ') }
    })
  })
}

/**
 * What is waited for in a namespace: its databases first, since others wait for them, then all Deployments at once, then the rest. A
 * Deployment is available by its old pods, too: that those are gone, its rollout says; which alone would fail at once where the last
 * try has taken too long.
 */
function ready({ waiting }: Commands, namespace: string, workloads: readonly string[]): readonly Action[] {
  const inside = ['--namespace', namespace]
  const rollout = (kind: string): readonly Action[] =>
    workloads.flatMap((workload): readonly Action[] => {
      if (!workload.startsWith(`${kind}/`)) return []
      const command = waiting([...inside, 'rollout', 'status', workload], 5)
      return [{ kind: 'wait', command, until: `${workload} of ${namespace} is ready` }]
    })
  const deployments: Action = {
    kind: 'wait',
    command: waiting([...inside, 'wait', '--for=condition=Available', 'deployments', '--all'], 5),
    until: `every Deployment of ${namespace} is ready`,
  }
  const some = workloads.filter((one) => one.startsWith('deployment/'))
  const rolled: Action = {
    kind: 'wait',
    command: waiting([...inside, 'rollout', 'status', ...some], 5),
    until: `every Deployment of ${namespace} has its newest pods, and no others`,
  }
  return [...rollout('statefulset'), ...(some.length > 0 ? [deployments, rolled] : []), ...rollout('daemonset')]
}
