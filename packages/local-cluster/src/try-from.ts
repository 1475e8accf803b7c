import { join } from 'node:path'
import type { Attempt, Evidence } from '@bulkhead/scenarios'
import { hostOf, type Snapshot } from '@bulkhead/verdict'
import { type AttemptHost, attemptAs } from './attempt.js'
import { ClusterError } from './errors.js'
import type { ImageTable } from './images.js'
import { attemptFromOutside, outsideEnv } from './outside.js'
import type { Pods } from './pods.js'
import { type AttemptOptions, type Probes, probeCommand } from './probes.js'

/** What the programs that make attempts are started with. */
export interface Callers {
  readonly images: ImageTable
  readonly pods: Pick<Pods, 'program'>
  readonly probes: Probes
  readonly stateDir: string
  readonly userEnv: Readonly<Record<string, string | undefined>>
  readonly run: string
}

/**
 * Makes an attempt as a workload's pod, as what runs on a node itself (`node <name>`), or from `outside`.
 *
 * @throws ClusterError `unknown-workload`, `no-program`, `bad-attempt`, `attempt-failed`
 */
export async function tryFrom(
  from: string,
  attempt: Attempt,
  host: AttemptHost,
  { images, pods, probes, stateDir, userEnv, run }: Callers,
  options: AttemptOptions,
): Promise<Evidence> {
  const image = images.get('localhost/bulkhead/probe')
  if (image === undefined)
    throw new ClusterError('bad-attempt', 'there is no probe program here that could make an attempt.')
  const argv = probeCommand(join(image.root, 'dist', 'main.js'))
  const env = outsideEnv(userEnv)
  if (from === 'outside') {
    const launch = () => ({ argv, cwd: stateDir, env, over: () => undefined })
    return attemptFromOutside(run, attempt, host, () => probes.borrow('the outside', probes.closing, launch), options)
  }
  const node = nodeNamed(from, host.snapshot)
  if (node !== undefined) {
    const key = await host.mesh.addNode(node.name)
    const launch = () => {
      const grant = host.mesh.grant(key)
      return { argv, cwd: stateDir, env: { ...env, ...grant.env }, mark: grant.mark, over: () => grant.end() }
    }
    return attemptAs(run, hostOf(node), attempt, host, () => probes.borrow(key, probes.closing, launch), options)
  }
  const runner = pods.program(from)
  const probe = () => probes.borrow(runner.key, runner.ending, () => runner.launch(undefined, argv))
  return attemptAs(run, runner.pod, attempt, host, probe, options)
}

const prefix = 'node '

function nodeNamed(from: string, { nodes, platform }: Snapshot) {
  if (!from.startsWith(prefix)) return undefined
  const all = [...nodes, platform.controlPlane]
  const found = all.find(({ name }) => `${prefix}${name}` === from)
  if (found !== undefined) return found
  throw new ClusterError(
    'bad-attempt',
    `there is no node ${JSON.stringify(from.slice(prefix.length))}; there are ${all.map(({ name }) => name).join(', ')}.`,
  )
}
