import { Failure } from '../lib/failure.mjs'

/**
 * What package-lock.json says that some packages need to run: what `npm ci --omit=dev` would give them alone, found by
 * its tree, since an install of all workspaces holds the others' too.
 */

/**
 * @param lock package-lock.json, parsed (version 2 or 3)
 * @param wanted { from, name }[]: packages to begin with, each with the workspace that imports it
 * @param target { os, cpu, libc } in npm's words: packages for another one are left out, as are those that only another
 *   runtime than Node loads (Bare), where they are optional, and declarations of types
 * @returns {{ key: string, name: string, version: string }[]} sorted by key, which is the place below the root
 */
export function productionTree(lock, wanted, target) {
  const found = new Map()
  const take = (from, name, optional) => {
    const key = resolve(lock, from, name)
    if (key === undefined) {
      if (optional) return
      throw new Failure(`"${from}" needs ${name}, which package-lock.json does not have: run \`npm install\``)
    }
    if (found.has(key) || name.startsWith('@types/')) return
    const entry = lock.packages[key]
    const { version, os, cpu, libc, engines = {} } = entry
    if (optional && engines.bare !== undefined && engines.node === undefined) return
    if (!fits(os, target.os) || !fits(cpu, target.cpu) || !fits(libc, target.libc)) {
      if (optional) return
      throw new Failure(`"${from}" needs ${name}, which is not for ${target.os} on ${target.cpu}`)
    }
    found.set(key, { key, name, version })
    const maybe = entry.optionalDependencies ?? {}
    for (const next of Object.keys({ ...entry.dependencies, ...requiredPeers(entry) }))
      if (!(next in maybe)) take(key, next, false)
    for (const next of Object.keys(maybe)) take(key, next, true)
  }
  for (const { from, name } of wanted) take(from, name, false)
  return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}

const requiredPeers = ({ peerDependencies = {}, peerDependenciesMeta = {} }) =>
  Object.fromEntries(Object.entries(peerDependencies).filter(([name]) => peerDependenciesMeta[name]?.optional !== true))

/** As Node looks for it: in the node_modules of the folder, then of each folder above it. */
function resolve(lock, from, name) {
  for (let at = from; ; at = above(at)) {
    const key = `${at === '' ? '' : `${at}/`}node_modules/${name}`
    if (lock.packages[key] !== undefined) return key
    if (at === '') return undefined
  }
}

/** The place that holds a node_modules next: `node_modules/a/node_modules/b` -> `node_modules/a` -> ``. */
function above(at) {
  const parts = at.split('/')
  parts.pop()
  while (parts.length > 0 && (parts.at(-1) === 'node_modules' || parts.at(-1).startsWith('@'))) parts.pop()
  return parts.join('/')
}

/** npm's rule for `os`, `cpu` and `libc`: any of those named, none of those named with `!`. */
function fits(listed, value) {
  if (listed === undefined || value === undefined) return true
  const named = [listed].flat()
  if (named.includes(`!${value}`)) return false
  const wanted = named.filter((name) => !name.startsWith('!'))
  return wanted.length === 0 || wanted.includes(value)
}
