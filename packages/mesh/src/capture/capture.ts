import { chmod, mkdir, realpath, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { Address, Capture, Dialer } from '../seams.js'
import type { MeshLog } from '../types.js'
import { Agent } from './agent.js'
import { captureEnv, proxyEnv } from './env.js'
import { Grants, makePod, type Pod } from './grants.js'
import { dialListener, refused } from './listeners.js'
import { Socks } from './socks.js'
import type { CaptureConfig } from './wire.js'

export interface CaptureOptions {
  /** A short, private (0700) folder for the sockets; made when it is not there. */
  readonly runDir: string
  readonly dialer: Dialer
  readonly log?: MeshLog
}

/**
 * Capture by a preload: a pod's processes are Node's, started with `grant().env`, and ask the agent in `runDir` for
 * every connect, name, port and datagram. Programs of other kinds come through a SOCKS5 door on loopback.
 */
export async function createCapture({ runDir: wanted, dialer, log }: CaptureOptions): Promise<Capture> {
  await mkdir(wanted, { recursive: true, mode: 0o700 })
  await chmod(wanted, 0o700)
  // The preload compares real paths with it.
  const runDir = await realpath(wanted)
  const sockets = join(runDir, 'c')
  // A supervisor that was killed leaves sockets behind.
  await rm(sockets, { recursive: true, force: true })
  await mkdir(sockets, { recursive: true, mode: 0o700 })
  const pods = new Map<string, Pod>()
  const grants = new Grants()
  const agent = new Agent(grants, { dialer, sockets, ...(log === undefined ? {} : { log }) })
  const socks = new Socks(grants, dialer, log)
  const agentPath = join(runDir, 'agent.sock')
  await agent.listen(agentPath)
  const door = await socks.listen()

  const podOf = (key: string): Pod => {
    const pod = pods.get(key)
    if (pod === undefined)
      throw new Error(`pod ${JSON.stringify(key)} is not captured. Was it added, or already removed?`)
    return pod
  }

  return {
    async addPod(pod) {
      if (pods.has(pod.key)) throw new Error(`pod ${JSON.stringify(pod.key)} is already captured`)
      pods.set(pod.key, makePod(pod))
    },

    async removePod(key) {
      const pod = pods.get(key)
      if (pod === undefined) return
      pods.delete(key)
      grants.revoke((grant) => grant.pod === pod)
    },

    grant(key, { run, socks: withSocks = false } = {}) {
      const pod = podOf(key)
      const { grant, secret } = grants.add(pod, run)
      const config: CaptureConfig = {
        agent: agentPath,
        runDir,
        sockets,
        secret,
        pod: { name: pod.name, ip: pod.ip },
        ...(withSocks ? { proxy: proxyEnv(door, grant.id, secret) } : {}),
      }
      return {
        id: grant.id,
        env: captureEnv(config),
        mark: (next) => {
          grant.run = next
        },
        end: () => grants.end(grant),
        revoke: () => grants.revoke((other) => other === grant),
      }
    },

    listening: (key) => pods.get(key)?.listeners.ports() ?? [],

    privateSocket: (key, port) => pods.get(key)?.listeners.path(port),

    async dialApp(key: string, port: number, from: Address): Promise<Duplex> {
      const listener = pods.get(key)?.listeners.pick(port, from)
      if (listener === undefined) throw refused(port)
      return dialListener(listener, from)
    },

    deliver(key, port, from, data) {
      const binding = pods.get(key)?.udp.get(port)
      if (binding === undefined || (binding.scope === 'loopback' && !from.ip.startsWith('127.'))) return false
      binding.process.deliver(binding.id, from, data)
      return true
    },

    async close() {
      grants.revoke(() => true)
      await Promise.all([agent.close(), socks.close()])
      await rm(sockets, { recursive: true, force: true })
    },
  }
}
