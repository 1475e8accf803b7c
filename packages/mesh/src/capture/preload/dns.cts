import dns from 'node:dns'
import net from 'node:net'
import { promisify } from 'node:util'
import type { CaptureConfig } from '../wire.js'
import type { Channel } from './channel.cjs'
import { nameError } from './errors.cjs'

type Callback = (...args: unknown[]) => void
type Names = (name: string, answer: (error: Error | null, addresses: string[]) => void, syscall: string) => void

/** The resolver that a pod's /etc/resolv.conf names. */
const CLUSTER_DNS = '10.96.0.10'

/** What /etc/services says of the ports that are met here. */
const SERVICES: Readonly<Record<number, string>> = {
  22: 'ssh',
  53: 'domain',
  80: 'http',
  443: 'https',
  5432: 'postgresql',
}

/** Every question of `dns` and `dns.promises` is answered by the mesh, with IPv4 addresses and nothing else. */
export function installDns(config: CaptureConfig, channel: Channel): void {
  const names = askNames(config, channel)
  const lookup = makeLookup(names)
  Object.defineProperty(lookup, promisify.custom, { value: promiseLookup(lookup) })
  const lookupService = makeLookupService(config)
  Object.defineProperty(lookupService, promisify.custom, {
    value: (ip: string, port: number) =>
      new Promise((resolve, reject) =>
        lookupService(ip, port, (error, hostname, service) => (error ? reject(error) : resolve({ hostname, service }))),
      ),
  })
  const questions = { ...resolvers(names), ...servers() }
  const promised = promises(questions)
  Object.assign(dns, { lookup, lookupService, ...questions, Resolver: resolverClass(questions) })
  Object.assign(dns.promises, {
    lookup: promiseLookup(lookup),
    lookupService: promisify(lookupService),
    ...promised,
    ...servers(),
    Resolver: resolverClass({ ...promised, ...servers() }),
  })
}

/** localhost and the pod's own name are in its /etc/hosts; the rest is asked. */
function askNames(config: CaptureConfig, channel: Channel): Names {
  return (name, answer, syscall) => {
    const bare = name.toLowerCase().replace(/\.$/, '')
    if (bare === 'localhost') return void process.nextTick(answer, null, ['127.0.0.1'])
    if (bare === config.pod.name) return void process.nextTick(answer, null, [config.pod.ip])
    channel.ask({ op: 'resolve', name }, ({ error, message, addresses = [] }) => {
      if (error === undefined && addresses.length > 0) return answer(null, [...addresses])
      const known = error ?? 'ENOTFOUND'
      answer(nameError(syscall, spelledFor(syscall, known), name, message), [])
    })
  }
}

/** getaddrinfo has no word for REFUSED, and calls it a failure that may pass; a question that is never answered has a word in c-ares. */
function spelledFor(syscall: string, code: string): string {
  if (code === 'ENOTFOUND') return code
  if (syscall === 'getaddrinfo') return 'EAI_AGAIN'
  return code === 'EAI_AGAIN' ? 'ETIMEOUT' : code
}

function makeLookup(names: Names) {
  return function lookup(name: unknown, optionsOrCallback: unknown, maybeCallback?: Callback): object {
    const callback = typeof optionsOrCallback === 'function' ? (optionsOrCallback as Callback) : maybeCallback
    if (typeof callback !== 'function') throw badArgument('The "callback" argument must be of type function.')
    if (name && typeof name !== 'string') throw badArgument('The "hostname" argument must be of type string.')
    const options = typeof optionsOrCallback === 'number' ? { family: optionsOrCallback } : optionsOrCallback
    const { all = false, family = 0 } =
      ((typeof options === 'object' ? options : null) as { all?: boolean; family?: unknown }) ?? {}
    const wants6 = family === 6 || family === 'IPv6'
    const answer = (error: Error | null, addresses: readonly string[], version = 4) => {
      if (error !== null) return callback(error)
      if (all)
        callback(
          null,
          addresses.map((address) => ({ address, family: version })),
        )
      else callback(null, addresses[0], version)
    }
    if (!name) process.nextTick(() => (all ? callback(null, []) : callback(null, null, wants6 ? 6 : 4)))
    else if (net.isIP(name as string) !== 0) process.nextTick(answer, null, [name], net.isIP(name as string))
    else if (wants6)
      process.nextTick(answer, nameError('getaddrinfo', 'ENOTFOUND', name as string, 'pods have IPv4 only'), [])
    else names(name as string, answer, 'getaddrinfo')
    return {}
  }
}

function promiseLookup(lookup: ReturnType<typeof makeLookup>) {
  return (name: string, options: { all?: boolean } | number = {}) =>
    new Promise((resolve, reject) => {
      const all = typeof options === 'object' && options.all === true
      lookup(name, options, (error, address, family) =>
        error ? reject(error as Error) : resolve(all ? address : { address, family }),
      )
    })
}

function makeLookupService(config: CaptureConfig) {
  return function lookupService(ip: string, port: number, callback: Callback): void {
    const service = SERVICES[port] ?? String(port)
    const name = ip.startsWith('127.') ? 'localhost' : ip === config.pod.ip ? config.pod.name : undefined
    if (name === undefined) process.nextTick(callback, nameError('getnameinfo', 'ENOTFOUND', ip))
    else process.nextTick(callback, null, name, service)
  }
}

/** The record types that exist; only A has an answer here. */
const TYPES = ['AAAA', 'ANY', 'CAA', 'CNAME', 'MX', 'NAPTR', 'NS', 'PTR', 'SOA', 'SRV', 'TLSA', 'TXT'] as const

function resolvers(names: Names) {
  const resolve4 = (name: string, optionsOrCallback: unknown, maybeCallback?: Callback): void => {
    const callback = (typeof optionsOrCallback === 'function' ? optionsOrCallback : maybeCallback) as Callback
    const ttl = typeof optionsOrCallback === 'object' && (optionsOrCallback as { ttl?: boolean } | null)?.ttl === true
    names(
      name,
      (error, addresses) => {
        if (error !== null) callback(error)
        else callback(null, ttl ? addresses.map((address) => ({ address, ttl: 30 })) : addresses)
      },
      'queryA',
    )
  }
  // A name that exists without such a record is ENODATA, one that does not is ENOTFOUND.
  const empty = (type: string) => (name: string, optionsOrCallback: unknown, maybeCallback?: Callback) => {
    const callback = (typeof optionsOrCallback === 'function' ? optionsOrCallback : maybeCallback) as Callback
    const syscall = `query${type[0]}${type.slice(1).toLowerCase()}`
    names(name, (error) => callback(error ?? nameError(syscall, 'ENODATA', name)), syscall)
  }
  const byType: Record<string, (name: string, options: unknown, callback?: Callback) => void> = { A: resolve4 }
  for (const type of TYPES) byType[type] = empty(type)
  const resolve = (name: string, typeOrCallback: unknown, maybeCallback?: Callback): void => {
    const type = typeof typeOrCallback === 'string' ? typeOrCallback.toUpperCase() : 'A'
    const callback = typeof typeOrCallback === 'function' ? (typeOrCallback as Callback) : maybeCallback
    const question = byType[type]
    if (question === undefined) throw badArgument(`The argument 'rrtype' is invalid. Received '${type}'`)
    question(name, callback)
  }
  const reverse = (ip: string, callback: Callback): void =>
    void process.nextTick(callback, nameError('getHostByAddr', 'ENOTFOUND', ip))
  const named: Record<string, unknown> = { resolve, reverse, resolve4, resolve6: byType.AAAA }
  for (const type of TYPES.slice(1)) {
    const method = type.length > 4 ? `${type[0]}${type.slice(1).toLowerCase()}` : type[0] + type.slice(1).toLowerCase()
    named[`resolve${method}`] = byType[type]
  }
  return named
}

/** Which servers are asked is the pod's configuration, not the app's. */
function servers(): Record<string, unknown> {
  return { getServers: () => [CLUSTER_DNS], setServers: () => {} }
}

function promises(questions: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(questions).filter(([name]) => /^resolve|^reverse$/.test(name))
  return Object.fromEntries(entries.map(([name, ask]) => [name, promisify(ask as (...args: unknown[]) => void)]))
}

/** `new Resolver()`, which would otherwise ask the host's servers by itself. */
function resolverClass(methods: Readonly<Record<string, unknown>>): new () => object {
  class Resolver {
    cancel(): void {}
    setLocalAddress(): void {}
  }
  Object.assign(Resolver.prototype, methods)
  return Resolver
}

function badArgument(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' })
}
