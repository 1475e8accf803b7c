import { join } from 'node:path'
import { type Attempt, nodeOf, outside } from '@bulkhead/scenarios'
import type { Pod } from '@bulkhead/verdict'
import type { Place } from '../../place.js'
import { TargetError } from '../errors.js'
import { type Live, type LiveObject, textAt, valueAt } from '../live/index.js'
import { listAt } from '../live/plain.js'
import { canShell } from './by-shell.js'

/** By whose hand an attempt is made. */
export type Caller =
  /** The pod's image is the probe: its own program makes it. */
  | { readonly kind: 'probe'; readonly pod: LiveObject; readonly container: string }
  /** The image has a node of its own: it is given the program on stdin, as by somebody who owns the process. */
  | { readonly kind: 'owned'; readonly pod: LiveObject; readonly container: string }
  /** The image is a database's, which has bash: it makes what bash can make. */
  | { readonly kind: 'shell'; readonly pod: LiveObject; readonly container: string }
  /** A program of the node itself: curl, which kind's node image has. */
  | { readonly kind: 'node'; readonly node: string }
  /** This machine, by a port that kind publishes. */
  | { readonly kind: 'outside' }

const probeImage = 'localhost/bulkhead/probe'
/** Images of others whose entrypoint is a script for bash. */
const withBash = /^docker\.io\/library\/(postgres|mongo):/
const ourImages = 'localhost/bulkhead/'

/**
 * Who a scenario's `from` is, on this cluster.
 * @throws TargetError `bad-attempt`: nobody of that name is up; `not-makeable`: it is there, and has no program that could
 */
export function callerOf(from: string, attempt: Attempt, live: Live): Caller {
  const { kind } = attempt
  if (from === outside) return { kind: 'outside' }
  const node = nodeOf(from)
  if (node !== undefined) {
    const names = live.nodes.map(({ name }) => name)
    if (names.includes(node)) return { kind: 'node', node }
    throw new TargetError(
      'bad-attempt',
      `there is no node ${JSON.stringify(node)} on this cluster; there are ${names.join(', ')}.`,
    )
  }
  const pod = livePod(podOf(from, live), live)
  const containers = listAt(pod, 'spec', 'containers')
  const [probe, owned] = [probeImage, ourImages].map((image) =>
    containers.find((one) => imageOf(one).startsWith(image === probeImage ? `${image}:` : image)),
  )
  if (probe !== undefined) return { kind: 'probe', pod, container: textAt(probe, 'name') ?? '' }
  if (owned !== undefined) return { kind: 'owned', pod, container: textAt(owned, 'name') ?? '' }
  const shell = containers.find((one) => withBash.test(imageOf(one)))
  if (shell !== undefined && canShell(attempt)) return { kind: 'shell', pod, container: textAt(shell, 'name') ?? '' }
  throw new TargetError(
    'not-makeable',
    `the pod ${idOf(pod)} runs ${containers.map(imageOf).join(' and ')}, which has ${shell === undefined ? 'no program' : 'bash, and no program'} that could make an attempt of kind ${kind}${attempt.tls === undefined ? '' : ' over TLS'}; a container beside it would be another pod's doing, and 10-admission refuses it.`,
  )
}

const imageOf = (container: unknown): string => textAt(container, 'image') ?? ''
export const idOf = ({ metadata }: LiveObject): string => `${metadata.namespace}/${metadata.name}`

/** A pod of the workload, one that is ready before one that is not. @throws TargetError `bad-attempt` */
export function podOf(workload: string, live: Live): Pod {
  const [found] = [...live.snapshot.pods.values()]
    .filter((pod) => pod.workload === workload || pod.key === workload)
    .toSorted((one, other) => rank(one, live) - rank(other, live))
  if (found !== undefined) return found
  throw new TargetError(
    'bad-attempt',
    `no pod of ${JSON.stringify(workload)} is up on the cluster; \`npx bulkhead cluster status\` lists the workloads.`,
  )
}

const rank = (pod: Pod, live: Live): number => (isReady(livePod(pod, live)) ? 0 : 1)

/** The object behind a pod of the snapshot. */
export function livePod(pod: Pod, { read }: Live): LiveObject {
  const found = read.objects.find(
    ({ kind, metadata }) => kind === 'Pod' && metadata.namespace === pod.namespace && metadata.name === pod.name,
  )
  if (found === undefined) throw new TargetError('bad-attempt', `the pod ${pod.key} is gone.`)
  return found
}

export function isReady(pod: LiveObject): boolean {
  return listAt(pod, 'status', 'conditions').some(
    (one) => valueAt(one, 'type') === 'Ready' && valueAt(one, 'status') === 'True',
  )
}

/** The probe as one file, as the build makes it. */
export const oneFile = ({ root }: Pick<Place, 'root'>): string => join(root, 'apps/probe/dist/probe.mjs')
