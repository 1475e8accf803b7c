import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Failure } from '../lib/failure.mjs'
import { workspaces } from '../lib/workspaces.mjs'
import { importsOf, packageOf } from './imports.mjs'

/**
 * Follows the imports of an app's programs through its own files and those of the packages beside it: what is not
 * reached (tests, what helps them, parts that this app does not use) is not part of what runs.
 * @param source the tree, built
 * @param folder the app's, as `apps/probe`
 * @param entries its files to begin with, relative to it
 * @returns {{ files: Map<string, string[]>, packages: { from: string, name: string }[] }} files by workspace, relative to
 *   it; and the packages of others that they import, each with the workspace that does
 */
export function reach(source, folder, entries) {
  const known = new Map(workspaces(source).map((at) => [manifestOf(source, at).name, at]))
  const files = new Map()
  const packages = new Map()
  const follow = (workspace, file) => {
    const own = files.get(workspace) ?? []
    if (own.includes(file)) return
    files.set(workspace, [...own, file])
    const at = path.join(source, workspace, file)
    if (!existsSync(at)) throw new Failure(`${workspace}/${file} is missing: the source has to be built first.`)
    if (!/\.[cm]?js$/.test(file)) return
    const imported = importsOf(at)
    for (const other of imported.files) follow(workspace, path.relative(path.join(source, workspace), other))
    for (const specifier of imported.packages) {
      const name = packageOf(specifier)
      const { dependencies = {} } = manifestOf(source, workspace)
      if (!Object.hasOwn(dependencies, name))
        throw new Failure(`${workspace}/${file} imports ${name}, which is not among the dependencies of ${workspace}.`)
      const beside = known.get(name)
      if (beside === undefined) packages.set(`${workspace} ${name}`, { from: workspace, name })
      else follow(beside, exported(source, beside, `.${specifier.slice(name.length)}`))
    }
  }
  for (const entry of entries) follow(folder, entry)
  return { files, packages: [...packages.values()] }
}

const manifestOf = (source, workspace) => JSON.parse(readFileSync(path.join(source, workspace, 'package.json'), 'utf8'))

/** The file behind a door of a package of ours. */
function exported(source, workspace, door) {
  const file = manifestOf(source, workspace).exports?.[door]?.default
  if (file === undefined) throw new Failure(`${workspace}/package.json exports no "${door}".`)
  return path.normalize(file)
}
