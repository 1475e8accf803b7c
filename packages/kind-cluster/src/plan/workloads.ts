import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadManifests, type Resource } from '@bulkhead/resources'
import { valuesMade } from '@bulkhead/resources/secrets'
import { parseYaml } from '@bulkhead/resources/yaml'
import type { Commands } from './commands.js'
import type { Action, Step } from './types.js'

/** What the manifests say that a plan depends on. */
export interface WorkloadFacts {
  /** Namespaces of k8s/workloads, by their folder, in the order in which they are put up. */
  readonly namespaces: readonly string[]
  /** What has pods, `deployment/web-api` by namespace: what is waited for. */
  readonly workloads: ReadonlyMap<string, readonly string[]>
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
  return {
    namespaces: listed(root, ACCOUNTS).map((path) => path.split('/').at(-1) ?? ''),
    workloads: byNamespace(resources.filter(({ kind }) => withPods.has(kind))),
    secretFiles: [...new Set(resources.filter(valuesMade).map((secret) => secret.position([]).file))],
    policies: listed(root, 'k8s/layers/10-admission/kustomization.yaml').flatMap(
      (path) => /^([^/]+)\/policy\.yaml$/.exec(path)?.[1] ?? [],
    ),
  }
}

const withPods = new Map([
  ['Deployment', 'deployment'],
  ['StatefulSet', 'statefulset'],
  ['DaemonSet', 'daemonset'],
])

function byNamespace(resources: readonly Resource[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const { kind, name, namespace = '' } of resources)
    found.set(namespace, [...(found.get(namespace) ?? []), `${withPods.get(kind)}/${name}`])
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
      why: 'Last of all: every wall stands, so nothing is open for a moment.',
      actions: facts.namespaces.map((namespace) => ({
        kind: 'run' as const,
        command: kubectl(['apply', '-k', `k8s/workloads/${namespace}`]),
      })),
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

/** What is waited for in a namespace: its databases first, since others wait for them, then all Deployments at once, then the rest. */
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
  const some = workloads.some((one) => one.startsWith('deployment/'))
  return [...rollout('statefulset'), ...(some ? [deployments] : []), ...rollout('daemonset')]
}
