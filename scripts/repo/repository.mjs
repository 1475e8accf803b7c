import { readFileSync } from 'node:fs'
import path from 'node:path'
import { inRoot, root } from '../lib/root.mjs'
import { filesBelow, workspaces } from '../lib/workspaces.mjs'

export { inRoot, root }

/** One workspace: where it is, what it is called, and its package.json. */
export const packages = workspaces(root).map((folder) => {
  const json = JSON.parse(readFileSync(inRoot(folder, 'package.json'), 'utf8'))
  return { folder, name: json.name, short: path.basename(folder), isApp: folder.startsWith('apps'), json }
})

/** Source files of a workspace, relative to it. */
export function sources({ folder }) {
  return filesBelow(inRoot(folder, 'src'))
    .filter((file) => /\.([cm]?ts|tsx|[cm]?js)$/.test(file))
    .map((file) => path.relative(inRoot(folder), file))
}

/** Everything that a person wrote here, relative to the root. */
export function writtenFiles() {
  const machineMade = new Set(['node_modules', 'dist', '.git', '.turbo', '.bulkhead', 'coverage'])
  const within = (folder) => filesBelow(folder, machineMade)
  return within(root).map((file) => path.relative(root, file))
}

export const text = (file) => readFileSync(inRoot(file), 'utf8')

/**
 * What a TypeScript or JavaScript file imports. Comments are taken out first, so that an example in one does not count.
 * @returns {{ from: string, typeOnly: boolean }[]}
 */
export function importsOf(source) {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const found = []
  for (const match of code.matchAll(
    /^\s*(?:import|export)\s+(type\s+)?(?:[\w*$\s{},]*?\sfrom\s*)?['"]([^'"]+)['"]/gm,
  )) {
    found.push({ from: match[2], typeOnly: match[1] !== undefined })
  }
  for (const match of code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g))
    found.push({ from: match[1], typeOnly: false })
  return found
}

/** The package of a bare import: `@bulkhead/mesh/x` -> `@bulkhead/mesh`; undefined for a relative one or one of Node's own. */
export function packageOf(specifier) {
  if (specifier.startsWith('.') || specifier.startsWith('node:') || specifier.startsWith('#')) return undefined
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
