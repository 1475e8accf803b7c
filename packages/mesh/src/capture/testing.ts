import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { cleanUp, type Scope, temporaryFolder } from '@bulkhead/testing'
import type { Address, Capture, ClientEnd, DialAnswer, Dialer, DialRequest } from '../seams.js'
import type { Grant } from '../types.js'
import { createCapture } from './capture.js'
import { withGrant } from './env.js'

/*
 * For tests: a network that is a table, in place of the mesh, and pods that are real processes with the preload.
 */

/** What happens at an accepted connection. */
export type Carry = (client: ClientEnd, request: DialRequest) => void

export interface World {
  readonly capture: Capture
  readonly runDir: string
  /** Answers by `host:port`, or `host`. What is not here is looked for among the pods. */
  readonly table: Map<string, DialAnswer | ((request: DialRequest) => DialAnswer | Promise<DialAnswer>)>
  /** Every question that was asked, in order. */
  readonly asked: DialRequest[]
  readonly abandoned: DialRequest[]
  /** UDP ports that were given up. */
  readonly unbound: { pod: string; port: number }[]
  readonly datagrams: { pod: string; to: { host: string; port: number }; from: number; data: string }[]
  accept(carry: Carry, remote?: Address): (request: DialRequest) => DialAnswer
  /** A process of that pod, running this text as a module (`.mjs`). */
  start(pod: string, code: string, options?: StartOptions): Running
  /** The same, to its end. */
  run(pod: string, code: string, options?: StartOptions): Promise<Ended>
  /** Kills what still runs, and waits for its end. */
  reap(): Promise<void>
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Run this instead of node. */
  readonly command?: readonly string[]
  readonly socks?: boolean
  /** Default: one of its own. */
  readonly grant?: Grant
  readonly nodeArgs?: readonly string[]
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves once the text is on stdout; rejects when the process ends or 10 s pass before. */
  says(text: string): Promise<void>
  /** What is on stdout so far. */
  said(): string
}

export const PODS = {
  'shop/client': { name: 'client-7d9', ip: '10.244.0.10' },
  'shop/server': { name: 'server-5c4', ip: '10.244.1.20' },
} as const

const DEADLINE_MS = 20_000

/** Gone with `t`, after the processes in it. */
export async function makeWorld(t: Scope): Promise<World> {
  const folder = temporaryFolder(t)
  const table: World['table'] = new Map()
  const asked: DialRequest[] = []
  const abandoned: DialRequest[] = []
  const datagrams: World['datagrams'] = []
  const unbound: World['unbound'] = []
  const children = new Map<ChildProcess, Promise<Ended>>()
  const localOf = (pod: string): Address => ({ ip: PODS[pod as keyof typeof PODS].ip, port: 40_000 })
  const accept: World['accept'] = (carry, remote) => (request) => ({
    kind: 'accept',
    remote: remote ?? { ip: '10.244.9.9', port: request.port },
    local: localOf(request.pod),
    carry: (client) => carry(client, request),
    abandon: () => void abandoned.push(request),
  })

  const find = (host: string): [string, { ip: string }] | undefined =>
    Object.entries(PODS).find(([key, { ip }]) => ip === host || key.split('/')[1] === host)

  const toPod = async (request: DialRequest): Promise<DialAnswer> => {
    const own = PODS[request.pod as keyof typeof PODS].ip
    const loopback = request.host === 'localhost' || request.host.startsWith('127.')
    const target = loopback ? ([request.pod, { ip: '127.0.0.1' }] as const) : find(request.host)
    if (target === undefined) return { kind: 'error', code: 'ENOTFOUND', message: 'no such name in the table' }
    const from = loopback ? { ip: '127.0.0.1', port: 40_001 } : { ip: own, port: 40_001 }
    const app = await capture.dialApp(target[0], request.port, from).catch(() => undefined)
    if (app === undefined) return { kind: 'error', code: 'ECONNREFUSED', message: 'nothing listens' }
    return accept((client) => splice(client.stream, app), { ip: target[1].ip, port: request.port })(request)
  }

  const dialer: Dialer = {
    async dial(request) {
      asked.push(request)
      const known = table.get(`${request.host}:${request.port}`) ?? table.get(request.host)
      if (known !== undefined) return typeof known === 'function' ? known(request) : known
      return toPod(request)
    },
    async resolve(_pod, name) {
      const pod = find(name)
      if (pod !== undefined) return { addresses: [pod[1].ip] }
      if (name === 'refused.test') return { code: 'EREFUSED' }
      return name === 'two.test' ? { addresses: ['10.244.5.1', '10.244.5.2'] } : { code: 'ENOTFOUND' }
    },
    async datagram(pod, _run, to, from, data) {
      datagrams.push({ pod, to, from, data: Buffer.from(data).toString() })
      const own = PODS[pod as keyof typeof PODS].ip
      if (to.host === '127.0.0.1') return capture.deliver(pod, to.port, { ip: '127.0.0.1', port: from }, data)
      const target = find(to.host)
      return target === undefined ? false : capture.deliver(target[0], to.port, { ip: own, port: from }, data)
    },
    unbound: (pod, port) => void unbound.push({ pod, port }),
  }
  const capture = await createCapture({ runDir: folder, dialer })
  cleanUp(t, () => capture.close())
  for (const [key, pod] of Object.entries(PODS)) await capture.addPod({ key, ...pod })

  const start: World['start'] = (pod, code, { env = {}, command, socks, nodeArgs = [], ...given } = {}) => {
    const grant = given.grant ?? capture.grant(pod, { ...(socks === undefined ? {} : { socks }) })
    const [file = process.execPath, ...args] = command ?? [
      process.execPath,
      ...nodeArgs,
      '--input-type=module',
      '--eval',
      code,
    ]
    const child = spawn(file, args, {
      env: withGrant({ ...process.env, NODE_OPTIONS: undefined, NODE_TEST_CONTEXT: undefined, ...env }, grant.env),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const running = follow(child)
    children.set(child, running.ended)
    void running.ended.then(() => children.delete(child))
    return running
  }

  const reap = async (): Promise<void> => {
    const ends = [...children.values()]
    for (const child of children.keys()) child.kill('SIGKILL')
    await Promise.all(ends)
  }
  cleanUp(t, reap)

  return {
    capture,
    runDir: folder,
    table,
    asked,
    abandoned,
    datagrams,
    unbound,
    accept,
    start,
    run: (pod, code, options) => start(pod, code, options).ended,
    reap,
  }
}

function follow(child: ChildProcess): Running {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text))
  const ended = new Promise<Ended>((resolve) => {
    const timer = setTimeout(() => {
      stderr += `\n[killed after ${DEADLINE_MS} ms]`
      child.kill('SIGKILL')
    }, DEADLINE_MS)
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code, stdout, stderr })
    })
  })
  const says = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${why} before ${JSON.stringify(text)}: ${stdout}${stderr}`))
      const timer = setTimeout(() => fail('10 s passed'), 10_000)
      const look = () => {
        if (!stdout.includes(text)) return
        clearTimeout(timer)
        child.stdout?.off('data', look)
        resolve()
      }
      child.stdout?.on('data', look)
      child.once('close', () => {
        clearTimeout(timer)
        fail('it ended')
      })
      look()
    })
  return { child, ended, says, said: () => stdout }
}

/** Both ways, halves kept apart. */
export function splice(a: Duplex, b: Duplex): void {
  a.pipe(b).pipe(a)
  const end = () => {
    a.destroy()
    b.destroy()
  }
  a.on('error', end)
  b.on('error', end)
  a.on('close', () => b.destroyed || b.end())
  b.on('close', () => a.destroyed || a.end())
}
