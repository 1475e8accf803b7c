import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import type { MeshApi, RunningOutside } from '@bulkhead/mesh'
import type { LoadResult } from '@bulkhead/resources'
import type { LocalClusterOptions } from './cluster-types.js'
import type { Start } from './enforced.js'
import { Enforcement } from './enforcement.js'
import type { Engine } from './engine.js'
import type { ImageTable } from './images.js'
import type { KubeApi } from './kube-api/index.js'
import { NodeProcs } from './node-proc/index.js'
import type { LayerSwitches } from './overlay.js'
import type { PodHost } from './pod-runner.js'
import { Pods } from './pods.js'
import { Probes } from './probes.js'
import { ProcessList } from './processes.js'
import { PublishedPorts } from './published.js'
import { Saves } from './saves.js'
import type { GeneratedSecrets } from './secrets.js'
import { type Claim, nodesPath } from './state.js'

const rolloutTimeoutMs = 30_000

/** What a local cluster is made of. */
export interface Parts {
  readonly options: LocalClusterOptions
  readonly engine: Engine
  readonly images: ImageTable
  readonly secrets: GeneratedSecrets
  readonly claim: Claim
  readonly mesh: MeshApi
  readonly outside: RunningOutside
  readonly kubeApi: KubeApi
  readonly pods: Pods
  readonly nodeProcs: NodeProcs
  readonly processes: ProcessList
  readonly probes: Probes
  readonly enforcement: Enforcement
  readonly ports: PublishedPorts
  readonly saves: Saves
  readonly events: EventEmitter
  /** What is to be closed last. */
  readonly log: { close(): void }
}

/** What is there before anything runs. */
type Given = Pick<
  Parts,
  'options' | 'engine' | 'images' | 'secrets' | 'claim' | 'mesh' | 'outside' | 'kubeApi' | 'log'
> & {
  readonly adopted: () => void
  /** The files of the certificates that pods trust. */
  readonly cas: Pick<PodHost, 'extraCa' | 'trusted'>
}
/** What was read, and made of it. */
type Read = Omit<Start, 'base'> & { readonly loaded: LoadResult; readonly switches: LayerSwitches }

/** Puts the parts together; nothing of it runs yet. */
export function assemble(given: Given, { loaded, switches, snapshot, plans, held }: Read): Parts {
  const { options, engine, images, secrets, claim, mesh, outside, kubeApi, log, adopted, cas } = given
  const { stateDir, progress } = options
  const processes = new ProcessList(claim.processesFile)
  const userEnv = options.userEnv ?? process.env
  const nodeProcs = new NodeProcs({ folder: nodesPath(stateDir) })
  const procOf = (node: string) => nodeProcs.of(node)
  const pods = new Pods({ mesh, processes, stateDir, userEnv, tokens: kubeApi.tokenFiles, procOf, ...cas })
  const seen = { pods: () => pods.seen(), onChange: (listener: () => void) => pods.onChange(listener) }
  nodeProcs.follow(seen)
  const ports = new PublishedPorts(mesh, options.publishPorts ?? 'any', (text) => progress?.({ kind: 'note', text }))
  const readyMs = options.rolloutTimeoutMs ?? rolloutTimeoutMs
  const enforcement = new Enforcement(
    {
      engine,
      images,
      secrets,
      rootCa: kubeApi.rootCa,
      mesh,
      pods,
      switches,
      readyMs,
      logs: join(stateDir, 'logs'),
      adopted: (now) => {
        void ports.follow(now)
        kubeApi.adopted()
        adopted()
      },
    },
    { base: loaded.resources, snapshot, plans, held },
  )
  kubeApi.follow({ ...seen, snapshot: () => enforcement.snapshot })
  const events = new EventEmitter().setMaxListeners(0)
  const saves = new Saves({
    engine,
    enforcement,
    manifests: options.manifests,
    relativeTo: options.relativeTo ?? process.cwd(),
    loaded,
    readyMs,
    ...(typeof options.watch === 'object' && options.watch),
    told: (event) => events.emit('manifests', event),
  })
  return {
    options,
    engine,
    images,
    secrets,
    claim,
    mesh,
    outside,
    kubeApi,
    pods,
    nodeProcs,
    processes,
    probes: new Probes(processes),
    enforcement,
    ports,
    saves,
    events,
    log,
  }
}
