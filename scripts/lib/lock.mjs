import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Failure, fileProblem } from './failure.mjs'

const patience = 10 * 60_000

/**
 * Does the work while no other process of this clone does it: `npm start` in one terminal and `npm test` in another
 * must not both remove node_modules. The lock names its holder, so that one left by a killed process is not obeyed.
 */
export async function exclusively(root, work, stream = process.stderr) {
  const file = path.join(root, '.bulkhead', 'setup.lock')
  await take(file, stream)
  const release = () => rmSync(file, { force: true })
  process.once('exit', release)
  try {
    return await work()
  } finally {
    process.removeListener('exit', release)
    release()
  }
}

async function take(file, stream) {
  const deadline = Date.now() + patience
  let told = false
  for (;;) {
    try {
      mkdirSync(path.dirname(file), { recursive: true })
      writeFileSync(file, `${process.pid}\n`, { flag: 'wx' })
      return
    } catch (error) {
      if (error.code !== 'EEXIST') throw fileProblem(error, path.dirname(file)) ?? error
    }
    const holder = holderOf(file)
    if (holder === 'released') continue
    if (holder === 'gone') {
      rmSync(file, { force: true })
      continue
    }
    if (!told) stream.write(`Another set-up of this clone is running (process ${holder}); waiting for it.\n`)
    told = true
    if (Date.now() > deadline)
      throw new Failure(`The other set-up (process ${holder}) did not end. If it is stuck, end it and remove ${file}.`)
    await wait(200)
  }
}

/** The process that holds the lock; `gone` when it has ended without letting go. */
function holderOf(file) {
  let pid
  try {
    pid = Number.parseInt(readFileSync(file, 'utf8'), 10)
  } catch {
    return 'released'
  }
  // Just created and not written yet: somebody's.
  if (Number.isNaN(pid)) return 'unknown'
  try {
    process.kill(pid, 0)
    return pid
  } catch (error) {
    return error.code === 'EPERM' ? pid : 'gone'
  }
}
