// The direction of the packages, as ARCHITECTURE.md draws it: this test reads the drawing.
import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { filesBelow } from '../lib/workspaces.mjs'
import { importsOf, inRoot, packageOf, packages, root, sources, text } from './repository.mjs'

/** Tests, and what only tests use. */
const isTest = (file) => /\.test\.ts$|(^|[/\\])(testing|golden)([/\\]|\.ts$)/.test(file)
const isScript = (file) => /\.[cm]?js$/.test(file)
const byName = new Map(packages.map((one) => [one.name, one]))

/** `a → {b, c}` means that b and c may use a, and whatever a may use. */
function arrows() {
  const paragraph = /## The packages\n\n([\s\S]*?)\n\n/.exec(text('ARCHITECTURE.md'))?.[1] ?? ''
  const uses = new Map()
  for (const [, drawing] of paragraph.matchAll(/`([^`]*→[^`]*)`/g)) {
    const stages = drawing.split('→').map((stage) => stage.replace(/[{}\s]/g, '').split(','))
    for (let i = 1; i < stages.length; i += 1) {
      for (const user of stages[i]) uses.set(user, [...(uses.get(user) ?? []), ...stages[i - 1]])
    }
  }
  return uses
}

function allowed(short, uses, seen = new Set()) {
  for (const used of uses.get(short) ?? []) {
    if (seen.has(used)) continue
    seen.add(used)
    allowed(used, uses, seen)
  }
  return seen
}

const uses = arrows()

test('the drawing names every package that exists, and no other', () => {
  const drawn = new Set([...uses.keys(), ...[...uses.values()].flat()])
  assert.deepEqual([...drawn].sort(), packages.map((one) => one.short).sort())
})

for (const one of packages) {
  test(`${one.folder} points only the way that the arrows do`, () => {
    const may = allowed(one.short, uses)
    assert.ok(!may.has(one.short), 'the arrows run in a circle')
    const declared = Object.keys({ ...one.json.dependencies, ...one.json.devDependencies })
    const imported = sources(one).flatMap((file) =>
      importsOf(text(path.join(one.folder, file))).map(({ from }) => ({ file, from, name: packageOf(from) })),
    )
    for (const name of declared) {
      const used = byName.get(name)
      if (used) assert.ok(may.has(used.short), `package.json of ${one.folder} names ${name}`)
    }
    for (const { file, from, name } of imported) {
      const used = byName.get(name)
      if (used && used !== one) assert.ok(may.has(used.short), `${one.folder}/${file} imports ${name}`)
      if (used) assert.equal(used.isApp, false, `${one.folder}/${file} imports an app`)
      // A way round the package's exports, and round this test.
      if (from.startsWith('.')) {
        const target = path.join(path.dirname(file), from)
        assert.ok(target.startsWith(`src${path.sep}`), `${one.folder}/${file} imports ${from}, which is not its own`)
      }
    }
  })

  test(`${one.folder} declares every package that it imports`, () => {
    const own = new Set(Object.keys(one.json.dependencies ?? {}))
    // fast-check and the types of Node are the root's, for every test.
    const forTests = new Set([...own, ...Object.keys(one.json.devDependencies ?? {}), 'fast-check'])
    for (const file of sources(one)) {
      for (const { from, typeOnly } of importsOf(text(path.join(one.folder, file)))) {
        const name = packageOf(from)
        if (name === undefined) continue
        // With its folder: all of packages/testing is only tests'.
        const declared = isTest(path.join(one.folder, file)) || typeOnly ? forTests : own
        assert.ok(declared.has(name), `${one.folder}/${file} imports ${from}; \`npm install -w ${one.folder} ${name}\``)
      }
    }
  })

  test(`${one.folder} declares no package that it has no use for`, () => {
    const scripts = filesBelow(inRoot(one.folder), new Set(['node_modules', 'dist', 'src', 'fixtures']))
    const code = [...sources(one).map((file) => inRoot(one.folder, file)), ...scripts.filter(isScript)]
      .map((file) => text(path.relative(root, file)))
      .join('\n')
    for (const name of Object.keys({ ...one.json.dependencies, ...one.json.devDependencies })) {
      // Also where it is loaded by a name that is put together. Types are of the package that they are for.
      const named = ["'", '"', '`'].some((quote) =>
        [quote, '/'].some((end) => code.includes(`${quote}${name.replace(/^@types\//, '')}${end}`)),
      )
      assert.ok(named, `nothing in ${one.folder} imports ${name}; \`npm uninstall -w ${one.folder} ${name}\``)
    }
  })
}

test('the verdict engine runs in a browser: nothing of Node, and no package that reads files', () => {
  const verdict = packages.find((one) => one.short === 'verdict')
  const pure = sources(verdict).filter((file) => !isTest(file))
  assert.ok(pure.length > 3)
  for (const file of pure) {
    const source = text(path.join(verdict.folder, file))
    for (const { from, typeOnly } of importsOf(source)) {
      assert.ok(!from.startsWith('node:'), `${file} imports ${from}`)
      if (typeOnly || !from.startsWith('@bulkhead/')) continue
      // One file of a package: it may import only files beside it that import nothing else either.
      const [, short, part] = /^@bulkhead\/([\w-]+)\/([\w-]+)$/.exec(from) ?? []
      assert.ok(part, `${file} imports more than types from ${from}`)
      assert.deepEqual(
        othersOf(path.join('packages', short, 'src', `${part}.ts`)),
        [],
        `${file} imports ${from}, which imports others`,
      )
    }
    assert.doesNotMatch(source, /\bprocess\.(env|hrtime|cwd|argv)|\bBuffer\.(from|alloc)|\brequire\(/, file)
  }
})

/** What a file imports at run time that is no file of its own package, by way of those too. */
function othersOf(file) {
  return importsOf(text(file))
    .filter(({ typeOnly }) => !typeOnly)
    .flatMap(({ from }) =>
      from.startsWith('./') ? othersOf(path.join(path.dirname(file), from.replace(/\.js$/, '.ts'))) : [from],
    )
}

test('imports are found in all their forms', () => {
  const source = `
import a from 'a'
import type { B } from 'b'
import { c,
  d } from "c"
import 'e'
export * from './f.js'
export type { G } from './g.js'
const h = await import('h')
// import z from 'z'
/* import y from 'y' */
`
  assert.deepEqual(
    importsOf(source).map(({ from, typeOnly }) => `${typeOnly ? 'type ' : ''}${from}`),
    ['a', 'type b', 'c', 'e', './f.js', 'type ./g.js', 'h'],
  )
})
