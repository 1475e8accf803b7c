import type { Control } from './baseline.js'
import * as baseline from './baseline.js'
import type { Level, LevelVersion } from './labels.js'
import type { PodView, Violation } from './pod.js'
import * as profiles from './profiles.js'
import * as restricted from './restricted.js'

/*
 * Which controls a level has in which version of Kubernetes. A version that is newer than the cluster's is read as the
 * cluster's.
 */

/** The minor version of the Kubernetes whose controls `latest` are: that of k8s/platform/versions.yaml. */
export const newestMinor = 35

interface Registered {
  /** Sorted by these, in the order of bytes: messages name what is broken in this order, baseline's first. */
  readonly id: string
  /** Each is in force from its minor version on, until the next one. */
  readonly since: readonly (readonly [since: number, control: Control])[]
  /** A control of baseline that this one is stricter than, with which minor version that began. */
  readonly replaces?: string
}

/** Where there is nothing to be asked of Windows. */
const exceptWindows =
  (control: Control): Control =>
  (pod) =>
    pod.windows ? undefined : control(pod)

/** Root in a pod with users of its own is nobody outside. */
const exceptUserNamespace =
  (control: Control): Control =>
  (pod) =>
    pod.userNamespace ? undefined : control(pod)

const baselineControls: readonly Registered[] = [
  { id: 'appArmorProfile', since: [[0, profiles.appArmorProfile]] },
  { id: 'capabilities_baseline', since: [[0, baseline.capabilities]] },
  { id: 'hostNamespaces', since: [[0, baseline.hostNamespaces]] },
  { id: 'hostPathVolumes', since: [[0, baseline.hostPathVolumes]] },
  { id: 'hostPorts', since: [[0, baseline.hostPorts]] },
  { id: 'hostProbesAndHostLifecycle', since: [[34, baseline.probeHosts]] },
  { id: 'privileged', since: [[0, baseline.privileged]] },
  {
    id: 'procMount',
    since: [
      [0, baseline.procMount],
      [35, baseline.procMountUnlessUserNamespace],
    ],
  },
  { id: 'seLinuxOptions', since: profiles.seLinuxSince },
  {
    id: 'seccompProfile_baseline',
    since: [
      [0, profiles.seccompAnnotations],
      [19, profiles.seccomp],
    ],
  },
  { id: 'sysctls', since: baseline.sysctlsSince },
  { id: 'windowsHostProcess', since: [[0, baseline.windowsHostProcess]] },
]

const restrictedControls: readonly Registered[] = [
  {
    id: 'allowPrivilegeEscalation',
    since: [
      [8, restricted.allowPrivilegeEscalation],
      [25, exceptWindows(restricted.allowPrivilegeEscalation)],
    ],
  },
  {
    id: 'capabilities_restricted',
    replaces: 'capabilities_baseline',
    since: [
      [22, restricted.dropAllCapabilities],
      [25, exceptWindows(restricted.dropAllCapabilities)],
    ],
  },
  { id: 'procMount_restricted', replaces: 'procMount', since: [[35, baseline.procMount]] },
  { id: 'restrictedVolumes', replaces: 'hostPathVolumes', since: [[0, restricted.restrictedVolumes]] },
  {
    id: 'runAsNonRoot',
    since: [
      [0, restricted.runAsNonRoot],
      [35, exceptUserNamespace(restricted.runAsNonRoot)],
    ],
  },
  {
    id: 'runAsUser',
    since: [
      [23, restricted.runAsUser],
      [35, exceptUserNamespace(restricted.runAsUser)],
    ],
  },
  {
    id: 'seccompProfile_restricted',
    replaces: 'seccompProfile_baseline',
    since: [
      [19, profiles.seccompRequired],
      [25, exceptWindows(profiles.seccompRequired)],
    ],
  },
]

interface Named {
  readonly id: string
  readonly control: Control
}

const known = new Map<string, readonly Named[]>()

/** The controls of a level in a version, in the order of the messages. */
export function controlsOf(level: Level, minor: number): readonly Named[] {
  const version = Math.min(minor, newestMinor)
  const key = `${level} ${version}`
  const found = known.get(key) ?? select(level, version)
  known.set(key, found)
  return found
}

function select(level: Level, minor: number): readonly Named[] {
  if (level === 'privileged') return []
  const own = level === 'restricted' ? inForce(restrictedControls, minor) : []
  const replaced = new Set(own.map(({ id }) => restrictedControls.find((one) => one.id === id)?.replaces))
  return [...inForce(baselineControls, minor).filter(({ id }) => !replaced.has(id)), ...own]
}

function inForce(controls: readonly Registered[], minor: number): Named[] {
  return controls.flatMap(({ id, since }) => {
    const control = since.filter(([from]) => from <= minor).at(-1)?.[1]
    return control === undefined ? [] : [{ id, control }]
  })
}

/** What a level has against a pod, in the API server's order. */
export function violations(pod: PodView, { level, minor }: LevelVersion): readonly Violation[] {
  return controlsOf(level, minor ?? newestMinor).flatMap(({ id, control }) => {
    const found = control(pod)
    return found === undefined ? [] : [{ control: id, ...found }]
  })
}

/** `host namespaces (hostPID=true), privileged (container "a" must not ...)` */
export const violationText = (found: readonly Violation[]): string =>
  found.map(({ reason, detail }) => `${reason} (${detail})`).join(', ')
