import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { runQuietly } from '../lib/child.mjs'
import { inRoot } from '../lib/root.mjs'
import { apps } from './apps.mjs'
import { assemble } from './assemble.mjs'
import { install } from './install.mjs'
import { prune } from './prune.mjs'
import { ownTarget } from './target.mjs'
import { everything, openFolder } from './testing.mjs'

/*
 * The way of the Dockerfile: the repository pruned, its packages installed twice, compiled, and the images laid out of that. Installing needs
 * npm's cache or a network, which `npm test` does not ask for; so it is done where BULKHEAD_IMAGES=installed, as continuous integration has it.
 */

const readJson = (...parts) => JSON.parse(readFileSync(path.join(...parts), 'utf8'))
const filesOf = (folder) => everything(folder).filter(({ isFile }) => isFile)

test('the pruned tree has all that the images are made of, at the versions of the whole lockfile', (t) => {
  const folder = openFolder(t)
  const out = path.join(folder, 'pruned')
  prune({ source: inRoot(), out })
  const whole = readJson(inRoot('package-lock.json')).packages
  const { packages } = readJson(out, 'json', 'package-lock.json')
  for (const [key, { version, integrity }] of Object.entries(packages)) {
    assert.equal(version, whole[key]?.version, key)
    assert.equal(integrity, whole[key]?.integrity, key)
  }
  const target = ownTarget()
  for (const app of Object.keys(apps)) {
    const image = assemble(app, { source: inRoot(), out: path.join(folder, app), target })
    for (const name of image.packages) {
      const found = Object.entries(packages).some(
        ([key, { version }]) =>
          key.endsWith(`node_modules/${name.slice(0, name.lastIndexOf('@'))}`) && name.endsWith(`@${version}`),
      )
      assert.ok(found, `${name}, which the image of ${app} has, is not in the pruned lockfile`)
    }
    for (const workspace of image.workspaces) assert.ok(existsSync(path.join(out, 'full', workspace, 'src')), workspace)
  }
  for (const file of ['turbo.json', 'tsconfig.base.json', 'package.json'])
    assert.ok(existsSync(path.join(out, 'full', file)))
  for (const other of ['apps/cli', 'packages/mesh', 'k8s', 'docs'])
    assert.ok(!existsSync(path.join(out, 'full', other)), `${other} is no part of any image`)
  assert.throws(() => prune({ source: inRoot(), out }), /is there already/)
})

if (process.env.BULKHEAD_IMAGES === 'installed')
  test('pruned, installed from the lockfile and compiled, the images are the same to the byte', async (t) => {
    const folder = openFolder(t)
    const at = (name) => path.join(folder, name)
    prune({ source: inRoot(), out: at('pruned') })
    for (const name of ['source', 'modules']) cpSync(at('pruned/json'), at(name), { recursive: true })
    install(at('source'))
    cpSync(at('pruned/full'), at('source'), { recursive: true })
    const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1' }
    const { code, output } = await runQuietly('npm', ['run', 'build'], { cwd: at('source'), env })
    assert.equal(code, 0, output)
    const target = ownTarget()
    install(at('modules'), target)
    for (const app of Object.keys(apps)) {
      const here = at(`${app}-here`)
      const there = at(`${app}-there`)
      assemble(app, { source: inRoot(), out: here, target })
      assemble(app, { source: at('source'), modules: at('modules'), out: there, target })
      assert.deepEqual(
        filesOf(there).map(({ name, mode }) => `${name} ${mode}`),
        filesOf(here).map(({ name, mode }) => `${name} ${mode}`),
      )
      for (const { name } of filesOf(here))
        assert.ok(readFileSync(path.join(here, name)).equals(readFileSync(path.join(there, name))), `${app}: ${name}`)
    }
  })
