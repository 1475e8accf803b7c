import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'

/** The folders of every workspace, relative to the root, sorted: packages first, then apps. */
export function workspaces(root) {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(path.join(root, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(path.join(root, group, entry.name, 'package.json')))
      .map((entry) => path.join(group, entry.name))
      .sort(),
  )
}

/** Every file below a folder, as paths that begin with it, sorted. Nothing when there is no such folder. */
export function filesBelow(folder, except = new Set()) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !except.has(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const file = path.join(folder, entry.name)
      return entry.isDirectory() ? filesBelow(file, except) : [file]
    })
}

/** The compiled file of a source file: packages/x/src/a.test.ts -> packages/x/dist/a.test.js, a.cts -> a.cjs, a.tsx -> a.js. */
export function compiled(workspace, source) {
  return path
    .join(workspace, 'dist', path.relative(path.join(workspace, 'src'), source))
    .replace(/\.([cm]?)tsx?$/, '.$1js')
}
