import type { Container, PodSpec } from '@bulkhead/resources'

type Qos = 'guaranteed' | 'burstable' | 'besteffort'

interface Resources {
  readonly requests?: Readonly<Record<string, unknown>>
  readonly limits?: Readonly<Record<string, unknown>>
}

/**
 * The cgroup of a container's processes, as a line of `/proc/<pid>/cgroup`: a kubelet with the systemd driver on cgroup v2,
 * under kind's cgroup root `/kubelet`.
 */
export function cgroupLine(uid: string, containerId: string, spec: PodSpec): string {
  const qos = qosOf(spec)
  const parts = ['kubelet', 'kubepods', ...(qos === 'guaranteed' ? [] : [qos])]
  // A dash is a step down in the name of a slice, so those of the uid are underscores.
  const slices = [...parts.map((_, index) => parts.slice(0, index + 1)), [...parts, `pod${uid.replaceAll('-', '_')}`]]
  const path = slices.map((names) => `${names.join('-')}.slice`).join('/')
  return `0::/${path}/cri-containerd-${containerId}.scope\n`
}

/** Kubernetes' classes: everything limited to what it asks for; nothing asked for; else burstable. */
function qosOf({ containers, initContainers = [] }: PodSpec): Qos {
  const all = [...containers, ...initContainers].map(resourcesOf)
  const asks = ({ requests = {}, limits = {} }: Resources) =>
    ['cpu', 'memory'].some((name) => requests[name] !== undefined || limits[name] !== undefined)
  if (!all.some(asks)) return 'besteffort'
  const isExact = ({ requests = {}, limits = {} }: Resources) =>
    ['cpu', 'memory'].every(
      (name) => limits[name] !== undefined && String(requests[name] ?? limits[name]) === String(limits[name]),
    )
  return all.every(isExact) ? 'guaranteed' : 'burstable'
}

function resourcesOf(container: Container): Resources {
  return 'resources' in container ? ((container.resources as Resources | null) ?? {}) : {}
}
