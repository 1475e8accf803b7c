import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/*
 * The engine runs in a browser: nothing of Node, and of the other packages only what is as pure.
 */

const src = fileURLToPath(new URL('../src', import.meta.url))
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !/(^|\/)testing\//.test(file),
)
const allowed = new Set([
  '@jmespath-community/jmespath',
  '@marcbachmann/cel-js',
  'ipaddr.js',
  're2js',
  '@bulkhead/resources/gateway-api',
  '@bulkhead/resources/made',
  '@bulkhead/resources/plural',
  '@bulkhead/resources/selectors',
  '@bulkhead/resources/suggest',
  'yaml',
])

/** Modules that are imported at run time: `import type` leaves no trace in JavaScript. */
function imports(text: string): string[] {
  const statements = text.matchAll(/^\s*(?:import|export)\s(?!type\s)(?:[\w$\s{},*]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)
  const dynamic = text.matchAll(/\b(?:import|require)\(\s*['"]([^'"]+)['"]/g)
  return [...statements, ...dynamic].map((match) => match[1] ?? '')
}

test('no module of the engine imports anything of Node', () => {
  assert.ok(files.length > 30, 'the sources are found')
  for (const file of files) {
    for (const name of imports(readFileSync(path.join(src, file), 'utf8'))) {
      assert.ok(name.startsWith('.') || allowed.has(name), `${file} imports ${name}`)
      assert.ok(!name.includes('testing/'), `${file} imports test code`)
    }
  }
})

test('nor uses a global of Node, nor looks at the clock or at chance', () => {
  const globals =
    /(?<!\.)\b(?:process|Buffer|__dirname|setImmediate|global)\b\s*[.(]|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(/
  for (const file of files) {
    const code = readFileSync(path.join(src, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    assert.doesNotMatch(code, globals, file)
  }
})

test('what it imports of resources is as pure', () => {
  for (const name of [...allowed].filter((module) => module.startsWith('@bulkhead/resources/'))) {
    assert.ok(isPure(`${name.slice('@bulkhead/resources/'.length)}.js`), name)
  }
})

/** Nothing but its own package's files, which are as pure. */
function isPure(module: string): boolean {
  const file = path.join(src, '../../resources/src', module.replace(/\.js$/, '.ts'))
  return imports(readFileSync(file, 'utf8')).every((name) => name.startsWith('./') && isPure(name))
}

test('the check can tell', () => {
  assert.deepEqual(
    imports(
      "import { a } from 'node:fs'\nimport type { b } from 'x'\nexport * from './y.js'\nimport 'z'\nexport const text = `no way from 'a' to 'b'`",
    ),
    ['node:fs', './y.js', 'z'],
  )
})
