import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/**
 * Signs that a test is about its process, or changes it. What is no sign: to read one variable, and servers and sockets, which
 * end with their test. What a look at the text misses is found while they run, by shared-process.mjs.
 */
const signs = [
  /\bnode:(child_process|worker_threads|cluster|inspector|v8|vm)\b/,
  /\bprocess\.(?!(env|pid|ppid|platform|arch|versions?|execPath|cwd|nextTick|getuid|features)\b)\w+/,
  // The environment, but for reading a variable.
  /\bprocess\.env(?!\.\w+|\[['"]\w+['"]\])/,
  /\bprocess\.env(\.\w+|\[['"]\w+['"]\])\s*([?|&]{2})?=(?!=)/,
  /\bdelete\s+process\.env/,
  // What all code of a process has in common.
  /\b(globalThis|mock|setGlobalDispatcher|stackTraceLimit)\b/,
  /\.prototype\b/,
  // Measured among others' garbage it would be another measure.
  /\bperformance\.now\b/,
  // With random cases, more of them when asked: long enough for a process.
  /\bBULKHEAD_LONG\b/,
  // At the top of a file these are about the tests of all files; and a test that is waited for there would wait for their loading.
  /^(before|after|beforeEach|afterEach)\(/m,
  /^(const .* = )?await (test|it|describe|suite)\(/m,
]

/** Starts a process and goes on beside it. */
const starts = /\bimport\s*\{[^}]*\b(fork|spawn)\b[^}]*\}\s*from\s*['"]node:child_process['"]/

/** A helper for tests, of a workspace's own: those of packages/testing are made to be shared. */
const forTests = /^(?!packages[\\/]testing[\\/]).*[\\/]testing([\\/]|\.js$)/

/** `import { a, b as c } from 'x'`, `import d, * as e from 'x'`, `import 'x'`, `export { f } from 'x'`, `export * from 'x'`. */
const statements = /^(import|export)\s+(?:([^'"{;]*)(?:\{([^}]*)\})?\s*from\s*)?['"]([^'"]+)['"]/gm

const lazily = /\bimport\(\s*['"]([^'"]+)['"]/g

/** What of a module: names, or everything. */
const everything = '*'

/**
 * What is known of compiled files by reading them.
 * @param root of the repository
 */
export function reading(root) {
  const read = new Map()
  const entries = new Map()
  const fileOf = (name, from) =>
    name.startsWith('.') ? path.resolve(path.dirname(from), name) : entryOf(name, root, entries)

  function look(file) {
    const known = read.get(file)
    if (known !== undefined) return known
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    const found = [...text.matchAll(statements)].map(([all, kind, , names, name]) => ({
      to: fileOf(name, file),
      // Everything where it says no names, or others besides.
      pairs: names === undefined || !/^\w+\s*\{/.test(all) ? undefined : pairsOf(names),
      passedOn: kind === 'export',
    }))
    const lazy = [...text.matchAll(lazily)].map(([, name]) => ({ to: fileOf(name, file) }))
    const rest = text.replaceAll(statements, '').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    const seen = {
      imports: [...found, ...lazy].filter(({ to }) => to !== undefined),
      // Nothing but what others have.
      passesOn: /^[\s;]*$/.test(rest) && found.every(({ passedOn }) => passedOn),
      signed: signs.some((sign) => sign.test(text)),
      starts: starts.test(text),
    }
    read.set(file, seen)
    return seen
  }

  /** What a use of a module uses in its turn: of one that only passes on what others have, no more than is asked for. */
  function uses([file, wanted]) {
    const { imports, passesOn } = look(file)
    return imports.flatMap(({ to, pairs }) => {
      if (!passesOn || wanted === everything) return pairs?.map(([theirs]) => [to, theirs]) ?? [[to, everything]]
      if (pairs === undefined) return [[to, wanted]]
      return pairs.filter(([, ours]) => ours === wanted).map(([theirs]) => [to, theirs])
    })
  }

  /** A file and all modules of the repository that it uses something of. */
  function used(file) {
    const asked = new Map([[file, [file, everything]]])
    // It grows while it is gone through.
    for (const use of asked.values()) {
      for (const [to, wanted] of uses(use)) {
        const key = look(to).passesOn ? `${to} ${wanted}` : to
        if (!asked.has(key)) asked.set(key, [to, wanted])
      }
    }
    return [...new Set([...asked.values()].map(([one]) => one))]
  }

  return {
    /** How much a file uses, in modules: of what is known beforehand the nearest to how long it takes. */
    weight: (file) => used(file).length,
    /**
     * Whether a test file may run in one process with others: neither it nor a helper for tests that it uses has one of the
     * signs, and it uses no code that starts a process and goes on beside it.
     */
    mayShare: (file) =>
      used(file).every((one) => {
        const seen = look(one)
        return !seen.starts && !(seen.signed && (one === file || forTests.test(path.relative(root, one))))
      }),
  }
}

/** `a, b as c` -> [['a', 'a'], ['b', 'c']] */
function pairsOf(names) {
  return names
    .split(',')
    .map((one) => one.trim().split(/\s+as\s+/))
    .filter(([name]) => name !== '')
    .map(([theirs, ours = theirs]) => [theirs, ours])
}

/** The file that a workspace's name stands for, with what is behind it: `@bulkhead/x`, `@bulkhead/x/testing`. */
function entryOf(name, root, known) {
  const [, scope, own, below = ''] = name.match(/^(@bulkhead)\/([^/]+)(\/.+)?$/) ?? []
  if (scope === undefined) return undefined
  if (!known.has(name)) {
    const folder = path.join(root, 'packages', own)
    const manifest = path.join(folder, 'package.json')
    const { exports } = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : {}
    const entry = exports?.[`.${below}`]
    const target = typeof entry === 'object' ? entry.default : entry
    known.set(name, typeof target === 'string' ? path.join(folder, target) : undefined)
  }
  return known.get(name)
}
