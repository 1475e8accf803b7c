#!/usr/bin/env node
// Lays out what goes into an image beside Node: /app with the app's compiled files, and the packages that it needs to run.
// Usage: node scripts/image/assemble.mjs APP --source DIR [--modules DIR] --out DIR [--architecture amd64|arm64]
import { chmodSync, copyFileSync, existsSync, lutimesSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Failure, tell } from '../lib/failure.mjs'
import { filesBelow } from '../lib/workspaces.mjs'
import { apps } from './apps.mjs'
import { isServed, runsInPackage, slashed } from './files.mjs'
import { leftBehind } from './imports.mjs'
import { productionTree } from './lockfile.mjs'
import { reach } from './reach.mjs'
import { imageTarget, ownTarget } from './target.mjs'

/** What every file of an image says of its age, so that the same input makes the same layer. */
const epoch = new Date(0)

/**
 * @param app the folder's name below apps/
 * @param options.source a tree that is built, with its package-lock.json
 * @param options.modules the folder whose node_modules the packages are taken from; the source if it is not said
 * @param options.out where the root of the image's file system is made; it must not be there yet
 * @param options.target as npm says it: { os, cpu, libc }
 * @returns {{ packages: string[], workspaces: string[] }} what went in: packages as name@version, workspaces as folders
 */
export function assemble(app, { source, modules = source, out, target }) {
  if (!Object.hasOwn(apps, app))
    throw new Failure(`There is no image of "${app}": scripts/image/apps.mjs has ${Object.keys(apps).join(', ')}.`)
  if (existsSync(out)) throw new Failure(`${out} is there already: what it holds would get into the image.`)
  const folder = `apps/${app}`
  const lock = JSON.parse(readFileSync(path.join(source, 'package-lock.json'), 'utf8'))
  const { programs, folders } = apps[app]
  const served = folders.flatMap((one) => filesWithin(path.join(source, folder), one).filter(isServed))
  const { files, packages: wanted } = reach(source, folder, [...programs, ...served])
  const root = path.join(out, 'app')
  for (const [workspace, own] of files) {
    const to = workspace === folder ? root : path.join(root, 'node_modules', lock.packages[workspace].name)
    const assets = workspace === folder ? filesWithin(path.join(source, folder), 'assets') : []
    copy(path.join(source, workspace), to, ['package.json', ...own, ...assets])
  }
  const tree = productionTree(lock, wanted, target)
  const copied = tree.flatMap(({ key, name }) => {
    const from = path.join(modules, key)
    if (!existsSync(path.join(from, 'package.json')))
      throw new Failure(`${name} is not installed for ${target.os} on ${target.cpu}, and the image of ${app} needs it.`)
    // What npm put below a workspace, since another one has another version, is next to that workspace's files here.
    const place = key.replace(/^(apps|packages)\/[^/]+\//, (at) => placeOf(at.slice(0, -1), folder, lock))
    if (existsSync(path.join(root, place, 'package.json')))
      throw new Failure(`Two packages would be ${place} in the image of ${app}, and ${key} is the second.`)
    return copy(from, path.join(root, place), filesWithin(from, '').filter(runsInPackage))
  })
  const wrong = leftBehind(copied)
  if (wrong.length > 0) throw new Failure(`The image of ${app} would lack what its files name.`, wrong.join('\n'))
  seal(root)
  return { packages: tree.map(({ name, version }) => `${name}@${version}`), workspaces: [...files.keys()] }
}

const placeOf = (workspace, folder, lock) =>
  workspace === folder ? '' : `node_modules/${lock.packages[workspace].name}/`

/** Files below a folder of `base`, as paths relative to `base`; those of packages within packages are others'. */
function filesWithin(base, folder) {
  return filesBelow(path.join(base, folder), new Set(['node_modules'])).map((file) =>
    slashed(path.relative(base, file)),
  )
}

/** @returns what was copied, as { from, to } */
function copy(from, to, files) {
  return files.map((file) => {
    const one = { from: path.join(from, file), to: path.join(to, file) }
    mkdirSync(path.dirname(one.to), { recursive: true })
    copyFileSync(one.from, one.to)
    return one
  })
}

/** Nothing of it may be changed, by anybody, and nothing says when it was made. */
function seal(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name)
    if (entry.isDirectory()) {
      seal(at)
      continue
    }
    chmodSync(at, 0o444)
    lutimesSync(at, epoch, epoch)
  }
  chmodSync(folder, 0o555)
  lutimesSync(folder, epoch, epoch)
}

/** Takes away what was assembled: its folders let nobody remove their files. */
export function unmake(folder) {
  const open = (at) => {
    chmodSync(at, 0o755)
    for (const entry of readdirSync(at, { withFileTypes: true }))
      if (entry.isDirectory()) open(path.join(at, entry.name))
  }
  if (existsSync(folder)) open(folder)
  rmSync(folder, { recursive: true, force: true })
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      source: { type: 'string' },
      modules: { type: 'string' },
      out: { type: 'string' },
      architecture: { type: 'string' },
    },
  })
  const [app] = positionals
  if (app === undefined || values.source === undefined || values.out === undefined)
    throw new Failure('usage: assemble.mjs APP --source DIR [--modules DIR] --out DIR [--architecture amd64|arm64]')
  const target = values.architecture === undefined ? ownTarget() : imageTarget(values.architecture)
  const { packages, workspaces } = assemble(app, { ...values, target })
  process.stdout.write(`${app}: ${workspaces.length} workspaces, ${packages.length} packages\n`)
}

const called = process.argv[1]
if (called !== undefined && import.meta.url === pathToFileURL(called).href) {
  try {
    main()
  } catch (error) {
    tell(error)
  }
}
