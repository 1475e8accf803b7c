import os from 'node:os'
import type { CaptureConfig } from '../wire.js'

/** What an app can ask about where it runs, answered as in the pod. */
export function installIdentity({ pod }: CaptureConfig): void {
  const hostname = () => pod.name
  // Node's own converts to its value where a string is wanted.
  Object.defineProperty(hostname, Symbol.toPrimitive, { value: hostname })
  const shape = (address: string, bits: number, mac: string, internal: boolean) => ({
    address,
    netmask: bits === 8 ? '255.0.0.0' : '255.255.255.0',
    family: 'IPv4' as const,
    mac,
    internal,
    cidr: `${address}/${bits}`,
  })
  // Locally administered, and told apart by the address, as CNI plugins make them.
  const mac = `0a:58:${pod.ip
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join(':')}`
  os.hostname = hostname
  os.networkInterfaces = () => ({
    lo: [shape('127.0.0.1', 8, '00:00:00:00:00:00', true)],
    eth0: [shape(pod.ip, 24, mac, false)],
  })
}
