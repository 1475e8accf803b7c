import { createHash } from 'node:crypto'
import { BlockList, isIPv4 } from 'node:net'

/** The only hosts of the real world that are ever dialled, and where the stand-in has them. */
export const REAL_HOSTS = ['api.github.com', 'api.cloudflare.com'] as const
export type RealHost = (typeof REAL_HOSTS)[number]
export const isRealHost = (name: string): name is RealHost => (REAL_HOSTS as readonly string[]).includes(name)

/** Stand-in addresses of the hosts above: TEST-NET-2 (RFC 5737). */
const STANDS_FOR: Readonly<Record<RealHost, string>> = {
  'api.github.com': '198.51.100.10',
  'api.cloudflare.com': '198.51.100.20',
}

/** Of `.example` (RFC 2606), which nobody has, the stand-in has every name: in TEST-NET-3. */
const isExample = (name: string): boolean => name.endsWith('.example')
const EXAMPLE_NET = '203.0.113'
const EXAMPLE_ADDRESSES = 254

const standIns = new BlockList()
standIns.addSubnet('198.51.100.0', 24)
standIns.addSubnet(`${EXAMPLE_NET}.0`, 24)

/** Addresses that nobody has in the real world, and that lead to the stand-in. */
export const isStandIn = (ip: string): boolean => isIPv4(ip) && standIns.check(ip)

/** Which stand-in address a name has: the same one in every run, unless another name came first that has the same. */
export class StandInNames {
  readonly #names = new Map<string, string>()
  readonly #taken = new Set<string>()

  /** Undefined: the stand-in has no such name. */
  addressOf(name: string): string | undefined {
    if (isRealHost(name)) return STANDS_FOR[name]
    if (!isExample(name)) return undefined
    const known = this.#names.get(name)
    if (known !== undefined) return known
    const start = createHash('sha256').update(name).digest().readUInt32BE(0)
    const at = (step: number) => `${EXAMPLE_NET}.${1 + ((start + step) % EXAMPLE_ADDRESSES)}`
    // When all are taken, names share them, and are no longer kept: there may be any number.
    if (this.#taken.size === EXAMPLE_ADDRESSES) return at(0)
    let step = 0
    while (this.#taken.has(at(step))) step += 1
    this.#taken.add(at(step))
    this.#names.set(name, at(step))
    return at(step)
  }
}

/** What is not to be reached from anywhere, or only from here (the special-purpose registries of IANA), and what clouds keep at public addresses for their guests. */
const local = new BlockList()
for (const block of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '168.63.129.16/32',
]) {
  const [net = '', bits = ''] = block.split('/')
  local.addSubnet(net, Number(bits))
}

/** An address that may be dialled for real: IPv4, and one that the whole world means the same by. */
export const isGloballyRoutable = (ip: string): boolean => isIPv4(ip) && !local.check(ip)
