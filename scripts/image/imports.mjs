import { readFileSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import path from 'node:path'
import { Failure } from '../lib/failure.mjs'

const fixed = [
  /(?:^|[\s;}])(?:import|export)\s*(?:[\w*$\s{},]+?\sfrom\s*)?(['"])([^'"\n]+)\1/g,
  /\b(?:import|require|require\.resolve|import\.meta\.resolve)\(\s*(['"])([^'"\n]+)\1\s*\)/g,
]
/** An import whose name is made while the program runs. */
const made = /\b(?:import|require)\(\s*(?!\s*['"][^'"\n]+['"]\s*\))[^)]*/

const isFile = (file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true
const endings = ['', '.js', '.cjs', '.mjs', '.json', '.node', '/index.js', '/index.cjs', '/index.mjs', '/index.json']
const someFile = (at) => endings.some((ending) => isFile(`${at}${ending}`))

/** What a file names with a fixed word, statically or by `import()` and `require()`. */
const names = (text) => [...new Set(fixed.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[2])))]

const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')

const isRelative = (name) => name.startsWith('./') || name.startsWith('../')
const isNodes = (name) => name.startsWith('node:') || builtinModules.includes(name)

/** The package of a bare import: `@bulkhead/verdict/words` -> `@bulkhead/verdict`. */
export const packageOf = (name) =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')

/**
 * What a compiled file of ours imports: files beside it, and packages.
 * @throws Failure where an import's name is made while the program runs: it could not be followed
 */
export function importsOf(file) {
  const text = withoutComments(readFileSync(file, 'utf8'))
  const unknown = made.exec(text)
  if (unknown !== null)
    throw new Failure(
      `${file} imports what is named only while it runs, so that it cannot be followed: ${unknown[0].trim()}`,
    )
  const all = names(text)
  return {
    files: all.filter(isRelative).map((name) => path.resolve(path.dirname(file), name)),
    packages: all.filter((name) => !isRelative(name) && !isNodes(name)),
  }
}

/**
 * What files of packages that were copied name beside them, and that was left behind: it was taken for a test or a note,
 * and is none. Declarations of types are no loss.
 * @param copied { from, to }[]
 * @returns sentences, none where all is well
 */
export function leftBehind(copied) {
  return copied
    .filter(({ to }) => /\.[cm]?js$/.test(to))
    .flatMap(({ from, to }) =>
      names(readFileSync(to, 'utf8'))
        .filter((name) => isRelative(name) && !/\.d\.[cm]?ts$/.test(name))
        .filter((name) => !someFile(path.resolve(path.dirname(to), name)))
        .filter((name) => someFile(path.resolve(path.dirname(from), name)))
        .map((name) => `${from} names ${name}, which was left behind`),
    )
}
