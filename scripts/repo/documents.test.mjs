import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { wronglyTyped } from './commands.mjs'
import { inRoot, packages, text, writtenFiles } from './repository.mjs'

const pages = writtenFiles().filter((file) => file.endsWith('.md') && !file.includes('fixtures'))
const compiled = (file) => import(pathToFileURL(inRoot(file)).href)

/** A heading's anchor, as the usual renderers make it. */
const anchorOf = (heading) =>
  heading
    .replace(/[`*_]|\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')

const withoutCode = (markdown) => markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, '')

test('every link between pages leads somewhere', () => {
  assert.ok(pages.length > 5)
  for (const page of pages) {
    for (const [, target] of withoutCode(text(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [file, anchor] = target.split('#')
      const linked = file === '' ? page : path.join(path.dirname(page), decodeURIComponent(file))
      assert.ok(existsSync(inRoot(linked)), `${page} links to ${target}`)
      if (anchor && linked.endsWith('.md')) {
        const anchors = [...text(linked).matchAll(/^#+\s+(.*)$/gm)].map(([, heading]) => anchorOf(heading))
        assert.ok(anchors.includes(anchor), `${page} links to ${target}; ${linked} has ${anchors.join(', ')}`)
      }
    }
  }
})

test('every command that the pages type exists', async () => {
  const scripts = JSON.parse(text('package.json')).scripts
  let seen = 0
  // The manifests say how to prove what they do.
  const manifests = writtenFiles().filter((file) => /^k8s[/\\].*\.yaml$/.test(file))
  assert.ok(manifests.some((file) => /^# Prove it {3}npx bulkhead explain /m.test(text(file))))
  for (const page of [...pages, ...manifests]) {
    const content = text(page)
    const { typed, mistakes } = await wronglyTyped(content)
    assert.deepEqual(mistakes, [], page)
    seen += typed
    for (const [, name] of content.matchAll(/\bnpm run ([a-z:]+)/g)) {
      assert.ok(name in scripts, `${page} types \`npm run ${name}\``)
    }
    assert.doesNotMatch(content, /npx --no-install/, `${page}: one way to say it everywhere`)
  }
  assert.ok(seen > 5)
})

test('the README shows the two commands on its first screen', () => {
  const screen = text('README.md').split('\n').slice(0, 45).join('\n')
  assert.match(screen, /npm start/)
  assert.match(screen, /npm test/)
  assert.match(screen, /npx bulkhead attack/)
})

/** The first column of a page's tables, where it is code. */
const tableCodes = (markdown) => [...markdown.matchAll(/^\| `([a-z0-9.-]+)` \|/gm)].map(([, code]) => code)

test('docs/reasons.md says every reason code and every symptom, and no other', async () => {
  const { reasonCodes } = await compiled('packages/verdict/dist/reasons.js')
  const { symptoms } = await compiled('packages/verdict/dist/symptoms.js')
  const [reasons, seen] = text('docs/reasons.md').split(/^## Symptoms$/m)
  assert.deepEqual(tableCodes(reasons).sort(), [...reasonCodes].sort())
  assert.deepEqual(tableCodes(seen ?? '').sort(), Object.keys(symptoms).sort())
})

test("docs/reasons.md gives each symptom curl's exit status as the engine has it", async () => {
  const { symptoms } = await compiled('packages/verdict/dist/symptoms.js')
  const rows = new Map(
    [
      ...text('docs/reasons.md')
        .split(/^## Symptoms$/m)[1]
        .matchAll(/^\| `([a-z0-9-]+)` \| ([^|]*) \|/gm),
    ].map(([, name, curl]) => [name, curl]),
  )
  for (const [name, { curl }] of Object.entries(symptoms)) assert.equal(rows.get(name), curl.join(', ') || '-', name)
})

test('every decision has a page that says why, what not, and is listed', () => {
  const folder = 'docs/decisions'
  const decisions = pages.filter((page) => page.startsWith(folder) && /\d{4}-/.test(page))
  assert.ok(decisions.length > 5)
  const index = text(`${folder}/README.md`)
  for (const page of decisions) {
    for (const heading of ['Context', 'Decision', 'Non-goals'])
      assert.match(text(page), new RegExp(`^## ${heading}$`, 'm'), page)
    assert.ok(index.includes(path.basename(page)), `${page} is not in ${folder}/README.md`)
  }
})

test('every dependency of every package is explained by a decision', () => {
  const decisions = pages.filter((page) => page.startsWith('docs/decisions') && /\d{4}-/.test(page)).map(text)
  const said = (name) => new RegExp(`(?<![\\w@/.-])${name.replace(/[.]/g, '\\.')}(?![\\w/-])`, 'i')
  const roots = [{ folder: '.', json: JSON.parse(text('package.json')) }, ...packages]
  let seen = 0
  for (const { folder, json } of roots) {
    for (const name of Object.keys({ ...json.dependencies, ...json.devDependencies, ...json.optionalDependencies })) {
      if (name.startsWith('@bulkhead/')) continue
      seen += 1
      assert.ok(
        decisions.some((page) => said(name).test(page)),
        `${folder}/package.json names ${name}, and no page in docs/decisions says why`,
      )
    }
  }
  assert.ok(seen > 20)
})

test('scenarios/README.md explains every field of a scenario, and no other', async () => {
  const { scenarioSchema } = await compiled('packages/scenarios/dist/schema.js')
  const firstCells = [...text('scenarios/README.md').matchAll(/^\| ([^|]*) \|/gm)].map(([, cell]) => cell)
  const said = firstCells.flatMap((cell) => [...cell.matchAll(/`([a-z]+)`/g)].map(([, name]) => name))
  assert.deepEqual(said.sort(), Object.keys(scenarioSchema.shape).sort())
})
