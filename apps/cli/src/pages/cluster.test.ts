import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { causeOf, knownCauses, type PinnedTool, readPins, type Step, wantedVersion } from '@bulkhead/kind-cluster'
import { repository } from '../golden.js'
import { runCli } from '../testing.js'

const page = readFileSync(path.join(repository, 'docs/cluster.md'), 'utf8')

/** What stands between two comments of the page. */
function part(name: string): string {
  const found = new RegExp(`begin: ${name} -->\\n([\\s\\S]*?)<!-- end: ${name} -->`).exec(page)
  return found?.[1] ?? assert.fail(`docs/cluster.md has no part "${name}"`)
}

const rowsOf = (name: string): readonly (readonly string[])[] =>
  part(name)
    .split('\n')
    .slice(2)
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim().replace(/`/g, '')),
    )

describe('docs/cluster.md', () => {
  it('asks for the tools that are pinned, in the versions that are', () => {
    const pins = readPins(repository)
    const told = rowsOf('tools').map(([tool, least, pinned]) => [tool, least, pinned])
    const wanted = (Object.keys(pins.tools) as PinnedTool[]).map((tool) => [
      tool,
      pins.tools[tool].least,
      wantedVersion(pins, tool) ?? '',
    ])
    assert.deepEqual(told, wanted)
  })

  it('tells the parts of the plan, with the numbers of their steps and the longest limit', async () => {
    const { stdout, code } = await runCli(['cluster', 'up', '--plan', '--json'], { cwd: repository })
    assert.equal(code, 0)
    const { steps } = JSON.parse(stdout) as { readonly steps: readonly Step[] }
    const parts = [...new Set(steps.map((step) => step.part))]
    const told = rowsOf('plan').map(([, numbers, , limit]) => [numbers, limit])
    const wanted = parts.map((name) => {
      const numbers = steps.flatMap((step, index) => (step.part === name ? [index + 1] : []))
      const [first, last] = [numbers[0], numbers.at(-1)]
      const limits = steps
        .filter((step) => step.part === name)
        .flatMap(({ actions }) => actions.map(({ command }) => command.timeoutMs ?? 0))
      return [first === last ? `${first}` : `${first} to ${last}`, `${Math.floor(Math.max(...limits) / 60_000)} min`]
    })
    assert.deepEqual(told, wanted)
  })

  it('knows each failure of its table by the words that stand there, and leaves out none that is known', () => {
    const found = rowsOf('causes').map(([words = '']) => {
      const { id } = causeOf(words, 'linux') ?? assert.fail(`${words} is known as nothing`)
      return id
    })
    assert.deepEqual(found.toSorted(), knownCauses.map(({ id }) => id).toSorted())
  })

  it('shows how a step is told, with titles and waits of the plan', async () => {
    const { stdout } = await runCli(['cluster', 'up', '--plan', '--json'], { cwd: repository })
    const { steps } = JSON.parse(stdout) as { readonly steps: readonly Step[] }
    const waits = steps.flatMap(({ actions }) => actions.flatMap((one) => (one.kind === 'wait' ? one.until : [])))
    const told = part('progress').trim().split('\n').slice(1, -1)
    for (const line of told.filter((one) => /^ *\d/.test(one))) {
      const [, number, of, title] = /^ *(\d+)\/(\d+) {2}\d\d:\d\d {2}(.*?)(?:: it is there already)?$/.exec(line) ?? []
      assert.deepEqual([Number(of), title], [steps.length, steps[Number(number) - 1]?.title], line)
    }
    for (const [, wait = ''] of told.join('\n').matchAll(/waiting until ([^;\n]*)/g))
      assert.ok(waits.includes(wait), wait)
  })

  it('shows lines of a report that is really written so', () => {
    const report = readFileSync(path.join(repository, 'packages/scenarios/fixtures/cluster/verify.txt'), 'utf8')
    const written = new Set(report.split('\n'))
    const shown = part('report')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('```'))
    assert.ok(shown.length > 10)
    for (const line of shown) assert.ok(written.has(line), line)
  })
})
