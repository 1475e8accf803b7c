import { networkInterfaces } from 'node:os'

let cached: readonly string[] = []

/** The IPv4 addresses of this pod but loopback; asked of the system until there are some, then kept. */
export function ipAddresses(): readonly string[] {
  if (cached.length === 0) {
    cached = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, address }) => family === 'IPv4' && !/^(127|22[4-9]|23\d)\./.test(address))
      .map(({ address }) => address)
  }
  return cached
}
