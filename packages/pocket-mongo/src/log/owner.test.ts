import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { openStore } from '../store/open.js'

/** Says `ready`; takes the folder when it is told to, and says how that went; ends when its input does. */
const taker = (folder: string): string => `
  import { createInterface } from 'node:readline'
  import { takeFolder } from ${JSON.stringify(new URL('./owner.js', import.meta.url).href)}
  console.log('ready')
  let giveBack = () => {}
  for await (const _ of createInterface({ input: process.stdin })) {
    try {
      giveBack = takeFolder(${JSON.stringify(folder)})
      console.log('taken')
    } catch (error) {
      console.log(error.message)
    }
  }
  giveBack()
`

test('of several who find the folder of a dead owner at once, one has it', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'owner'), JSON.stringify({ pid: process.ppid, started: 'long ago', token: 'x' }))
  const children = Array.from({ length: 4 }, () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', taker(folder)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    return {
      child,
      exited: once(child, 'exit'),
      lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](),
    }
  })
  const say = async (): Promise<readonly string[]> =>
    (await Promise.all(children.map(({ lines }) => lines.next()))).map(({ value }) => String(value))
  assert.deepEqual(await say(), ['ready', 'ready', 'ready', 'ready'])
  for (const { child } of children) child.stdin.write('now\n')
  const said = await say()
  assert.equal(said.filter((line) => line === 'taken').length, 1, said.join('\n'))
  assert.equal(said.filter((line) => line.includes('is in use: process')).length, 3, said.join('\n'))
  for (const { child } of children) child.stdin.end()
  await Promise.all(children.map(({ exited }) => exited))
  assert.deepEqual(readdirSync(folder), [])
})

test('a folder that cannot be made is told with the reason', async (t) => {
  const file = join(temporaryFolder(t), 'file')
  writeFileSync(file, '')
  await assert.rejects(
    openStore({ dataDir: join(file, 'data') }),
    /the data folder ".*data" cannot be made \(ENOTDIR\)/,
  )
})
