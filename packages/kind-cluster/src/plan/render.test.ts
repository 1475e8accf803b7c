import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { readPins } from '../pins.js'
import { placeOf } from '../place.js'
import { renderPlan } from './render.js'
import { root } from './testing.js'
import { upPlan } from './up.js'
import { readFacts } from './workloads.js'

const place = placeOf(root, join(root, '.bulkhead'))
const plan = upPlan({ place, pins: readPins(root), platform: 'linux/amd64', facts: await readFacts(root) })
const text = renderPlan(plan, root, { before: ['Before.'], after: ['After.'] })

/** The lines to type: indented by eight, and what goes on in the next one. */
const typed = text
  .split('\n')
  .filter((line) => line.startsWith('        '))
  .join('\n')

test('a shell takes every line for the command that is run, word by word', () => {
  const names = ['docker', 'kind', 'kubectl', 'helm', 'npx', 'rm']
  // Each program only says what it was given; one that reads a pipe as well.
  const functions = names.map((name) => `${name}() { printf '%s\\t' ${name} "$@"; echo; }`).join('\n')
  const said = execFileSync('/bin/sh', ['-c', `${functions}\n${typed}`], { encoding: 'utf8', cwd: root })
  const lines = said
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/\t$/, '').split('\t'))
  const actions = plan.steps.flatMap(({ actions: some, cleanup, temporary = [] }) => [
    ...some.map(({ command }) => command),
    ...temporary.map((file) => ({ tool: 'rm', args: ['-f', file] })),
    ...(cleanup ? [cleanup] : []),
  ])
  const wanted = actions.map(({ tool, args }) =>
    (tool === 'node' ? ['npx', 'bulkhead', ...args.slice(1)] : [tool, ...args]).map((word) =>
      word.startsWith(`${root}/`) ? word.slice(root.length + 1) : word,
    ),
  )
  assert.deepEqual(lines, wanted)
})

test('it is no wider than it is easy to read, has no path of this machine, and numbers every step', () => {
  for (const line of text.split('\n')) assert.ok(line.length <= 122, line)
  assert.ok(!text.includes(root))
  for (const [index, { title, why }] of plan.steps.entries()) {
    assert.ok(text.includes(`${String(index + 1).padStart(2)}. ${title}\n`), title)
    assert.ok(text.replaceAll(/\n +/g, ' ').includes(why), title)
  }
  assert.match(text, /^Before\.\n.*\nAfter\.\n$/s)
})
