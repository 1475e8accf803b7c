import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  broken,
  fuzz,
  inPieces,
  leaving,
  play,
  printScript,
  type Random,
  type Script,
  type Step,
  send,
  smallerScript,
} from '@bulkhead/resources/testing'
import { cleanUp, temporaryFolder } from '@bulkhead/testing'
import type { Capture, DialAnswer, Dialer } from '../seams.js'
import { createCapture } from './capture.js'
import type { CaptureConfig, Up } from './wire.js'

/*
 * The agent's socket, as a process speaks to it that has a pod's secret and means ill, or as one without.
 */

const POD = { key: 'shop/client', name: 'client-1', ip: '10.244.0.10' }
/** Stands for a secret in a script: the right one is put in its place, if it is still whole. */
const SECRET = 'S'.repeat(43)
const SOCKET = 'lAAAAAAAAAAAA'
const TOKEN = 'a'.repeat(64)
const PATIENCE_MS = 40

/** How a process treats what it is given. */
interface Manners {
  /** A slot: how often it connects to it, and whether it says so. */
  readonly connects: number
  readonly opens: boolean
  /** Its listener: what it does with a connection; undefined: there is no listener behind the name. */
  readonly serves: 'echo' | 'cut' | 'silent' | undefined
}

interface Case {
  readonly manners: Manners
  readonly script: Script
}

const HELLO: Up = { op: 'hello', secret: SECRET, pid: 1 }
const DIAL: Up = { op: 'dial', id: 9, host: 'ok', port: 80 }
const messages = (random: Random): readonly Up[] => {
  const id = random.below(4)
  const host = random.pick([
    'ok',
    'slow',
    'drop',
    'refused',
    'throws',
    'localhost',
    '10.244.0.10',
    '::1',
    '0x7f.1',
    'x'.repeat(300),
  ])
  const port = random.pick([0, 53, 8080, 5353, 65_535])
  return [
    { op: 'dial', id, host, port },
    { op: 'dial', id: id + 4, host: 'ok', port: 80 },
    { op: 'open', id },
    { op: 'gone', id },
    { op: 'reset', id },
    { op: 'reset-accepted', conn: id },
    {
      op: 'listen',
      id,
      host: random.pick(['', '0.0.0.0', '127.0.0.1', '10.9.9.9']),
      port: 8080,
      socket: SOCKET,
      token: TOKEN,
    },
    { op: 'unlisten', id },
    { op: 'resolve', id, name: host },
    { op: 'bind', id, host: '', port: random.pick([0, 5353]) },
    { op: 'unbind', id },
    { op: 'send', id, host, port, data: random.bytes(random.below(40)).toString('base64') },
  ]
}

const ODD: readonly unknown[] = [
  null,
  -1,
  1.5,
  2 ** 53,
  '',
  [],
  {},
  true,
  'x'.repeat(5_000),
  '../../etc/passwd',
  '\0',
  '\ud800',
  { toString: 1 },
]
const line = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`)

/** With a field that is odd, missing or not known. */
function twisted(random: Random, message: Up): unknown {
  const fields = Object.entries(message)
  const [name] = random.pick(fields)
  const kind = random.below(4)
  if (kind === 0) return Object.fromEntries(fields.filter(([field]) => field !== name))
  if (kind === 1) return { ...message, [random.pick(['extra', 'toString', 'op', 'group'])]: random.pick(ODD) }
  return { ...message, [name]: random.pick(ODD) }
}

const flood = (random: Random): Buffer => {
  const message = random.pick(messages(random))
  const many = random.once(6) ? 3_000 : 200
  return Buffer.concat(Array.from({ length: many }, (_, id) => line('id' in message ? { ...message, id } : message)))
}

function make(random: Random): Case {
  const manners: Manners = {
    connects: random.pick([1, 1, 1, 0, 2]),
    opens: random.below(4) > 0,
    serves: random.pick(['echo', 'cut', 'silent', undefined]),
  }
  const some = () => random.list(1, 8, () => line(random.pick(messages(random))))
  const script = random.pick<() => Step[]>([
    () => [...inPieces(random, Buffer.concat([line(HELLO), ...some()])), ...leaving(random)],
    () => [...inPieces(random, Buffer.concat([line(HELLO), ...some()])), { do: 'wait', ms: 8 }, ...leaving(random)],
    // As a process does, and then it goes on, or goes.
    () => [send(line(HELLO)), send(line(DIAL)), ...inPieces(random, Buffer.concat(some()))],
    () => [send(line(HELLO)), send(line(DIAL)), { do: 'wait', ms: random.below(20) }, ...leaving(random)],
    () => broken(random, [line(HELLO), line(DIAL), ...some()]),
    () => [
      ...inPieces(
        random,
        Buffer.concat([line(HELLO), ...random.list(1, 5, () => line(twisted(random, random.pick(messages(random)))))]),
      ),
      ...leaving(random),
    ],
    () => [send(line(twisted(random, HELLO))), ...leaving(random)],
    () => [send(line(HELLO)), send(flood(random)), ...leaving(random)],
    () => [
      send(line(HELLO)),
      send(random.pick(['{"op":"', '[', '"', ''])),
      send(Buffer.alloc(random.pick([100, 300_000]), 120)),
      ...leaving(random),
    ],
    () => [...inPieces(random, random.bytes(random.below(600))), ...leaving(random)],
    () => [...inPieces(random, Buffer.concat(some())), ...leaving(random)],
  ])()
  return { manners, script }
}

interface World {
  readonly capture: Capture
  readonly config: CaptureConfig
  /** Connects that were accepted, and neither carried nor given up. */
  readonly pending: () => number
  /** Connections that were carried. */
  readonly carried: () => number
}

async function startWorld(t: TestContext): Promise<World> {
  const runDir = temporaryFolder(t)
  let pending = 0
  let carried = 0
  const accept = (port: number): DialAnswer => {
    pending += 1
    return {
      kind: 'accept',
      remote: { ip: '10.244.1.1', port },
      local: { ip: POD.ip, port: 40_000 },
      carry({ stream }) {
        pending -= 1
        carried += 1
        stream.on('error', () => {}).pipe(stream)
      },
      abandon() {
        pending -= 1
      },
    }
  }
  const dialer: Dialer = {
    async dial({ host, port }) {
      if (host === 'ok') return accept(port)
      if (host === 'drop') return { kind: 'drop' }
      if (host === 'throws') throw new Error('the data plane is out of order')
      if (host !== 'slow') return { kind: 'error', code: 'ECONNREFUSED', message: 'nobody' }
      await delay(5)
      return accept(port)
    },
    async resolve(_pod, name) {
      if (name === 'throws') throw new Error('the data plane is out of order')
      return name === 'ok' ? { addresses: ['10.244.1.1'] } : { code: 'ENOTFOUND' }
    },
    async datagram(pod, _run, { port }, from, data) {
      return capture.deliver(pod, port, { ip: POD.ip, port: from }, data)
    },
    unbound: () => undefined,
  }
  const capture = await createCapture({ runDir, dialer })
  cleanUp(t, () => capture.close())
  await capture.addPod(POD)
  const config: CaptureConfig = JSON.parse(capture.grant(POD.key, {}).env.BULKHEAD_CAPTURE ?? '')
  return { capture, config, pending: () => pending, carried: () => carried }
}

/** A script with the right secret in it. */
const withSecret = (script: Script, secret: string): Script => {
  const put = (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replaceAll(SECRET, secret), 'latin1')
  return script.map((step) => (step.do === 'send' ? { do: 'send', bytes: put(step.bytes) } : step))
}

/** The process's side of what it is given. */
class Process {
  readonly socket: Socket
  readonly #manners: Manners
  readonly #opened: Socket[] = []
  #text = ''
  said: Record<string, unknown>[] = []

  constructor(config: CaptureConfig, manners: Manners) {
    this.#manners = manners
    this.socket = connect({ path: config.agent, allowHalfOpen: true })
    this.socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  #read(chunk: Buffer): void {
    const lines = `${this.#text}${chunk}`.split('\n')
    this.#text = lines.pop() ?? ''
    for (const text of lines) {
      const answer: Record<string, unknown> = JSON.parse(text)
      this.said.push(answer)
      if (typeof answer.slot === 'string') this.#take(answer.slot, answer.id)
    }
  }

  #take(path: string, id: unknown): void {
    for (let i = 0; i < this.#manners.connects; i += 1) {
      const socket = connect({ path })
      socket.on('error', () => {}).resume()
      socket.once('connect', () => {
        socket.write('hello')
        if (this.#manners.opens && i === 0 && this.socket.writable) this.socket.write(line({ op: 'open', id }))
      })
      this.#opened.push(socket)
    }
  }

  close(): void {
    this.socket.destroy()
    for (const socket of this.#opened) socket.destroy()
  }
}

async function listener(path: string, serves: Manners['serves'], kept: Set<Socket>): Promise<Server | undefined> {
  if (serves === undefined) return undefined
  const server = createServer((socket) => {
    kept.add(socket)
    socket.on('error', () => {})
    if (serves === 'cut') socket.destroy()
    if (serves === 'echo') socket.pipe(socket)
  })
  // Another case may have the name: then this one has nobody behind its own.
  const listening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false)).listen(path, () => resolve(true))
  })
  return listening ? server : undefined
}

async function run({ capture, config }: World, { manners, script }: Case): Promise<void> {
  const kept = new Set<Socket>()
  const name = `l${randomBytes(9).toString('base64url')}`
  const server = await listener(join(config.sockets, name), manners.serves, kept)
  const process = new Process(config, manners)
  const played = play(process.socket, renamed(withSecret(script, config.secret), name), PATIENCE_MS)
  await delay(3)
  // Somebody calls it, and has a word for it.
  const app = await capture.dialApp(POD.key, 8080, { ip: '10.244.1.1', port: 1 }).catch(() => undefined)
  app?.on('error', () => {}).resume()
  app?.write('a call')
  capture.deliver(POD.key, 5353, { ip: '10.244.1.1', port: 1 }, Buffer.from('a word'))
  await played
  app?.destroy()
  process.close()
  for (const socket of kept) socket.destroy()
  if (server !== undefined) await new Promise((resolve) => server.close(resolve))
}

const renamed = (script: Script, name: string): Script =>
  script.map((step) => (step.do === 'send' ? send(step.bytes.toString('latin1').replaceAll(SOCKET, name)) : step))

/** A process as the preload is: it dials, connects to its slot, says so, and is carried. */
async function goodProcess({ config }: World): Promise<void> {
  const socket = connect(config.agent)
  socket.write(line({ ...HELLO, secret: config.secret }))
  socket.write(line({ op: 'dial', id: 1, host: 'ok', port: 80 }))
  const [answer] = await once(socket, 'data')
  const carried = connect(JSON.parse(String(answer)).slot)
  await once(carried, 'connect')
  carried.write('echo')
  socket.write(line({ op: 'open', id: 1 }))
  const [echo] = await once(carried, 'data')
  assert.equal(String(echo), 'echo')
  carried.destroy()
  socket.destroy()
}

test('broken input at the agent: nothing crashes or hangs, nothing of a process outlives it', async (t) => {
  const world = await startWorld(t)
  let controls = 0
  const cases = await fuzz<Case>(t, {
    name: 'the capture socket',
    make,
    run: (input) => run(world, input),
    *smaller({ manners, script }) {
      for (const other of smallerScript(script)) yield { manners, script: other }
    },
    print: ({ manners, script }) => `${JSON.stringify(manners)} ${printScript(script)}`,
    control() {
      controls += 1
      return goodProcess(world)
    },
    held: () => ({
      'accepted connects': world.pending(),
      listeners: world.capture.listening(POD.key).length,
      'UDP ports': Number(world.capture.deliver(POD.key, 5353, { ip: POD.ip, port: 1 }, Buffer.alloc(0))),
    }),
    parallel: 16,
    deadlineMs: 5_000,
  })
  assert.ok(world.carried() > controls || cases === 1, 'some of the input was good enough to be carried')
})

test('what once failed: a number that is used twice leaves nothing behind', async (t) => {
  const world = await startWorld(t)
  const process = new Process(world.config, { connects: 0, opens: false, serves: undefined })
  const port = { host: '', socket: SOCKET, token: TOKEN }
  const script: Step[] = [
    { op: 'hello', secret: world.config.secret, pid: 1 },
    { op: 'listen', id: 1, ...port, port: 8080 },
    { op: 'listen', id: 1, ...port, port: 8081 },
    { op: 'bind', id: 1, host: '', port: 5353 },
    { op: 'bind', id: 1, host: '', port: 5354 },
  ].map((message) => send(line(message)))
  const played = play(process.socket, script, 10_000)
  while (process.said.length < 4) await delay(2)
  assert.deepEqual(
    process.said.map(({ error }) => error),
    [undefined, 'EINVAL', undefined, 'EINVAL'],
  )
  process.close()
  await played
  while (world.capture.listening(POD.key).length > 0) await delay(2)
  const word = () => world.capture.deliver(POD.key, 5353, { ip: '10.244.1.1', port: 1 }, Buffer.alloc(0))
  while (word()) await delay(2)
})

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
