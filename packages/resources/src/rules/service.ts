import { quote, type Report } from '../diagnostics.js'
import type { Service } from '../kinds.js'
import { checkLabels } from '../schema/metadata.js'
import { isPort, isPortName, PROTOCOLS } from './ports.js'

export function checkService(service: Service, report: Report): void {
  const { ports = [], selector } = service.spec
  if (selector !== undefined) checkLabels(selector, ['spec', 'selector'], report)
  const names = new Set<string | undefined>()
  for (const [index, { name, port, targetPort, protocol }] of ports.entries()) {
    const path = ['spec', 'ports', index]
    if (!isPort(port)) report('error', 'value.port', [...path, 'port'], `the port ${port} is not one from 1 to 65535`)
    if (targetPort !== undefined && !(typeof targetPort === 'number' ? isPort(targetPort) : isPortName(targetPort))) {
      report(
        'error',
        'value.port',
        [...path, 'targetPort'],
        `targetPort ${quote(targetPort)} is neither a port from 1 to 65535 nor the name of a container's port`,
      )
    }
    if (protocol !== undefined && !PROTOCOLS.includes(protocol)) {
      report(
        'error',
        'field.value',
        [...path, 'protocol'],
        `the protocol ${quote(protocol)} is none of ${PROTOCOLS.join(', ')}`,
      )
    }
    if (name === undefined && ports.length > 1)
      report(
        'error',
        'field.missing',
        path,
        `spec.ports[${index}].name is missing; a Service with several ports must name each`,
      )
    else if (names.has(name)) report('error', 'object.duplicate-name', path, `two ports are named ${quote(name)}`)
    names.add(name)
  }
}
