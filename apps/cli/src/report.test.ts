import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import type { Report } from '@bulkhead/scenarios'
import { temporaryFolder } from '@bulkhead/testing'
import { typedFor } from './given.js'
import { repository } from './golden.js'
import type { Io } from './io.js'
import { shellWord } from './places.js'
import { isKept, planReport, printReport } from './report.js'

const report: Report = { target: 'kind', layers: [], results: [], durationMs: 1 }
const text = ({ target }: Report): string => `text of ${target}\n`

function io(cwd: string): { readonly io: Io; stdout(): string; stderr(): string } {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const all: Io = {
    stdin: new PassThrough(),
    stdout,
    stderr,
    cwd,
    env: {},
    colour: false,
    signal: new AbortController().signal,
    exit() {},
  }
  const read = (stream: PassThrough): string => String(stream.read() ?? '')
  return { io: all, stdout: () => read(stdout), stderr: () => read(stderr) }
}

test('one run gives as many reports as are asked for, and text for whoever waits', async (t) => {
  const cwd = temporaryFolder(t)
  const said = io(cwd)
  const plan = planReport(said.io, { output: ['a.html', 'a.xml', 'a.json', 'a.txt'] })
  await printReport(said.io, plan, report, text)
  const read = (file: string): string => readFileSync(path.join(cwd, file), 'utf8')
  assert.match(read('a.html'), /^<!doctype html>/)
  assert.match(read('a.xml'), /^<\?xml /)
  assert.equal((JSON.parse(read('a.json')) as Report).target, 'kind')
  assert.equal(read('a.txt'), 'text of kind\n')
  assert.equal(said.stdout(), 'text of kind\n')
  assert.equal(said.stderr(), ['a.html', 'a.xml', 'a.json', 'a.txt'].map((file) => `report: ${file}\n`).join(''))
})

test('when it was made is in every form that is kept, and the text stays as it is', async (t) => {
  const cwd = temporaryFolder(t)
  const said = io(cwd)
  const plan = planReport(said.io, { output: ['a.html', 'a.xml', 'a.json', 'a.txt'] })
  const startedAt = '2026-11-22T04:00:00.000Z'
  await printReport(said.io, plan, report, text, { startedAt })
  for (const file of ['a.html', 'a.xml', 'a.json']) {
    assert.ok(readFileSync(path.join(cwd, file), 'utf8').includes(startedAt), file)
  }
  assert.equal(readFileSync(path.join(cwd, 'a.txt'), 'utf8') + said.stdout(), 'text of kind\n'.repeat(2))
  assert.deepEqual([isKept(plan), isKept(planReport(said.io, {}))], [true, false])
})

test('what is to be typed means the folder that was given, in each form as that is written', async (t) => {
  const cwd = temporaryFolder(t)
  const said = io(cwd)
  const state = `it's "here"`
  const typed = await typedFor(io(repository).io, { state })
  const layers = [{ name: 'off; npx bulkhead cluster status', on: false, objects: 1 }]
  const plan = planReport(said.io, { output: ['a.html', 'a.json'] })
  await printReport(said.io, plan, { ...report, layers }, () => 'npx bulkhead layer --on kind\n', undefined, typed)
  const given = ` --state ${shellWord(path.join(path.resolve(repository), state))}`
  assert.equal(said.stdout(), `npx bulkhead layer --on kind${given}\n`)
  const read: Report = JSON.parse(readFileSync(path.join(cwd, 'a.json'), 'utf8'))
  assert.equal(read.layers[0]?.name, `off; npx bulkhead cluster status${given}`)
  assert.match(readFileSync(path.join(cwd, 'a.html'), 'utf8'), /cluster status --state &#39;[^<>"']*&#34;here&#34;/)
})

for (const [options, begins] of [
  [{}, 'text of kind'],
  [{ json: true }, '{'],
  [{ format: 'json' }, '{'],
  [{ format: 'junit' }, '<?xml'],
  [{ format: 'html' }, '<!doctype'],
  [{ json: true, output: ['a.xml'] }, '{'],
  [{ format: 'html', output: ['a'] }, 'text of kind'],
] as const) {
  test(`stdout has what ${JSON.stringify(options)} asks for`, async (t) => {
    const said = io(temporaryFolder(t))
    await printReport(said.io, planReport(said.io, options), report, text)
    assert.ok(said.stdout().startsWith(begins))
  })
}

test('a file that cannot be written is told, and not taken for written', async (t) => {
  const cwd = temporaryFolder(t)
  const said = io(cwd)
  const plan = planReport(said.io, { output: ['a.xml'] })
  mkdirSync(path.join(cwd, 'a.xml'))
  await assert.rejects(printReport(said.io, plan, report, text), /the report could not be written to "a\.xml"/)
})
