/** Where a process belongs, as its cgroup says. */
export interface Placement {
  readonly podUid: string
  readonly containerId?: string
}

/*
 * A UID as the API server makes them, with `_` where systemd wants it, or the 32 digits of a static pod. Nothing shorter: `podman` is no pod.
 */
const UID = '([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})'

/** cgroupfs: `pod<uid>`. */
const PLAIN_POD = new RegExp(`^pod${UID}$`)
/** systemd: `kubepods-burstable-pod<uid>.slice`, of some kubelets `kubelet-kubepods-...`; `:cri-containerd:<id>` where the drivers disagree. */
const SLICE_POD = new RegExp(
  `^(?:[a-z0-9]+-)*kubepods(?:-burstable|-besteffort|-guaranteed)?-pod${UID}\\.slice(?::(.*))?$`,
)

/** A container's own: containerd and CRI-O, Docker, and the bare id of cgroupfs. */
const CONTAINER = /^(?:(cri-containerd|containerd|crio|docker|libpod)[-:])?([0-9a-f]{12,64})(?:\.scope)?$/

/** What CRI-O has beside each container, in the pod's slice: it is no process of the pod. */
const MONITOR = /^crio-conmon-/

/**
 * Reads `/proc/<pid>/cgroup`: cgroup v2 has one line, v1 one for each controller, of which the first that names a pod counts (D6).
 *
 * Of a path the first part that names a pod counts: what lies beneath a container's cgroup, the container may have named itself. Seen
 * from a container of its own cgroup namespace, paths begin with `/../..`, and neighbours of the same class with the pod itself.
 * Undefined: the process is of no pod.
 */
export function readCgroup(text: string): Placement | undefined {
  for (const line of text.split('\n')) {
    // hierarchy:controllers:path, and a path may have colons of its own.
    const second = line.indexOf(':', line.indexOf(':') + 1)
    const found = second <= 0 ? undefined : placeIn(line.slice(second + 1))
    if (found !== undefined) return found === 'no process of the pod' ? undefined : found
  }
  return undefined
}

function placeIn(path: string): Placement | 'no process of the pod' | undefined {
  const parts = path.split('/')
  for (const [at, part] of parts.entries()) {
    const match = PLAIN_POD.exec(part) ?? SLICE_POD.exec(part)
    const uid = match?.[1]
    if (uid === undefined) continue
    const container = match?.[2] ?? parts[at + 1] ?? ''
    if (MONITOR.test(container)) return 'no process of the pod'
    const id = CONTAINER.exec(container)?.[2]
    return { podUid: uid.replaceAll('_', '-'), ...(id === undefined ? {} : { containerId: id }) }
  }
  return undefined
}
