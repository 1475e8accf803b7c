import { versionIn } from './versions.js'

/** Of `docker info` what a cluster depends on. */
export interface EngineInfo {
  readonly cpus: number
  /** Bytes. */
  readonly memory: number
  readonly cgroup: string
  readonly kernel: string
  /** Of its processor, as release files are named: `amd64`, `arm64`; empty when it is not told. */
  readonly arch: string
  readonly os: string
  readonly rootless: boolean
  /** Where it keeps everything; on this machine's disk only where the engine runs on it. */
  readonly root: string
  /** Docker Desktop and the like: the engine is in a virtual machine. */
  readonly inVm: boolean
  readonly proxies: readonly string[]
  /** What it asks in the place of Docker Hub; the nodes know nothing of it. */
  readonly mirrors: readonly string[]
}

/** Reads `docker info --format '{{json .}}'`; undefined when it is not that, or the engine has not said anything. */
export function readInfo(stdout: string): EngineInfo | undefined {
  const info = objectIn(stdout)
  const text = (name: string): string => (typeof info?.[name] === 'string' ? info[name] : '')
  const number = (name: string): number => (typeof info?.[name] === 'number' ? info[name] : 0)
  if (info === undefined || number('NCPU') === 0) return undefined
  const security = Array.isArray(info.SecurityOptions) ? info.SecurityOptions.map(String) : []
  const system = text('OperatingSystem')
  return {
    cpus: number('NCPU'),
    memory: number('MemTotal'),
    cgroup: text('CgroupVersion'),
    kernel: text('KernelVersion'),
    arch: archNames[text('Architecture')] ?? text('Architecture'),
    os: text('OSType'),
    rootless: security.some((option) => option.includes('name=rootless')),
    root: text('DockerRootDir'),
    inVm: /docker desktop|orbstack|colima|rancher desktop|lima/i.test(`${system} ${text('Name')}`),
    proxies: [text('HttpProxy'), text('HttpsProxy')].filter((proxy) => proxy !== ''),
    mirrors: mirrorsIn(info.RegistryConfig),
  }
}

/** Processors as the kernel names them. */
const archNames: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' }

function mirrorsIn(registries: unknown): readonly string[] {
  if (typeof registries !== 'object' || registries === null || !('Mirrors' in registries)) return []
  return Array.isArray(registries.Mirrors) ? registries.Mirrors.map(String) : []
}

export interface DockerVersions {
  readonly client?: string
  readonly server?: string
  /** The product that the engine is part of: `Docker Desktop 4.51.0 (...)`. */
  readonly desktop?: string
}

/** Reads `docker version --format '{{json .}}'`, which says what it knows of the client when no engine answers. */
export function readVersions(stdout: string): DockerVersions {
  const { Client, Server } = objectIn(stdout) ?? {}
  const client = memberOf(Client, 'Version')
  const server = memberOf(Server, 'Version')
  const product = typeof Server === 'object' && Server !== null && 'Platform' in Server ? Server.Platform : undefined
  const desktop = memberOf(product, 'Name')
  return {
    ...(client !== undefined && { client: versionIn(client) ?? client }),
    ...(server !== undefined && { server: versionIn(server) ?? server }),
    ...(desktop !== undefined && /desktop/i.test(desktop) && { desktop }),
  }
}

function memberOf(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const found = Object.entries(value).find(([key]) => key === name)?.[1]
  return typeof found === 'string' && found !== '' ? found : undefined
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
