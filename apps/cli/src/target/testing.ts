import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { UpReport } from './messages.js'

const bin = fileURLToPath(new URL('../../bin/bulkhead.js', import.meta.url))
export const root = fileURLToPath(new URL('../../../..', import.meta.url))
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What a process said until its end. */
export async function collect(child: ChildProcess): Promise<Ran> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

export const start = (args: readonly string[], cwd = root): ChildProcess =>
  spawn(process.execPath, [bin, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    // No test looks for the real world.
    env: { ...process.env, BULKHEAD_OUTSIDE: 'stand-in' },
  })
export const bulkhead = (...args: readonly string[]): Promise<Ran> => collect(start(args))

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  // A zombie that nobody reaps, as in a container without an init, is dead all the same.
  const stat = `/proc/${pid}/stat`
  return !existsSync(stat) || !/\) [ZX] /.test(readFileSync(stat, 'utf8'))
}

export const pidsOf = (report: Pick<UpReport, 'status'>): number[] =>
  report.status.workloads.flatMap(({ pods }) =>
    pods.flatMap(({ containers }) => containers.flatMap(({ pid }) => pid ?? [])),
  )

const manifests = (...names: readonly string[]): readonly string[] => [
  '--manifests',
  ...names.map((name) => `k8s/${name}`),
]

/** For `up`, from the root of a clone: the shop with its own walls. What is tried with it is the command, not the manifests. */
export const theShop = manifests(
  'workloads/shop',
  'layers/40-mtls',
  'layers/50-identity/shop',
  'layers/70-ingress/shop',
)

/** The shop with every wall of its own. */
export const theShopWalled = [...theShop, 'k8s/layers/20-network/shop', 'k8s/layers/30-cilium/shop']
