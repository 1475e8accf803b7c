// What capture costs: a connect with a one-byte echo, captured against a plain unix socket, in turns and with the same
// server process; and how much later a program starts for being captured. No mesh: the network behind it is a table.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeWorld } from '../packages/mesh/dist/capture/testing.js'

const CONNECTS = 2_000
const STARTS = 41

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const at = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-bench-'))
const world = await makeWorld()
const echo = createServer((socket) => socket.pipe(socket))
try {
  const path = join(folder, 'echo.sock')
  await new Promise((resolve) => echo.listen(path, resolve))
  world.table.set(
    'echo.test',
    world.accept(({ stream }) => stream.pipe(stream)),
  )
  // Outside of the world's folder, so the plain one is left alone by capture.
  const { stdout, stderr } = await world.run(
    'shop/client',
    `import net from 'node:net'
     const once = (options) => new Promise((resolve, reject) => {
       const start = process.hrtime.bigint()
       const socket = net.connect(options, () => socket.write('x'))
       socket.on('error', reject).once('data', () => { resolve(Number(process.hrtime.bigint() - start) / 1e3); socket.destroy() })
     })
     const plain = [], captured = []
     for (let i = 0; i < ${CONNECTS}; i++) {
       plain.push(await once({ path: ${JSON.stringify(path)} }))
       captured.push(await once({ host: 'echo.test', port: 7 }))
     }
     console.log(JSON.stringify({ plain: plain.slice(200), captured: captured.slice(200) }))`,
  )
  if (stdout === '') throw new Error(stderr)
  const times = JSON.parse(stdout)
  for (const [name, values] of Object.entries(times))
    console.log(
      `connect and one byte back, ${name}: p50 ${median(values).toFixed(0)} us, p99 ${at(values, 0.99).toFixed(0)} us`,
    )
  console.log(`capture adds: p50 ${(median(times.captured) - median(times.plain)).toFixed(0)} us`)

  const { env } = world.capture.grant('shop/client', {})
  const { NODE_OPTIONS: _, ...clean } = process.env
  const programs = { 'an empty program': '', 'a program that loads http and https': `require('http');require('https')` }
  for (const [name, code] of Object.entries(programs)) {
    const file = join(folder, 'program.cjs')
    writeFileSync(file, code)
    const times = { plain: [], captured: [] }
    for (let i = 0; i < STARTS; i++)
      for (const [kind, list] of Object.entries(times)) {
        const start = performance.now()
        spawnSync(process.execPath, [file], { env: kind === 'plain' ? clean : { ...clean, ...env } })
        list.push(performance.now() - start)
      }
    const [plain, captured] = [median(times.plain), median(times.captured)]
    console.log(
      `start of ${name}: ${plain.toFixed(1)} ms, captured ${captured.toFixed(1)} ms (+${(captured - plain).toFixed(1)})`,
    )
  }
} finally {
  echo.close()
  await world.close()
  rmSync(folder, { recursive: true })
}
