import type { FieldPath } from '@bulkhead/resources'
import {
  type ContainerView,
  containersNamed,
  fieldsOf,
  listOf,
  type PodView,
  plural,
  quoted,
  sorted,
  type Violation,
} from './pod.js'
import { badSetters } from './setters.js'

/*
 * The controls of the level baseline (semantics E.5), with the words that the API server has for each. A control says
 * nothing of a pod that keeps it.
 */

export type Control = (pod: PodView) => Omit<Violation, 'control'> | undefined

const defaultCapabilities = new Set([
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
])

export const capabilities: Control = (pod) => {
  const added: string[] = []
  const fields: FieldPath[] = []
  const containers = pod.containers.filter((container) => {
    const before = fields.length
    for (const [index, name] of listOf(fieldsOf(container.security?.capabilities)?.add).entries()) {
      if (defaultCapabilities.has(String(name))) continue
      added.push(String(name))
      fields.push([...container.path, 'securityContext', 'capabilities', 'add', index])
    }
    return fields.length > before
  })
  if (containers.length === 0) return undefined
  const detail = `${containersNamed(containers)} must not include ${quoted(sorted(added))} in securityContext.capabilities.add`
  return { reason: 'non-default capabilities', detail, fields }
}

export const hostNamespaces: Control = ({ spec }) => {
  const shared = ['hostNetwork', 'hostPID', 'hostIPC'].filter((name) => spec[name] === true)
  if (shared.length === 0) return undefined
  return {
    reason: 'host namespaces',
    detail: shared.map((name) => `${name}=true`).join(', '),
    fields: shared.map((name) => ['spec', name]),
  }
}

export const hostPathVolumes: Control = ({ spec }) => {
  const volumes = listOf(spec.volumes).flatMap((volume, index) => {
    const fields = fieldsOf(volume) ?? {}
    return fieldsOf(fields.hostPath) === undefined ? [] : [{ index, name: String(fields.name) }]
  })
  if (volumes.length === 0) return undefined
  return {
    reason: 'hostPath volumes',
    detail: `${plural('volume', volumes.length)} ${quoted(volumes.map(({ name }) => name))}`,
    fields: volumes.map(({ index }) => ['spec', 'volumes', index, 'hostPath']),
  }
}

export const hostPorts: Control = (pod) => {
  const ports: string[] = []
  const fields: FieldPath[] = []
  const containers = pod.containers.filter((container) => {
    const before = fields.length
    for (const [index, port] of listOf(container.fields.ports).entries()) {
      const { hostPort, containerPort } = fieldsOf(port) ?? {}
      // Of a pod on its node's network the API server fills in that each port is the node's.
      const number = hostPort ?? (pod.isPod && pod.spec.hostNetwork === true ? containerPort : undefined) ?? 0
      if (number === 0) continue
      ports.push(String(number))
      fields.push([...container.path, 'ports', index, 'hostPort'])
    }
    return fields.length > before
  })
  if (containers.length === 0) return undefined
  const [use, numbers] = [containers.length === 1 ? 'uses' : 'use', sorted(ports)]
  return {
    reason: 'hostPort',
    detail: `${containersNamed(containers)} ${use} ${plural('hostPort', numbers.length)} ${numbers.join(', ')}`,
    fields,
  }
}

const handlers: readonly FieldPath[] = [
  ...['livenessProbe', 'readinessProbe', 'startupProbe'].map((probe) => [probe]),
  ['lifecycle', 'postStart'],
  ['lifecycle', 'preStop'],
]

/** A probe that names a host has the kubelet call whom it likes. */
export const probeHosts: Control = (pod) => {
  const hosts: string[] = []
  const fields: FieldPath[] = []
  const containers = pod.containers.filter((container) => {
    const before = fields.length
    for (const { host, path } of hostsOf(container)) {
      hosts.push(host)
      fields.push(path)
    }
    return fields.length > before
  })
  if (containers.length === 0) return undefined
  // Unlike everywhere else, the names are a set.
  const names = sorted(containers.map(({ name }) => name))
  const [use, named] = [names.length === 1 ? 'uses' : 'use', sorted(hosts)]
  return {
    reason: 'probe or lifecycle host',
    detail: `${plural('container', names.length)} ${quoted(names)} ${use} ${plural('probe or lifecycle host', named.length)} ${quoted(named)}`,
    fields,
  }
}

function hostsOf({ path, fields }: ContainerView): { host: string; path: FieldPath }[] {
  return handlers.flatMap((handler) => {
    if (fields[handler[0] ?? ''] === undefined) return []
    const owner = handler.reduce<unknown>((value, key) => fieldsOf(value)?.[key], fields)
    return ['httpGet', 'tcpSocket'].flatMap((kind) => {
      const host = fieldsOf(fieldsOf(owner)?.[kind])?.host
      return typeof host === 'string' && host !== '' ? [{ host, path: [...path, ...handler, kind, 'host'] }] : []
    })
  })
}

export const privileged: Control = (pod) => {
  const bad = badSetters(pod, ['privileged'], (value) => value === true, { onPod: false })
  if (bad === undefined) return undefined
  const detail = `${bad.said} must not set securityContext.privileged=true`
  return { reason: 'privileged', detail, fields: bad.fields }
}

export const procMount: Control = (pod) => {
  const bad = badSetters(pod, ['procMount'], (value) => value !== 'Default', { onPod: false })
  if (bad === undefined) return undefined
  const detail = `${bad.said} must not set securityContext.procMount to ${quoted(sorted(bad.values.map(String)))}`
  return { reason: 'procMount', detail, fields: bad.fields }
}

/** Masked or not, /proc of a pod with users of its own shows nothing of the host's. */
export const procMountUnlessUserNamespace: Control = (pod) => (pod.userNamespace ? undefined : procMount(pod))

const sysctls1_0 = [
  ...['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies'],
  ...['net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start'],
]
const sysctls1_27 = [...sysctls1_0, 'net.ipv4.ip_local_reserved_ports']
const sysctls1_29 = [
  ...[...sysctls1_27, 'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout'],
  ...['net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes'],
]
const sysctls1_32 = [...sysctls1_29, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']

const sysctls =
  (safe: readonly string[]): Control =>
  ({ security }) => {
    const forbidden = listOf(security?.sysctls).flatMap((item, index) => {
      const name = String(fieldsOf(item)?.name ?? '')
      return safe.includes(name) ? [] : [{ index, name }]
    })
    if (forbidden.length === 0) return undefined
    return {
      reason: 'forbidden sysctls',
      detail: forbidden.map(({ name }) => name).join(', '),
      fields: forbidden.map(({ index }) => ['spec', 'securityContext', 'sysctls', index, 'name']),
    }
  }

/** Which sysctls are safe, since which minor version of Kubernetes. */
export const sysctlsSince: readonly (readonly [since: number, control: Control])[] = [
  [0, sysctls(sysctls1_0)],
  [27, sysctls(sysctls1_27)],
  [29, sysctls(sysctls1_29)],
  [32, sysctls(sysctls1_32)],
]

export const windowsHostProcess: Control = (pod) => {
  const bad = badSetters(pod, ['windowsOptions', 'hostProcess'], (value) => value === true)
  if (bad === undefined) return undefined
  const detail = `${bad.said} must not set securityContext.windowsOptions.hostProcess=true`
  return { reason: 'hostProcess', detail, fields: bad.fields }
}
