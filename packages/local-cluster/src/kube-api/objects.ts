import { type NodeModel, proxyImage } from '@bulkhead/verdict'
import { isPlayed } from '../plan.js'
import type { SeenContainer, SeenPod } from '../seen-pod.js'
import type { ApiObject } from './types.js'

/*
 * What runs here, as Kubernetes' objects say it: nothing that is not so.
 */

const time = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`

interface Condition {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly lastTransitionTime: string
  readonly reason?: string
  readonly message?: string
}

/** A condition has the time at which it last became what it is. */
function condition(
  type: string,
  holds: boolean,
  before: ApiObject | undefined,
  now: Date,
  why: { readonly reason?: string; readonly message?: string } = {},
): Condition {
  const status = holds ? 'True' : 'False'
  const { conditions = [] } = (before?.status ?? {}) as { readonly conditions?: readonly Condition[] }
  const known = conditions.find((one) => one.type === type && one.status === status)
  return { type, status, lastTransitionTime: known?.lastTransitionTime ?? time(now), ...why }
}

/** @param before the same pod as it was told last */
export function podObject(seen: SeenPod, hostIp: string, before: ApiObject | undefined, now: Date): ApiObject {
  const { pod, plan, uid, created, leaving, ready } = seen
  const { spec, context } = plan
  const gateway = isPlayed(pod)
  const init = plan.init.map(({ spec: { name } }) => name)
  const initDone = init.every((name) => seen.containers.some((one) => one.name === name && exitCode(one) === 0))
  const apps = seen.containers.filter(({ name }) => !init.includes(name))
  const unready = plan.containers.filter(({ spec: { name } }) => seen.ready(name) !== true).map(({ spec }) => spec.name)
  const why =
    unready.length === 0
      ? {}
      : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
  const graceSeconds = spec.terminationGracePeriodSeconds ?? 30
  const statuses = (all: readonly (typeof plan.containers)[number][]) =>
    all.map(({ spec: { name, image } }) =>
      containerStatus(
        name,
        image,
        seen.containers.find((one) => one.name === name),
        seen.ready(name) === true,
      ),
    )
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: pod.name,
      namespace: pod.namespace,
      uid,
      creationTimestamp: time(created),
      labels: pod.labels,
      ...(Object.keys(context.annotations).length > 0 && { annotations: context.annotations }),
      ...(leaving !== undefined && {
        deletionTimestamp: time(new Date(leaving.getTime() + graceSeconds * 1000)),
        deletionGracePeriodSeconds: graceSeconds,
      }),
    },
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
      ...spec,
      ...(gateway && { containers: [{ name: 'istio-proxy', image: proxyImage }] }),
      serviceAccountName: pod.serviceAccount,
      serviceAccount: pod.serviceAccount,
      nodeName: pod.node,
    },
    status: {
      phase: gateway ? 'Running' : phaseOf(apps, plan.containers.length),
      conditions: [
        condition('PodScheduled', true, before, now),
        condition('Initialized', initDone, before, now),
        condition('ContainersReady', unready.length === 0, before, now, why),
        condition('Ready', ready(), before, now, why),
      ],
      hostIP: hostIp,
      hostIPs: [{ ip: hostIp }],
      podIP: pod.ip,
      podIPs: [{ ip: pod.ip }],
      startTime: time(created),
      ...(init.length > 0 && { initContainerStatuses: statuses(plan.init) }),
      containerStatuses: statuses(plan.containers),
    },
  }
}

/** As the kubelet sums a pod up: what is started again is running all the while. */
function phaseOf(apps: readonly SeenContainer[], of: number): string {
  if (apps.length < of || apps.some(({ phase, restarts }) => phase === 'waiting' && restarts === 0)) return 'Pending'
  if (apps.some(({ phase }) => phase !== 'ended')) return 'Running'
  return apps.every((one) => exitCode(one) === 0) ? 'Succeeded' : 'Failed'
}

/** How the last run ended; undefined: none has, or not by itself. */
function exitCode({ lastExit }: SeenContainer): number | undefined {
  const code = /^exit code (\d+)/.exec(lastExit ?? '')?.[1]
  return code === undefined ? undefined : Number(code)
}

const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }

function terminated(seen: SeenContainer): object {
  const signal = SIGNALS[/^killed by (\w+)/.exec(seen.lastExit ?? '')?.[1] ?? '']
  const code = exitCode(seen) ?? (signal === undefined ? 1 : 128 + signal)
  return {
    exitCode: code,
    ...(signal !== undefined && { signal }),
    reason: code === 0 ? 'Completed' : 'Error',
    ...(seen.ended !== undefined && { finishedAt: time(seen.ended) }),
  }
}

function containerStatus(name: string, image: string, seen: SeenContainer | undefined, ready: boolean): object {
  const status = (state: object, started: boolean) => ({
    name,
    image,
    imageID: image,
    ready,
    started,
    restartCount: seen?.restarts ?? 0,
    ...(seen?.id !== undefined && { containerID: `containerd://${seen.id}` }),
    state,
    lastState: seen?.lastExit !== undefined && seen.phase !== 'ended' ? { terminated: terminated(seen) } : {},
  })
  switch (seen?.phase) {
    case 'running':
      return status({ running: { startedAt: time(seen.started ?? new Date(0)) } }, true)
    case 'back-off':
      return status({ waiting: { reason: 'CrashLoopBackOff' } }, false)
    case 'ended':
      return status({ terminated: terminated(seen) }, false)
    default:
      return status({ waiting: { reason: 'ContainerCreating' } }, false)
  }
}

/** A node is ready for as long as the target is up. */
export function nodeObject(
  { name, ip }: NodeModel,
  options: { readonly uid: string; readonly controlPlane: boolean; readonly started: Date; readonly version: string },
): ApiObject {
  const { uid, controlPlane, started, version } = options
  const ready = { reason: 'KubeletReady', message: 'the local target is up' }
  const pressures = ['MemoryPressure', 'DiskPressure', 'PIDPressure']
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      uid,
      creationTimestamp: time(started),
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': process.platform === 'darwin' ? 'darwin' : 'linux',
        'kubernetes.io/arch': process.arch === 'x64' ? 'amd64' : process.arch,
        ...(controlPlane && { 'node-role.kubernetes.io/control-plane': '' }),
      },
    },
    spec: controlPlane ? { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] } : {},
    status: {
      addresses: [
        { type: 'InternalIP', address: ip },
        { type: 'Hostname', address: name },
      ],
      conditions: [
        ...pressures.map((type) => condition(type, false, undefined, started)),
        condition('Ready', true, undefined, started, ready),
      ],
      nodeInfo: { kubeletVersion: version, operatingSystem: process.platform, architecture: process.arch },
    },
  }
}
