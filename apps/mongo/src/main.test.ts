import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cleanUp, temporaryFolder } from '@bulkhead/testing'
import { MongoClient } from 'mongodb'

const main = fileURLToPath(new URL('./main.js', import.meta.url))

interface Running {
  readonly process: ChildProcess
  readonly exited: Promise<number | null>
  readonly said: () => string
  /** What the expression finds in what it has said, once it does. */
  readonly saying: (expression: RegExp) => Promise<string>
}

function run(t: TestContext, env: Record<string, string>, argv: readonly string[] = ['mongod']): Running {
  const child = spawn(process.execPath, [main, ...argv], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  const waiting: (() => void)[] = []
  const wake = (): void => {
    for (const resolve of waiting.splice(0)) resolve()
  }
  child.stderr?.on('data', (data: Buffer) => {
    said += data.toString()
    wake()
  })
  child.on('close', wake)
  const exited = once(child, 'close').then(([code]) => code as number | null)
  cleanUp(t, () => {
    child.kill('SIGKILL')
    return exited
  })
  const saying = async (expression: RegExp): Promise<string> => {
    for (;;) {
      const found = expression.exec(said)?.[1]
      if (found !== undefined) return found
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it has ended: ${said}`)
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
  }
  return { process: child, exited, said: () => said, saying }
}

const root = { MONGO_INITDB_ROOT_USERNAME: 'root', MONGO_INITDB_ROOT_PASSWORD: 'not to be told' }

async function connect(t: TestContext, { saying }: Running, password = root.MONGO_INITDB_ROOT_PASSWORD) {
  const port = await saying(/listening on 127\.0\.0\.1:(\d+)/)
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true&serverSelectionTimeoutMS=2000`, {
    auth: { username: 'root', password },
  })
  cleanUp(t, () => client.close())
  return client
}

test('it plays the image: asks for the password, is a replica set once it is begun, and keeps its data, killed or stopped', async (t) => {
  const env = { ...root, MONGO_DBPATH: temporaryFolder(t) }
  // Its key file would be in a volume, which is not where it is mounted.
  const argv = [
    'mongod',
    '--replSet',
    'rs0',
    '--keyFile',
    '/etc/mongodb/key/keyfile',
    '--bind_ip',
    '127.0.0.1',
    '--port',
    '0',
  ]
  const first = run(t, env, argv)
  await assert.rejects((await connect(t, first, 'wrong')).db('a').command({ ping: 1 }), { code: 18 })
  const client = await connect(t, first)
  await assert.rejects(client.db('admin').command({ replSetGetStatus: 1 }), { code: 94 })
  await client.db('admin').command({ replSetInitiate: { _id: 'rs0', members: [{ _id: 0, host: '127.0.0.1:27017' }] } })
  await client.withSession((session) =>
    session.withTransaction(() => client.db('a').collection('b').insertOne({ n: 1 }, { session })),
  )
  first.process.kill('SIGKILL')
  await first.exited

  const second = run(t, env, argv)
  const again = await connect(t, second)
  assert.deepEqual(
    (await again.db('a').collection('b').find().toArray()).map(({ n }) => n),
    [1],
  )
  await again.db('a').collection('b').insertOne({ n: 2 })
  second.process.kill('SIGTERM')
  assert.equal(await second.exited, 0, second.said())

  const third = run(t, env, argv)
  const last = await connect(t, third)
  assert.deepEqual(
    (await last.db('a').collection('b').find().toArray()).map(({ n }) => n),
    [1, 2],
  )
  assert.doesNotMatch(first.said() + second.said() + third.said(), /not to be told/)
})

test('settings that are wrong end it with 78 and one line that says what to do', async (t) => {
  const { exited, said } = run(t, {})
  assert.equal(await exited, 78)
  assert.match(
    said(),
    /^mongo: there is no root user: set MONGO_INITDB_ROOT_USERNAME and MONGO_INITDB_ROOT_PASSWORD.*\n$/,
  )
})

test('a folder that another one has ends it with 1 and a line that says so', async (t) => {
  const env = { ...root, MONGO_DBPATH: temporaryFolder(t) }
  const argv = ['mongod', '--bind_ip', '127.0.0.1', '--port', '0']
  await connect(t, run(t, env, argv))
  const { exited, said } = run(t, env, argv)
  assert.equal(await exited, 1)
  assert.match(said(), /^mongo: .*bh t-.*/)
})
