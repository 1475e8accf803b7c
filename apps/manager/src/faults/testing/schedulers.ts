import { createPublicKey, type KeyObject } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { managerTo, schedExtOf, signStatement } from '@bulkhead/intents'
import { Child } from '@bulkhead/service-kit/testing'
import { type Scope, temporaryFolder } from '@bulkhead/testing'
import { type Relay, startRelay } from './relay.js'

const PROGRAM = fileURLToPath(new URL('../../../../scheduler/dist/main.js', import.meta.url))

/** Pods that have a process on the node, with its number. */
export type Processes = ReadonlyMap<string, number>

export interface SchedulerOptions {
  readonly node: string
  readonly pod: string
  /** Signs for the manager. */
  readonly managerKey: KeyObject
  readonly schedulerKey: KeyObject
  /** Where it reports to. */
  readonly managerUrl: string
  readonly processes: Processes
}

/** The scheduler of a node, as the program that it is, behind a wire that can be cut. */
export interface RealScheduler {
  readonly node: string
  readonly pod: string
  readonly relay: Relay
  /** `kill -9`, and another one in its place, which knows nothing. */
  restart(): Promise<void>
  /** The root of what it has. */
  root(): Promise<string>
  /** What the sched_ext scheduler beside it is told, by process number. */
  served(): Promise<ReadonlyMap<number, { readonly priority: number; readonly executionTime: number }>>
}

export async function startScheduler(t: TestContext, options: SchedulerOptions): Promise<RealScheduler> {
  const { node, pod, managerKey, schedulerKey } = options
  const relay = await startRelay(t)
  const procRoot = procTree(t, options.processes)
  const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const env = {
    SCHEDULER_SERVER_HOST: '127.0.0.1:0',
    SCHEDULER_MANAGER_URL: options.managerUrl,
    NODE_NAME: node,
    POD_NAME: pod,
    PROC_ROOT: procRoot,
    SCHEDULER_KEY_RSA_PRIVATE_KEY_PEM: pem(schedulerKey),
    SCHEDULER_MANAGER_PUBLIC_KEY_PEM: publicPem(managerKey),
    MACHINE_ID: node,
    LOG_LEVEL: 'info',
  }
  let child = new Child(t, PROGRAM, env)
  let port = await child.port()
  relay.target = port
  let token: string | undefined

  const ask = async (path: string, authorization: string, init: RequestInit = {}): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      ...init,
      headers: { 'content-type': 'application/json', ...(authorization === '' ? {} : { authorization }) },
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
    return JSON.parse(text)
  }

  return {
    node,
    pod,
    relay,
    restart: async () => {
      relay.target = undefined
      child.process.kill('SIGKILL')
      await child.exited
      child = new Child(t, PROGRAM, env)
      port = await child.port()
      relay.target = port
      token = undefined
    },
    root: async () => {
      const assertion = await signStatement(managerKey, managerTo(node), Date.now())
      const { data } = (await ask('/api/v1/intents/merkle', `Bearer ${assertion}`)) as { data: { rootHash: string } }
      return data.rootHash
    },
    served: async () => {
      if (token === undefined) {
        const assertion = await signStatement(schedulerKey, schedExtOf(node), Date.now())
        const body = JSON.stringify({ client_assertion: assertion })
        const { data } = (await ask('/api/v1/auth/token', '', { method: 'POST', body })) as { data: { token: string } }
        token = data.token
      }
      const { scheduling } = (await ask('/api/v1/scheduling/strategies', `Bearer ${token}`)) as {
        scheduling: readonly { readonly pid: number; readonly priority: number; readonly execution_time: number }[]
      }
      return new Map(
        scheduling.map(({ pid, priority, execution_time: executionTime }) => [pid, { priority, executionTime }]),
      )
    },
  }
}

const publicPem = (key: KeyObject): string => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()

/** A folder as /proc is one: a process for each pod, in a cgroup of the pod. */
function procTree(t: Scope, processes: Processes): string {
  const root = temporaryFolder(t)
  for (const [uid, pid] of processes) {
    const folder = join(root, String(pid))
    mkdirSync(folder)
    writeFileSync(join(folder, 'cgroup'), `0::/kubepods/burstable/pod${uid}/${'a'.repeat(64)}\n`)
    writeFileSync(join(folder, 'comm'), 'app\n')
    writeFileSync(join(folder, 'stat'), `${pid} (app) S 1 ${'0 '.repeat(17)}${pid} ${'0 '.repeat(29)}0\n`)
  }
  return root
}
