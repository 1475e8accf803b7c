import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, before, beforeEach, test } from 'node:test'
import { eventually, wholeSuite } from '@bulkhead/testing'
import { makeWorld, type World } from './testing.js'
import type { Answer, CaptureConfig, Down, Up } from './wire.js'

const suite = wholeSuite()
let world: World
before(async () => {
  world = await makeWorld(suite)
})
afterEach(() => world.reap())
beforeEach(() => {
  world.table.clear()
  world.asked.length = 0
  world.abandoned.length = 0
})

/** The agent's protocol, spoken by hand: a process that is not our preload. */
function speak(socket: Socket) {
  const heard: Down[] = []
  createInterface({ input: socket }).on('line', (line) => heard.push(JSON.parse(line)))
  return {
    say: (...messages: Up[]) => messages.forEach((message) => void socket.write(`${JSON.stringify(message)}\n`)),
    heard,
    async answer(id: number): Promise<Answer> {
      const is = (down: Down): down is Answer => !('op' in down) && down.id === id
      await eventually('it is heard', () => heard.some(is))
      return heard.find(is) as Answer
    },
  }
}

function agent(): Socket {
  return connect(join(world.runDir, 'agent.sock')).on('error', () => {})
}

function secretOf(pod: string): string {
  return (JSON.parse(world.capture.grant(pod, {}).env.BULKHEAD_CAPTURE ?? '') as CaptureConfig).secret
}

/** What is heard on a socket until it closes. */
async function all(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (data) => {
    text += data
  })
  await once(socket, 'close', { signal: AbortSignal.timeout(10_000) })
  return text
}

test('a pod is known by its secret alone; a wrong one is refused, and the app is told so', async () => {
  const code = `(await import('node:net')).connect(1, 'anything.test').on('error', (e) => console.log(e.code, '|', e.reason))`
  const right = world.capture.grant('shop/client', {}).env
  const config = JSON.parse(right.BULKHEAD_CAPTURE ?? '') as CaptureConfig
  const as = (changed: Partial<CaptureConfig>) =>
    world.run('shop/server', '', {
      command: [
        '/usr/bin/env',
        `BULKHEAD_CAPTURE=${JSON.stringify({ ...config, ...changed })}`,
        process.execPath,
        '--input-type=module',
        '--eval',
        code,
      ],
    })
  assert.match((await as({ secret: 'wrong' })).stdout, /^ECONNREFUSED \| .*does not know this process's secret/)
  assert.deepEqual(world.asked, [])
  // The name in the environment is what os.hostname() says, and nothing more.
  assert.match((await as({ pod: { name: 'server-5c4', ip: '10.244.1.20' } })).stdout, /^ENOTFOUND/)
  assert.deepEqual(
    world.asked.map(({ pod }) => pod),
    ['shop/client'],
  )
})

test('the run of a grant is told with each of its connects', async () => {
  const grant = world.capture.grant('shop/client', { run: 'exec-1' })
  const socket = agent()
  const { say, answer } = speak(socket)
  const { secret } = JSON.parse(grant.env.BULKHEAD_CAPTURE ?? '') as CaptureConfig
  say({ op: 'hello', secret, pid: 1 }, { op: 'dial', id: 1, host: 'Nowhere.Test.', port: 80 })
  assert.equal((await answer(1)).error, 'ENOTFOUND')
  assert.deepEqual(world.asked, [{ pod: 'shop/client', run: 'exec-1', host: 'nowhere.test', port: 80 }])
  socket.destroy()
})

test('who does not speak as the preload does is closed, and the others never notice', async () => {
  const secret = secretOf('shop/client')
  const hello = JSON.stringify({ op: 'hello', secret, pid: 1 })
  const lines = [
    'GET / HTTP/1.1',
    '{"op":"dial","id":1,"host":"server","port":80}',
    '{"op":"hello","secret":5,"pid":1}',
    'x'.repeat(200_000),
    `${hello}\n${hello}`,
    `${hello}\n{"op":"dial","id":-1,"host":"a","port":80}`,
    `${hello}\n{"op":"dial","id":1,"host":"a","port":65536}`,
    `${hello}\n{"op":"listen","id":1,"host":"","port":80,"socket":"../../../tmp/x","token":"${'a'.repeat(64)}"}`,
    `${hello}\n{"op":"constructor"}`,
    `${hello}\nnull`,
  ]
  for (const line of lines) {
    const socket = agent()
    socket.write(`${line}\n`)
    const heard = await all(socket)
    assert.ok(heard === '' || /"op":"refused"/.test(heard), `${line.slice(0, 80)}: ${heard}`)
  }
  assert.deepEqual(world.asked, [])
  const { stdout } = await world.run(
    'shop/client',
    `await fetch('http://nowhere.test').catch((e) => console.log(e.cause.code))`,
  )
  assert.equal(stdout, 'ENOTFOUND\n')
})

test('a slot serves the process that was given it, and no stranger', async () => {
  const carried: string[] = []
  world.table.set('there.test', (request) =>
    world.accept(({ stream }) => {
      carried.push(`port ${request.port}`)
      stream.end('for the pod')
    })(request),
  )
  const socket = agent()
  const { say, answer } = speak(socket)
  say({ op: 'hello', secret: secretOf('shop/client'), pid: 1 })
  const slotFor = async (id: number): Promise<string> => {
    say({ op: 'dial', id, host: 'there.test', port: id })
    return (await answer(id)).slot ?? assert.fail('no slot')
  }

  // The control, and with it: a used slot is nobody's.
  const first = await slotFor(1)
  const own = connect(first)
  say({ op: 'open', id: 1 })
  assert.equal(await all(own), 'for the pod')
  assert.equal(await all(connect(first)), '', 'an idle slot')

  // The stranger is first; both are closed, since nobody can tell them apart.
  const second = await slotFor(2)
  const stranger = connect(second)
  const strangers = all(stranger)
  await once(stranger, 'connect')
  const late = connect(second)
  const lates = all(late)
  await once(late, 'connect')
  say({ op: 'open', id: 2 })
  assert.deepEqual([await strangers, await lates], ['', ''])
  await eventually('one is given up', () => world.abandoned.length === 1)

  // The stranger alone is never carried, and the process that gives up takes it with it.
  const third = await slotFor(3)
  const lonely = connect(third)
  await once(lonely, 'connect')
  const heard = all(lonely)
  say({ op: 'gone', id: 3 })
  assert.equal(await heard, '')
  await eventually('the second is given up, too', () => world.abandoned.length === 2)

  assert.deepEqual(carried, ['port 1'])
  socket.destroy()
})

test('folders and sockets are private', () => {
  assert.equal(statSync(world.runDir).mode & 0o777, 0o700)
  assert.equal(statSync(join(world.runDir, 'c')).mode & 0o777, 0o700)
})

test('revoking a grant closes what was opened with it, and its secret is worthless', async () => {
  world.table.set(
    'long.test',
    world.accept(({ stream }) => void stream.write('open')),
  )
  const grant = world.capture.grant('shop/client', {})
  const other = world.capture.grant('shop/client', {})
  const start = (env: Readonly<Record<string, string>>) =>
    world.start('shop/client', '', {
      command: [
        '/usr/bin/env',
        `BULKHEAD_CAPTURE=${env.BULKHEAD_CAPTURE}`,
        process.execPath,
        '--input-type=module',
        '--eval',
        `import net from 'node:net'
         net.createServer().listen(8080)
         const again = () => net.connect(1, 'long.test').on('data', (d) => console.log('again', String(d))).on('error', (e) => console.log('again', e.code))
         net.connect(1, 'long.test').on('data', (d) => console.log(String(d))).on('close', again)`,
      ],
    })
  const one = start(grant.env)
  await one.says('open')
  await eventually('the client listens', () => world.capture.listening('shop/client').length === 1)
  const two = start(other.env)
  await two.ended
  assert.match(two.said(), /^$/, 'the port was taken, so it ended')
  grant.revoke()
  await one.says('again ECONNREFUSED')
  assert.deepEqual(world.capture.listening('shop/client'), [])
})

test('when the agent goes, what waits fails and what comes later fails, and says why', async (t) => {
  const mine = await makeWorld(t)
  mine.table.set('drop.test', { kind: 'drop' })
  const running = mine.start(
    'shop/client',
    `import dns from 'node:dns'
     import net from 'node:net'
     import tls from 'node:tls'
     const fail = (socket) => new Promise((r) => socket.on('error', (e) => r(e.code + ' ' + e.reason)))
     const waits = fail(net.connect(80, 'drop.test'))
     setTimeout(() => console.log('waits'), 10)
     console.log(JSON.stringify([
       await waits, await fail(net.connect(80, 'x.test')), await fail(tls.connect(80, 'x.test')), await fail(new tls.TLSSocket().connect(80, 'x.test')),
       await new Promise((r) => dns.lookup('x.test', (e) => r(e.code))), await fail(net.createServer().listen(80)),
     ]))`,
  )
  await running.says('waits')
  await eventually('it is asked for', () => mine.asked.length === 1)
  await mine.capture.close()
  const { stdout, stderr, code } = await running.ended
  assert.deepEqual([stderr, code], ['', 0])
  const gone = 'ECONNREFUSED the local data plane is gone; has "bulkhead up" ended?'
  assert.deepEqual(JSON.parse(stdout.split('\n')[1] ?? ''), [gone, gone, gone, gone, 'EAI_AGAIN', gone])
})

test('a pod that was removed is gone with all that it had; close leaves no socket behind', async (t) => {
  const mine = await makeWorld(t)
  const running = mine.start(
    'shop/client',
    `(await import('node:net')).createServer().listen(8080, () => console.log('up'))`,
  )
  await running.says('up')
  await assert.rejects(mine.capture.addPod({ key: 'shop/client', name: 'a', ip: '10.0.0.1' }), /already captured/)
  await mine.capture.removePod('shop/client')
  assert.deepEqual(mine.capture.listening('shop/client'), [])
  assert.throws(() => mine.capture.grant('shop/client', {}), /pod "shop\/client" is not captured/)
  await mine.reap()
  await mine.capture.close()
  assert.deepEqual(readdirSync(mine.runDir), [])
})

test('what a process leaves where its private socket was does not matter', async () => {
  const socket = agent()
  const { say, answer } = speak(socket)
  const name = 'labcdefghijkl'
  say(
    { op: 'hello', secret: secretOf('shop/client'), pid: 1 },
    { op: 'listen', id: 1, host: '', port: 7000, socket: name, token: 'a'.repeat(64) },
  )
  assert.equal((await answer(1)).port, 7000)
  const path = join(world.runDir, 'c', name)
  mkdirSync(join(path, 'full'), { recursive: true })
  socket.destroy()
  await eventually('the client listens no more', () => world.capture.listening('shop/client').length === 0)
  rmSync(path, { recursive: true })
})

test('a process that asks and never reads is cut off, and takes no more memory', async () => {
  const socket = agent()
  socket.pause()
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(`${JSON.stringify({ op: 'hello', secret: secretOf('shop/client'), pid: 1 })}\n`)
  // Answers are longer than questions here: the name is told back.
  const question = JSON.stringify({ op: 'resolve', id: 1, name: `${'x'.repeat(1_000)}` })
  const questions = Buffer.from(`${question}\n`.repeat(1_000))
  let asked = 0
  while (!socket.destroyed && asked < 400_000) {
    asked += 1_000
    const taken = socket.write(questions)
    if (!taken) await Promise.race([once(socket, 'drain'), closed]).catch(() => {})
  }
  socket.resume()
  await closed
  assert.ok(asked > 10_000 && asked < 400_000, `${asked} questions`)
})

test('one number is one connect: a second of the same number is refused', async () => {
  world.table.set('slow.test', { kind: 'drop' })
  const socket = agent()
  const { say, answer } = speak(socket)
  say(
    { op: 'hello', secret: secretOf('shop/client'), pid: 1 },
    { op: 'dial', id: 1, host: 'slow.test', port: 80 },
    { op: 'dial', id: 1, host: 'slow.test', port: 80 },
  )
  assert.equal((await answer(1)).error, 'EINVAL')
  assert.equal(world.asked.length, 1)
  socket.destroy()
})
