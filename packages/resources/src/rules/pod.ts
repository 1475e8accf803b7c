import { quote, type Report } from '../diagnostics.js'
import type { Container, PodSpec, Probe } from '../kinds.js'
import { isDnsLabel } from '../schema/names.js'
import type { FieldPath } from '../types.js'
import { isPort, isPortName, PROTOCOLS } from './ports.js'

/**
 * The pod of a Pod or of a template.
 *
 * @param claimed volumes that each pod gets from elsewhere: a StatefulSet makes one of each of its claim templates, and
 * it stands in for one of the same name (Kubernetes, StatefulSet volumeClaimTemplates)
 */
export function checkPodSpec(spec: PodSpec, path: FieldPath, report: Report, claimed: readonly string[] = []): void {
  const volumes = new Set<string>()
  for (const [index, { name }] of (spec.volumes ?? []).entries()) {
    if (volumes.has(name))
      report('error', 'object.duplicate-name', [...path, 'volumes', index], `two volumes are named ${quote(name)}`)
    volumes.add(name)
  }
  for (const name of claimed) volumes.add(name)
  const names = new Set<string>()
  for (const field of ['initContainers', 'containers'] as const) {
    for (const [index, container] of (spec[field] ?? []).entries()) {
      const at = [...path, field, index]
      if (!isDnsLabel(container.name))
        report(
          'error',
          'object.name',
          [...at, 'name'],
          `${quote(container.name)} is not a container's name: at most 63 of a-z, 0-9 and "-"`,
        )
      if (names.has(container.name))
        report('error', 'object.duplicate-name', at, `two containers are named ${quote(container.name)}`)
      names.add(container.name)
      checkContainer(container, volumes, at, report)
    }
  }
  if (spec.containers.length === 0)
    report('error', 'field.missing', [...path, 'containers'], 'a pod needs at least one container')
}

function checkContainer(container: Container, volumes: ReadonlySet<string>, path: FieldPath, report: Report): void {
  const portNames = new Set<string>()
  for (const [index, { name, containerPort, protocol }] of (container.ports ?? []).entries()) {
    const at = [...path, 'ports', index]
    if (!isPort(containerPort))
      report(
        'error',
        'value.port',
        [...at, 'containerPort'],
        `containerPort ${containerPort} is not one from 1 to 65535`,
      )
    if (protocol !== undefined && !PROTOCOLS.includes(protocol)) {
      report(
        'error',
        'field.value',
        [...at, 'protocol'],
        `the protocol ${quote(protocol)} is none of ${PROTOCOLS.join(', ')}`,
      )
    }
    if (name === undefined) continue
    if (!isPortName(name))
      report(
        'error',
        'object.name',
        [...at, 'name'],
        `${quote(name)} is not a port's name: at most 15 of a-z, 0-9 and "-", with a letter among them`,
      )
    if (portNames.has(name))
      report(
        'error',
        'object.duplicate-name',
        at,
        `two ports of the container ${quote(container.name)} are named ${quote(name)}`,
      )
    portNames.add(name)
  }
  for (const [index, { name }] of (container.volumeMounts ?? []).entries()) {
    if (!volumes.has(name))
      report(
        'error',
        'reference.volume',
        [...path, 'volumeMounts', index, 'name'],
        `the container ${quote(container.name)} mounts the volume ${quote(name)}, which the pod does not have`,
      )
  }
  for (const field of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const) {
    const probe = container[field]
    if (probe !== undefined) checkProbe(probe, portNames, [...path, field], report)
  }
}

function checkProbe(probe: Probe, portNames: ReadonlySet<string>, path: FieldPath, report: Report): void {
  for (const field of ['httpGet', 'tcpSocket'] as const) {
    const port = probe[field]?.port
    if (port === undefined) continue
    const at = [...path, field, 'port']
    if (typeof port === 'number' && !isPort(port))
      report('error', 'value.port', at, `the probe's port ${port} is not one from 1 to 65535`)
    if (typeof port === 'string' && !portNames.has(port)) {
      report(
        'warning',
        'reference.port',
        at,
        `the probe asks the port ${quote(port)}, and the container names no such port; it would fail for ever`,
      )
    }
  }
}
