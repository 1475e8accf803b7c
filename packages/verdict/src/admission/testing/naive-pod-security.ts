/*
 * Test code: Pod Security's levels a second time, written from the standard's own table (semantics E.5) and not from the
 * engine: a pod is a list of written values with their paths, and a control is what some of them must not be. Version latest.
 */

type Leaf = readonly [path: string, value: unknown]

/** Every value that is written, with its path; an empty map or list is one too. */
function leaves(value: unknown, path: string): Leaf[] {
  if (typeof value !== 'object' || value === null) return [[path, value]]
  const inside = Object.entries(value).flatMap(([key, entry]) => leaves(entry, path === '' ? key : `${path}.${key}`))
  return inside.length === 0 ? [[path, value]] : inside
}

const container = String.raw`spec\.(?:init[C]|ephemeral[C]|c)ontainers\.\d+`
const either = `(?:spec|${container})`

/** Whether a value stands at a path that is not one of those allowed. */
const some = (all: readonly Leaf[], pattern: string, isBad: (value: unknown) => boolean): boolean =>
  all.some(([path, value]) => new RegExp(`^${pattern}$`).test(path) && isBad(value))

const not =
  (...allowed: unknown[]) =>
  (value: unknown): boolean =>
    !allowed.includes(value)

/** Containers, each with what is written in it. */
function containersOf(all: readonly Leaf[]): Map<string, readonly Leaf[]> {
  const found = new Map<string, Leaf[]>()
  for (const [path, value] of all) {
    const prefix = new RegExp(`^${container}`).exec(path)?.[0]
    if (prefix !== undefined) found.set(prefix, [...(found.get(prefix) ?? []), [path.slice(prefix.length + 1), value]])
  }
  return found
}

/** The names of what is broken, as the API server's reasons begin. */
export function naivePodSecurity(level: 'baseline' | 'restricted', pod: unknown): string[] {
  const all = leaves(pod, '')
  const containers = [...containersOf(all).values()]
  const linux = !some(all, String.raw`spec\.os\.name`, (value) => value === 'windows')
  const ownUsers = some(all, String.raw`spec\.hostUsers`, (value) => value === false)
  const hostNetwork = some(all, String.raw`spec\.hostNetwork`, (value) => value === true)
  const restricted = level === 'restricted'
  const broken: string[] = []
  const control = (name: string, isBroken: boolean): void => {
    if (isBroken) broken.push(name)
  }
  const safeProfiles = ['RuntimeDefault', 'Localhost']

  control('AppArmor', some(all, String.raw`${either}\.securityContext\.appArmorProfile\.type`, not(...safeProfiles)))
  if (!restricted) {
    const byDefault =
      'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'
    const added = String.raw`${container}\.securityContext\.capabilities\.add\.\d+`
    control('non-default capabilities', some(all, added, not(...byDefault.split(' '))))
    control(
      'hostPath',
      some(all, String.raw`spec\.volumes\.\d+\.hostPath(?:\..*)?`, () => true),
    )
    control('procMount', !ownUsers && some(all, String.raw`${container}\.securityContext\.procMount`, not('Default')))
    control('seccomp', some(all, String.raw`${either}\.securityContext\.seccompProfile\.type`, not(...safeProfiles)))
  }
  control(
    'host namespaces',
    some(all, String.raw`spec\.host(?:Network|PID|IPC)`, (value) => value === true),
  )
  const hostPort = some(all, String.raw`${container}\.ports\.\d+\.hostPort`, not(0))
  const anyPort = some(all, String.raw`${container}\.ports\.\d+\.containerPort`, () => true)
  control('hostPort', hostPort || (hostNetwork && anyPort && portsWithoutHostPort(all)))
  const handler = String.raw`(?:(?:liveness|readiness|startup)Probe|lifecycle\.(?:postStart|preStop))\.(?:httpGet|tcpSocket)\.host`
  control('probe or lifecycle host', some(all, String.raw`${container}\.${handler}`, not('')))
  control('privileged', some(all, String.raw`${container}\.securityContext\.privileged`, not(false)))
  const type = String.raw`${either}\.securityContext\.seLinuxOptions\.type`
  const types = ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']
  const userOrRole = String.raw`${either}\.securityContext\.seLinuxOptions\.(?:user|role)`
  control('seLinux', some(all, type, not(...types)) || some(all, userOrRole, not('')))
  const sysctls = [
    ...['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.tcp_rmem'],
    ...['net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ip_local_reserved_ports'],
    ...['net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl'],
    ...['net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_wmem'],
  ]
  control('sysctls', some(all, String.raw`spec\.securityContext\.sysctls\.\d+\.name`, not(...sysctls)))
  control('hostProcess', some(all, String.raw`${either}\.securityContext\.windowsOptions\.hostProcess`, not(false)))
  if (!restricted) return broken.sort()

  const says = (own: readonly Leaf[], path: string): unknown => own.find(([at]) => at === path)?.[1]
  const ofPod = (path: string): unknown => says(all, `spec.${path}`)
  const each = (isBroken: (own: readonly Leaf[]) => boolean): boolean => containers.some(isBroken)
  control(
    'allowPrivilegeEscalation',
    linux && each((own) => says(own, 'securityContext.allowPrivilegeEscalation') !== false),
  )
  const adds = some(all, String.raw`${container}\.securityContext\.capabilities\.add\.\d+`, not('NET_BIND_SERVICE'))
  const keeps = each(
    (own) => !own.some(([at, value]) => /^securityContext\.capabilities\.drop\.\d+$/.test(at) && value === 'ALL'),
  )
  control('unrestricted capabilities', linux && (adds || keeps))
  control('procMount', some(all, String.raw`${container}\.securityContext\.procMount`, not('Default')))
  const kinds = 'configMap|csi|downwardAPI|emptyDir|ephemeral|image|persistentVolumeClaim|projected|secret'
  const volumes = new Set(all.flatMap(([path]) => /^spec\.volumes\.\d+/.exec(path) ?? []))
  const good = (volume: string): boolean =>
    all.some(([path]) => new RegExp(String.raw`^${volume}\.(?:${kinds})(?:\.|$)`).test(path))
  const bare = (volume: string): boolean =>
    all.every(([path]) => !path.startsWith(`${volume}.`) || path === `${volume}.name`)
  control(
    'volume types',
    [...volumes].some((volume) => !good(volume) && !bare(volume)),
  )
  const asRoot = (name: string, bad: unknown): boolean =>
    some(all, String.raw`${either}\.securityContext\.${name}`, (value) => value === bad)
  const nobodySays = each((own) => says(own, 'securityContext.runAsNonRoot') === undefined)
  control(
    'runAsNonRoot',
    !ownUsers && (asRoot('runAsNonRoot', false) || (ofPod('securityContext.runAsNonRoot') !== true && nobodySays)),
  )
  control('runAsUser', !ownUsers && asRoot('runAsUser', 0))
  const loose = some(all, String.raw`${either}\.securityContext\.seccompProfile\.type`, not(...safeProfiles))
  const unset = each((own) => says(own, 'securityContext.seccompProfile.type') === undefined)
  control('seccomp', linux && (loose || (ofPod('securityContext.seccompProfile.type') === undefined && unset)))
  return broken.sort()
}

/** On its node's network every port of a pod is the node's, unless it says 0. */
function portsWithoutHostPort(all: readonly Leaf[]): boolean {
  const ports = new Set(all.flatMap(([path]) => new RegExp(String.raw`^${container}\.ports\.\d+`).exec(path) ?? []))
  return [...ports].some((port) => !all.some(([path]) => path === `${port}.hostPort`))
}
