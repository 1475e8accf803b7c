import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { type Lab, type LabStep, languages, loadLabs } from '@bulkhead/labs'
import { root } from '../target/testing.js'
import { runCli } from '../testing.js'

const pages = (await Promise.all(languages.map((language) => loadLabs(root, language)))).flat()
const numberOf = ({ heading }: LabStep): string | undefined => /^(\d+)\./.exec(heading)?.[1]
/** Where something is typed, or looked at. */
const isDone = ({ commands, check }: LabStep): boolean => commands.length > 0 || check !== undefined

test('each step of each page says what is different on a cluster, or is named where nothing is', () => {
  for (const { file, steps, onCluster } of pages) {
    assert.ok(onCluster !== undefined, `${file} says before its first step how it is done on a cluster`)
    assert.match(onCluster.text, /README\.md#on-a-cluster/, file)
    const same = new Set(onCluster.same)
    for (const step of steps.filter(isDone)) {
      const isNamed = same.delete(numberOf(step) ?? '')
      const told = `${file}:${step.line}: ${step.heading}`
      assert.ok(isNamed || step.onCluster !== undefined, `${told} says nothing of a cluster, and is not named`)
      assert.ok(!isNamed || step.onCluster === undefined, `${told} is named, and has a note of its own`)
    }
    assert.deepEqual([...same], [], `${file} names steps that are not there`)
  }
})

test('the pages of a lab say it of the same steps, whatever their language', () => {
  const english = pages.filter(({ language }) => language === 'en')
  for (const page of pages) {
    const original = english.find(({ id }) => id === page.id) ?? assert.fail(page.file)
    assert.deepEqual(noted(page), noted(original), page.file)
    assert.deepEqual(typed(page), typed(original), `${page.file}: what is typed on a cluster`)
  }
})

const noted = ({ onCluster, steps }: Lab) => [onCluster?.same, ...steps.map((step) => step.onCluster !== undefined)]

/** What is typed on a cluster, step by step, without its comments. */
const typed = ({ steps }: Lab): readonly (readonly string[])[] =>
  steps.map(({ prose }) => blocksOf(prose).map((line) => line.replace(/\s+#.*$/, '')))

/** Lines of the blocks under "The same on a real cluster". */
function blocksOf(prose: string): readonly string[] {
  const folded = [...prose.matchAll(/<details>[\s\S]*?<\/details>/g)].map(([text]) => text).join('\n')
  return [...folded.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, text = '']) => text.trimEnd().split('\n'))
}

/** Every command line that a page shows for a cluster: of the blocks, and in the notes' words. */
const linesOf = ({ onCluster, steps }: Lab): readonly string[] => [
  ...steps.flatMap(({ prose }) => blocksOf(prose)),
  ...[onCluster?.text ?? '', ...steps.map((step) => step.onCluster ?? '')].flatMap((note) =>
    [...note.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code),
  ),
]
const lines = [...new Set(pages.flatMap(linesOf))]

test('the files and folders that they name are there', () => {
  const named = lines.flatMap((line) => line.match(/(?<![\w~/.-])(?:k8s|docs)\/[\w./-]+/g) ?? [])
  assert.ok(named.length > 50, String(named.length))
  for (const file of named.filter((one) => !one.endsWith('/')))
    assert.ok(existsSync(path.join(root, file)), `${file} is not there`)
})

test('the commands of Bulkhead that they name have those options, layers and scenarios', async () => {
  const asked = lines.flatMap((line) => line.match(/npx bulkhead [^;|&]*/g) ?? [])
  assert.ok(asked.length > 30, String(asked.length))
  const help = new Map<string, string>()
  for (const line of asked) {
    const [, , name = '', ...args] = line.trim().split(/\s+/)
    if (!help.has(name)) help.set(name, (await runCli([name, '--help'])).stdout)
    const known = help.get(name) ?? ''
    assert.match(known, new RegExp(`^Usage: bulkhead ${name} `), line)
    for (const option of args.filter((arg) => /^--[a-z]/.test(arg))) assert.ok(known.includes(` ${option}`), line)
    if (line.includes('--on ')) assert.match(line, /--on kind\b/, line)
    const [change, layer = ''] = args
    if (name === 'layer' && change !== '--on' && !layer.startsWith('$'))
      assert.ok(existsSync(path.join(root, 'k8s/layers', layer)), line)
    for (const id of name === 'attack' ? args.filter((arg) => /^[a-z]/.test(arg) && arg !== 'kind') : [])
      assert.ok(existsSync(path.join(root, 'scenarios', `${id}.yaml`)), `${line}: ${id}`)
  }
})

const callOf = /\bat ([a-z-]+\/[a-z-]+(?:\/[a-z-]+)?) (curl|nslookup|nc)\b([^;|<]*)/g

test('who calls by its own Node.js is a workload of ours, or what the lab has made', () => {
  let seen = 0
  for (const page of pages) {
    const own = path.dirname(path.join(root, page.file))
    const made = readdirSync(own).filter((file) => /^(worker-app|new-team)\.(yaml|json)$/.test(file))
    for (const line of linesOf(page))
      for (const [, caller = ''] of line.matchAll(callOf)) {
        seen += 1
        const [namespace = '', ...rest] = caller.split('/')
        const name = rest.at(-1) ?? ''
        const files = ['', 'gthulhu-']
          .map((prefix) => path.join(root, 'k8s/workloads', namespace, `${name.slice(prefix.length)}.yaml`))
          .concat(made.map((file) => path.join(own, file)))
        const named = new RegExp(`^ *"?name"?: "?${name}"?,?$`, 'm')
        const isThere = files.some((file) => existsSync(file) && named.test(readFileSync(file, 'utf8')))
        assert.ok(isThere, `${page.file}: ${line}`)
      }
  }
  assert.ok(seen > 80, String(seen))
})

test('its calls have only options that at.mjs knows', () => {
  const program = readFileSync(path.join(root, 'docs/labs/at.mjs'), 'utf8')
  const known = (name: string): string =>
    [...program.matchAll(new RegExp(`^const (?:flags|values) = .*\\b${name}: '([A-Za-z]*)'`, 'gm'))]
      .map(([, letters]) => letters)
      .join('')
  let seen = 0
  for (const line of lines)
    for (const [, , name = '', typed = ''] of line.matchAll(callOf)) {
      const options = typed.replace(/'[^']*'|"[^"]*"|#.*/g, '').match(/(?<=\s)-[\w-]*/g) ?? []
      for (const option of options) {
        seen += 1
        if (option.startsWith('--')) assert.ok(program.includes(`'${option}':`), line)
        else if (option !== '-') for (const letter of option.slice(1)) assert.ok(known(name).includes(letter), line)
      }
    }
  assert.ok(seen > 50, String(seen))
})
