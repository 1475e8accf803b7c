import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import {
  broken,
  fuzz,
  inPieces,
  leaving,
  mutate,
  play,
  printScript,
  type Random,
  resetSafely,
  type Script,
  type Step,
  send,
  smallerScript,
} from '@bulkhead/resources/testing'
import { makeWorld } from './testing.js'

/*
 * The SOCKS5 door, as a program of a pod speaks to it, or anybody on this machine.
 */

/** Stand for a grant's user and password in a script, and are as long. */
const USER = 'U'.repeat(12)
const PASSWORD = 'P'.repeat(43)
const GREETING = 'hello from behind the door'
const PATIENCE_MS = 25

const greeting = Buffer.from([5, 1, 2])
const credentials = Buffer.concat([
  Buffer.from([1, USER.length]),
  Buffer.from(USER),
  Buffer.from([PASSWORD.length]),
  Buffer.from(PASSWORD),
])
const request = (command: number, host: string, port: number): Buffer =>
  Buffer.concat([Buffer.from([5, command, 0, 3, host.length]), Buffer.from(host), Buffer.from([port >> 8, port & 255])])

const HOSTS = [
  'ok',
  'slow',
  'drop',
  'refused',
  'throws',
  'resets',
  '127.0.0.1',
  '',
  '\0',
  'x'.repeat(255),
  '::1',
  'ok.',
  '0x7f.1',
]

const good = (random: Random): readonly Buffer[] => [
  greeting,
  credentials,
  request(1, random.once(3) ? random.pick(HOSTS) : 'ok', random.pick([80, 80, 0, 65_535])),
  Buffer.from('GET / HTTP/1.1\r\n\r\n'),
]

function make(random: Random): Script {
  const after = (...messages: Buffer[]): Step[] => [
    send(greeting),
    send(credentials),
    ...inPieces(random, Buffer.concat(messages)),
    ...leaving(random),
  ]
  return random.pick<() => Step[]>([
    () => broken(random, good(random)),
    () => broken(random, good(random)),
    // All of it at once, or in pieces, and right.
    () => [...inPieces(random, Buffer.concat([...good(random)])), ...leaving(random)],
    () => after(request(random.below(256), 'ok', 80)),
    () => after(Buffer.from([5, 1, random.below(3), random.below(6), ...random.bytes(random.below(30))])),
    () => after(mutate(random, request(1, random.pick(HOSTS), 80))),
    () => after(request(1, 'slow', 80), random.bytes(random.pick([10, 70_000]))),
    () => [
      send(Buffer.from([5, 255])),
      send(random.bytes(255)),
      ...inPieces(random, random.bytes(600)),
      ...leaving(random),
    ],
    () => [
      send(greeting),
      send(Buffer.from([1, 255])),
      ...inPieces(random, random.bytes(random.below(600))),
      ...leaving(random),
    ],
    () => [...inPieces(random, random.bytes(random.below(300))), ...leaving(random)],
    () => [send('GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'), ...leaving(random)],
    () => [send(Buffer.from([4, 1, 0, 80, 127, 0, 0, 1, 0])), ...leaving(random)],
    () => [...leaving(random)],
  ])()
}

async function startDoor(t: TestContext) {
  const world = await makeWorld(t)
  let carried = 0
  let pending = 0
  const ok = world.accept(({ stream }) => {
    carried += 1
    pending -= 1
    stream.on('error', () => {}).resume()
    stream.write(GREETING)
    stream.once('end', () => stream.end())
  })
  const counted = (request: Parameters<typeof ok>[0]) => {
    pending += 1
    const answer = ok(request)
    const abandon = () => {
      pending -= 1
    }
    return answer.kind === 'accept' ? { ...answer, abandon } : answer
  }
  world.table.set('ok', counted)
  world.table.set('slow', async (request) => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    return counted(request)
  })
  world.table.set(
    'resets',
    world.accept((client) => client.reset()),
  )
  world.table.set('drop', { kind: 'drop' })
  world.table.set('throws', () => {
    throw new Error('the data plane is out of order')
  })
  const { env } = world.capture.grant('shop/client', { socks: true })
  const { port, username, password } = new URL(env.ALL_PROXY ?? '')
  const put = (bytes: Buffer) =>
    Buffer.from(bytes.toString('latin1').replace(USER, username).replace(PASSWORD, password), 'latin1')
  const come = async (script: Script): Promise<Buffer> => {
    // What is asked is recorded, and nobody looks.
    world.asked.length = 0
    const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
    const own = script.map((step): Step => (step.do === 'send' ? send(put(step.bytes)) : step))
    // Left by a reset: after an end, so many connections would hold on to their ports for a minute.
    return play(socket, own, PATIENCE_MS, () => resetSafely(socket))
  }
  /** Waits for the answer, however busy the machine is. */
  const goodClient = async (): Promise<void> => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(put(Buffer.concat([greeting, credentials, request(1, 'ok', 80)])))
    let came = ''
    for await (const chunk of socket) {
      came += chunk
      if (came.includes(GREETING)) return void socket.resetAndDestroy()
    }
    assert.fail(`the door hung up on a good client: ${JSON.stringify(came)}`)
  }
  return { come, goodClient, carried: () => carried, pending: () => pending }
}

test('broken input at the SOCKS door: nothing crashes or hangs, nobody comes in without a grant', async (t) => {
  const { come, goodClient, carried, pending } = await startDoor(t)
  let controls = 0
  const cases = await fuzz<Script>(t, {
    name: 'the SOCKS door',
    make,
    async run(script) {
      const came = await come(script)
      const shown = Buffer.concat(script.flatMap((step) => (step.do === 'send' ? [step.bytes] : []))).includes(
        credentials,
      )
      if (!shown) assert.ok(!came.includes(GREETING), 'somebody came in without a grant')
    },
    smaller: smallerScript,
    print: printScript,
    control() {
      controls += 1
      return goodClient()
    },
    held: () => ({ 'accepted connects': pending() }),
    parallel: 16,
    deadlineMs: 5_000,
  })
  assert.ok(carried() > controls || cases === 1, 'some of the input was good enough to be carried')
})
