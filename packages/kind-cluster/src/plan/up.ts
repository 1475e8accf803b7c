import { join } from 'node:path'
import type { Pins } from '../pins.js'
import { clusterName, type Place, stateArgs } from '../place.js'
import { loadSteps, type UnpackedBundle, unpackSteps } from './bundled.js'
import { type Commands, commandsFor } from './commands.js'
import { imageSteps } from './images.js'
import { type LayerName, layerNames, layerOn } from './layers.js'
import { platformSteps } from './platform.js'
import type { Plan, Step } from './types.js'
import { type WorkloadFacts, workloadSteps } from './workloads.js'

export interface PlanInput {
  readonly place: Place
  readonly pins: Pins
  /** The nodes' platform: `linux/amd64`. */
  readonly platform: string
  readonly facts: WorkloadFacts
  /** Everything that would be fetched, as files. */
  readonly bundle?: UnpackedBundle
}

/**
 * Everything that `cluster up` does, as data. The order leaves nothing open: what enforces comes before what it enforces, a wall before
 * what is behind it, and the workloads last.
 */
export function upPlan({ place, pins, platform, facts, bundle }: PlanInput): Plan {
  const commands = commandsFor(place)
  const archive = `${place.folder}/databases.tar`
  return {
    steps: [
      ...(bundle === undefined ? [] : unpackSteps(commands, bundle, place, stateArgs(place))),
      clusterStep(commands, place, pins, bundle),
      ...(bundle === undefined ? imageSteps(commands, { pins, platform, archive }) : loadSteps(commands, bundle)),
      ...platformSteps(place, pins, bundle),
      accountsStep(commands),
      ...layerNames.flatMap((layer) => layerSteps(commands, layer, facts)),
      ...workloadSteps(commands, facts, stateArgs(place)),
      verifyStep(place),
    ],
  }
}

function clusterStep({ kind }: Commands, place: Place, pins: Pins, bundle: UnpackedBundle | undefined): Step {
  const create = ['create', 'cluster', '--name', clusterName, '--config', 'kind-config.yaml']
  // kind asks Docker for the image by the name that it is given, and an image from a file has no digest.
  const image = bundle === undefined ? [] : ['--image', bundle.node.image]
  return {
    id: 'cluster',
    part: 'cluster',
    title: `Make a cluster of three nodes, Kubernetes ${pins.kubernetes}`,
    why: 'A control plane and two workers, each a container. They stay NotReady, since there is no network before Cilium, and so this does not wait for them. The kubeconfig is a file of its own: yours is not touched.',
    actions: [{ kind: 'run', command: kind([...create, ...image, '--kubeconfig', place.kubeconfig], 10) }],
    files: ['kind-config.yaml'],
  }
}

function accountsStep({ kubectl }: Commands): Step {
  return {
    id: 'accounts',
    part: 'walls',
    title: 'Create the namespaces, with the limits and the accounts in them, and nothing else',
    why: 'The walls lie in these namespaces, the limits hold for the pods of gateways too, and 10-admission asks of each pod whose account it names. The pods of the workloads come when the walls stand.',
    actions: [{ kind: 'run', command: kubectl(['apply', '-k', 'k8s/platform/accounts']) }],
  }
}

const layerWords: Readonly<Record<LayerName, Pick<Step, 'title' | 'why'>>> = {
  '10-admission': {
    title: 'Put up 10-admission: what may be created at all',
    why: 'First of the walls, so that it judges what the others need as well: the pods of the waypoints and gateways.',
  },
  '20-network': {
    title: 'Put up 20-network: which pod may dial which',
    why: 'Closes every namespace in both directions, and opens the ways that the shop needs.',
  },
  '30-cilium': { title: 'Put up 30-cilium: what may leave', why: 'Before there is anybody who could leave.' },
  '40-mtls': {
    title: 'Put up 40-mtls: who is really calling',
    why: 'From here on ztunnel takes no connection of somebody without a certificate.',
  },
  '50-identity': {
    title: 'Put up 50-identity: may this identity open this port',
    why: 'Whoever has a certificate is now asked whose it is.',
  },
  '60-requests': {
    title: 'Put up 60-requests: may it make this request',
    why: 'The waypoints first, then the policies: a waypoint that has never been ready is gone around, and refused at the pods.',
  },
  '70-ingress': {
    title: 'Put up 70-ingress: how the outside gets in',
    why: 'The doors at 127.0.0.1:30080, 30081 and 30450; behind them is nobody yet.',
  },
}

function layerSteps(commands: Commands, layer: LayerName, { policies }: WorkloadFacts): readonly Step[] {
  const on: Step = { id: layer, part: 'walls', ...layerWords[layer], actions: layerOn(commands, layer) }
  return layer === '10-admission' ? [on, refusalsStep(commands, policies)] : [on]
}

/** 10-admission is proven before anything counts on it: each policy is shown what it has to refuse. */
function refusalsStep({ kubectl }: Commands, policies: readonly string[]): Step {
  return {
    id: 'refusals',
    part: 'walls',
    title: 'See each policy of 10-admission refuse what it is there for',
    why: 'A policy that is there and asks nothing looks the same until somebody gets past it. With --dry-run=server the API server asks everybody whom it would ask, and creates nothing.',
    actions: policies.map((policy) => ({
      kind: 'refused' as const,
      command: kubectl([...(trials[policy] ?? ['create', '-f', badExamples(policy)]), '--dry-run=server']),
      by: policy,
    })),
    done: 'proven',
  }
}

/** What a policy refuses, as its folder has it. */
export const badExamples = (policy: string): string => `k8s/layers/10-admission/${policy}/bad.yaml`

/**
 * Where those examples cannot be shown to a cluster. All of allowed-images are pods of an account that is nowhere else, and the API server
 * refuses a pod without its account before it asks anybody; of a Deployment it wants none.
 */
const trials: Readonly<Record<string, readonly string[]>> = {
  'allowed-images': [
    ...['create', 'deployment', 'stranger', '--namespace', 'sandbox'],
    '--image=registry.attacker.example/bulkhead/probe:0.1.0',
  ],
}

function verifyStep(place: Place): Step {
  const reports = ['txt', 'json', 'xml', 'html'].flatMap((form) => ['--output', join(place.folder, `verify.${form}`)])
  const args = ['apps/cli/bin/bulkhead.js', 'verify', '--on', 'kind', ...reports, ...stateArgs(place)]
  return {
    id: 'verify',
    part: 'proof',
    title: 'Run every scenario, from inside the pods',
    why: 'Each attack is made for real, and what it met is held against what the engine predicts and against what Cilium, ztunnel, the waypoints and Kyverno say themselves.',
    // Ended in the middle of a scenario that changes something it takes that back: objects are deleted, and pods are waited for.
    actions: [{ kind: 'suite', command: { tool: 'node', args, timeoutMs: 75 * 60_000, graceMs: 5 * 60_000 } }],
  }
}
