import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { cleanUp, eventually, temporaryFolder } from '@bulkhead/testing'
import { type FSWatcher, watch as open } from 'chokidar'
import { foldersOutside, ManifestWatch, type Save } from './watch.js'

/** A watched folder with `a.yaml` in it. */
async function watched(t: TestContext, options: { quietMs?: number; saved?: (save: Save) => Promise<void> } = {}) {
  const folder = temporaryFolder(t)
  const root = join(folder, 'k8s')
  mkdirSync(join(root, 'sub'), { recursive: true })
  const path = (name: string) => join(root, name)
  writeFileSync(path('a.yaml'), 'a: 1\n')
  const saves: (readonly string[])[] = []
  const watch = await ManifestWatch.start([root], {
    quietMs: options.quietMs ?? 60,
    saved: async (save) => {
      saves.push(save.files.map((file) => file.slice(root.length + 1)))
      await options.saved?.(save)
    },
    failed: (error) => assert.fail(error),
  })
  cleanUp(t, () => watch.close())
  /** What is told of what `change` does: all of it at once. */
  const told = async (change: () => void): Promise<readonly string[]> => {
    const before = saves.length
    change()
    await eventually('a save is told', () => saves.length > before)
    return saves.at(-1) ?? []
  }
  return { folder, root, path, saves, told, watch }
}

test('files that are written, renamed over, made, renamed and deleted are told', async (t) => {
  const { path, told } = await watched(t)
  assert.deepEqual(await told(() => writeFileSync(path('a.yaml'), 'a: 2\n')), ['a.yaml'])
  // As most editors save: another file, then renamed over.
  assert.deepEqual(
    await told(() => {
      writeFileSync(path('.a.yaml.swp'), 'a: 3\n')
      renameSync(path('.a.yaml.swp'), path('a.yaml'))
    }),
    ['a.yaml'],
  )
  assert.deepEqual(await told(() => writeFileSync(path('sub/b.yml'), 'b: 1\n')), ['sub/b.yml'])
  assert.deepEqual(await told(() => renameSync(path('sub/b.yml'), path('c.yaml'))), ['c.yaml', 'sub/b.yml'])
  assert.deepEqual(await told(() => rmSync(path('c.yaml'))), ['c.yaml'])
  assert.deepEqual(await told(() => writeFileSync(path('Kustomization'), 'resources: []\n')), ['Kustomization'])
})

test('folders that come, with what is in them, and go again are told', async (t) => {
  const { path, told } = await watched(t)
  const made = await told(() => {
    mkdirSync(path('60-requests/shop'), { recursive: true })
    writeFileSync(path('60-requests/shop/x.yaml'), 'x: 1\n')
  })
  assert.deepEqual(made, ['60-requests/shop/x.yaml'])
  assert.deepEqual(await told(() => writeFileSync(path('60-requests/shop/x.yaml'), 'x: 2\n')), [
    '60-requests/shop/x.yaml',
  ])
  assert.deepEqual(await told(() => rmSync(path('60-requests'), { recursive: true })), ['60-requests/shop/x.yaml'])
})

test('what is no manifest is nobody’s business', async (t) => {
  const { path, saves, told } = await watched(t)
  mkdirSync(path('.git'))
  for (const name of ['notes.md', '.git/x.yaml', '4913', 'a.yaml~']) writeFileSync(path(name), 'x')
  assert.deepEqual(await told(() => writeFileSync(path('a.yaml'), 'a: 2\n')), ['a.yaml'])
  assert.equal(saves.length, 1)
})

test('a file behind a link is followed', async (t) => {
  const { folder, path, told } = await watched(t)
  mkdirSync(join(folder, 'elsewhere'))
  writeFileSync(join(folder, 'elsewhere/l.yaml'), 'l: 1\n')
  assert.deepEqual(await told(() => symlinkSync(join(folder, 'elsewhere'), path('linked'))), ['linked/l.yaml'])
  assert.deepEqual(await told(() => writeFileSync(join(folder, 'elsewhere/l.yaml'), 'l: 2\n')), ['linked/l.yaml'])
})

test('a folder outside is followed when it is asked for', async (t) => {
  const { folder, root, saves, watch } = await watched(t)
  const outside = join(folder, 'base')
  mkdirSync(outside)
  writeFileSync(join(outside, 'o.yaml'), 'o: 1\n')
  const files = [join(root, 'a.yaml'), join(outside, 'o.yaml')]
  assert.deepEqual(foldersOutside(files, [root]), [outside])
  watch.also(foldersOutside(files, [root]))
  let n = 0
  // When it is watched is not told.
  await eventually('a save is told', () => {
    writeFileSync(join(outside, 'o.yaml'), `o: ${n++}\n`)
    return saves.length > 0
  })
})

test('many saves in a row are one, and those during a reading are another', async (t) => {
  let reading: (() => void) | undefined
  const saved = () =>
    new Promise<void>((resolve) => {
      reading = resolve
    })
  const { path, saves, watch } = await watched(t, { quietMs: 100, saved })
  for (let n = 0; n < 20; n++) {
    writeFileSync(path('a.yaml'), `a: ${n}\n`)
    writeFileSync(path(`b${n % 3}.yaml`), 'b: 1\n')
  }
  await eventually('it is told', () => saves.length === 1)
  assert.deepEqual(saves[0], ['a.yaml', 'b0.yaml', 'b1.yaml', 'b2.yaml'])
  assert.equal(watch.pending, false)
  writeFileSync(path('a.yaml'), 'a: 0\n')
  await eventually('what is read is out of date', () => watch.pending)
  assert.equal(saves.length, 1)
  reading?.()
  await eventually('it is told again', () => saves.length === 2)
  assert.deepEqual(saves[1], ['a.yaml'])
  reading?.()
})

test('a file that is emptied is not told before it is written again', async (t) => {
  const { path, saves, told } = await watched(t, {})
  const rewritten = async (text: string): Promise<number> => {
    const before = saves.length
    const save = told(() => truncateSync(path('a.yaml')))
    await new Promise((resolve) => setTimeout(resolve, 150))
    assert.equal(saves.length, before)
    const written = performance.now()
    writeFileSync(path('a.yaml'), text)
    assert.deepEqual(await save, ['a.yaml'])
    return performance.now() - written
  }
  // Once it is written it is not waited for as one that stays empty is. A busy machine may take that long, but not each time.
  const took = [await rewritten('a: 2\n')]
  while (Math.min(...took) >= 800 && took.length < 5) took.push(await rewritten(`a: ${took.length + 2}\n`))
  assert.ok(Math.min(...took) < 800, `${took.join(', ')} ms`)
  // One that stays empty is empty.
  assert.deepEqual(await told(() => truncateSync(path('a.yaml'))), ['a.yaml'])
})

test('a root that goes and comes again is followed as before', async (t) => {
  const { root, path, told } = await watched(t)
  assert.deepEqual(await told(() => rmSync(root, { recursive: true })), ['a.yaml'])
  await told(() => {
    mkdirSync(root)
    writeFileSync(path('a.yaml'), 'a: 1\n')
  })
  assert.deepEqual(await told(() => writeFileSync(path('a.yaml'), 'a: 2\n')), ['a.yaml'])
})

test('a root whose name another folder has taken is followed there', async (t) => {
  const { folder, root, path, saves, told } = await watched(t)
  const next = join(folder, 'next')
  mkdirSync(next)
  writeFileSync(join(next, 'a.yaml'), 'a: 2\n')
  await told(() => {
    renameSync(root, join(folder, 'old'))
    renameSync(next, root)
  })
  // It is told as a whole, by its own name; its files one by one from then on.
  await eventually('the other folder is told', () => saves.some((files) => files.includes('')))
  const before = saves.length
  writeFileSync(path('a.yaml'), 'a: 3\n')
  await eventually('a save in it is told', () => saves.slice(before).some((files) => files.includes('a.yaml')))
})

test('a watcher that fails is opened anew until it works, and what was saved meanwhile is told', async (t) => {
  const root = temporaryFolder(t)
  const opened: FSWatcher[] = []
  const told: string[] = []
  const watching = await ManifestWatch.start([root], {
    quietMs: 60,
    againMs: 20,
    open: (paths, options) => {
      const watcher = open(paths, options)
      opened.push(watcher)
      // The first new one fails as well.
      if (opened.length === 2) watcher.once('ready', () => watcher.emit('error', new Error('ENOSPC')))
      return watcher
    },
    saved: async () => void told.push('saved'),
    failed: (error) => assert.fail(error),
    lost: (error) => void told.push(error.message),
    found: () => void told.push('found'),
  })
  cleanUp(t, () => watching.close())
  opened[0]?.emit('error', new Error('EMFILE'))
  await eventually('it is told', () => told.includes('saved'))
  assert.deepEqual([told.filter((word) => word !== 'found'), opened.length], [['EMFILE', 'ENOSPC', 'saved'], 3])
  assert.equal(told.at(-2), 'found')
  assert.equal(opened[0]?.closed, true)
  writeFileSync(join(root, 'a.yaml'), 'a: 1\n')
  await eventually('a save is seen', () => told.filter((word) => word === 'saved').length === 2)
})
