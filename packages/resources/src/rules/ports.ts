export const PROTOCOLS: readonly string[] = ['TCP', 'UDP', 'SCTP']

export const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65535

/** The name of a container's port: at most 15 of a-z, 0-9 and single `-` inside, with a letter among them (an IANA service name). */
export function isPortName(name: string): boolean {
  return name.length <= 15 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name) && /[a-z]/.test(name) && !name.includes('--')
}
