import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { LoadResult } from '@bulkhead/resources'
import { cleanUp, eventually, temporaryFolder } from '@bulkhead/testing'
import { watch } from 'chokidar'
import type { ManifestsEvent } from './cluster-types.js'
import type { Enforced } from './enforced.js'
import type { Enforcement } from './enforcement.js'
import type { Engine } from './engine.js'
import { Saves, type SavesParts } from './saves.js'
import { resource } from './testing.js'

const objects = (...names: string[]): LoadResult => ({
  resources: names.map((name) =>
    resource({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' } }),
  ),
  warnings: [],
})

/** Saves of a folder, put in force by an enforcement that only notes what it is given. */
async function start(
  t: TestContext,
  load: (files: (name: string) => string) => Promise<LoadResult>,
  watching?: SavesParts['watching'],
) {
  const root = join(temporaryFolder(t), 'k8s')
  mkdirSync(root)
  const file = (name: string) => join(root, name)
  writeFileSync(file('a.yaml'), 'a')
  const events: ManifestsEvent[] = []
  const inForce: string[] = []
  const enforcement = {
    reload: async (base: LoadResult['resources']) => {
      inForce.push(base.map(({ name }) => name).join())
      return {
        generation: 1,
        closed: 0,
        at: performance.now(),
        touched: { added: new Map(), removed: new Map() },
        admission: { refused: [], news: [], mended: [], warnings: [] },
      } as unknown as Enforced
    },
  } as unknown as Enforcement
  const diff = {
    opened: [],
    closed: [],
    decidedElsewhere: [],
    objects: { added: [], changed: [], removed: [] },
    asked: 0,
  }
  let undiffable: string | undefined
  let first = true
  const engine = {
    load: async () => {
      // The look after the start finds what was read before.
      if (first) {
        first = false
        return objects('a')
      }
      return load(file)
    },
    diff: () => {
      if (undiffable !== undefined) throw new Error(undiffable)
      return diff
    },
  } as unknown as Engine
  const told = (event: ManifestsEvent) => void events.push(event)
  const saves = new Saves({
    engine,
    enforcement,
    manifests: [root],
    relativeTo: root,
    loaded: objects('a'),
    readyMs: 1,
    told,
    ...(watching !== undefined && { watching }),
  })
  cleanUp(t, () => saves.close())
  await saves.start()
  assert.deepEqual([events, inForce], [[], []])
  const failDiff = (message: string | undefined) => {
    undiffable = message
  }
  return { file, events, inForce, saves, failDiff }
}

/** What the system has told of the files, as the one who follows them has been told. */
function listening(): { readonly heard: readonly string[]; readonly watching: NonNullable<SavesParts['watching']> } {
  const heard: string[] = []
  const open: typeof watch = (...args) =>
    watch(...args).on('all', (event, path) => void heard.push(`${event} ${basename(path)}`))
  return { heard, watching: { open } }
}

test('a file that goes while it is read is no mistake: it is read again, and only that is told', async (t) => {
  let readings = 0
  const { heard, watching } = listening()
  const { file, events, inForce } = await start(
    t,
    async (file) => {
      if (++readings > 1) return objects('a')
      rmSync(file('b.yaml'))
      await eventually('the system has told of it', () => heard.includes('unlink b.yaml'))
      throw new Error('b.yaml: ENOENT')
    },
    watching,
  )
  writeFileSync(file('b.yaml'), 'b')
  await eventually('it is read again', () => readings === 2 && inForce.length === 1)
  assert.deepEqual([inForce, events], [['a'], []])
})

test('what was read while more was being saved is not put in force', async (t) => {
  let readings = 0
  const { heard, watching } = listening()
  const { file, events, inForce } = await start(
    t,
    async (file) => {
      if (++readings > 1) return objects('a', 'b')
      writeFileSync(file('c.yaml'), 'c')
      await eventually('the system has told of it', () => heard.includes('add c.yaml'))
      return objects('a', 'half of b')
    },
    watching,
  )
  writeFileSync(file('b.yaml'), 'b')
  await eventually('it is told', () => events.length > 0)
  assert.deepEqual([inForce, events.map(({ kind }) => kind)], [['a,b'], ['changed']])
})

test('the same mistake is told once, and that all is well again too, though nothing has changed', async (t) => {
  let wrong: string | undefined = 'a.yaml:1:1: a mistake'
  let readings = 0
  const { file, events, saves } = await start(t, async () => {
    readings++
    if (wrong !== undefined) throw new Error(wrong)
    return objects('a')
  })
  const save = async () => {
    const before = readings
    writeFileSync(file('a.yaml'), String(before))
    await eventually('it is read', () => readings > before)
  }
  await save()
  await save()
  assert.deepEqual(events, [{ kind: 'refused', files: ['a.yaml'], message: wrong }])
  assert.equal(saves.refused, wrong)
  wrong = undefined
  await save()
  await eventually('it is told', () => events.length === 2)
  assert.deepEqual([events[1]?.kind, saves.refused], ['changed', undefined])
  await save()
  assert.equal(events.length, 2)
})

test('a save that is in force is told as such, also when what it opened and closed cannot be worked out', async (t) => {
  let names = ['a', 'b']
  const { file, events, inForce, saves, failDiff } = await start(t, async () => objects(...names))
  failDiff('out of memory')
  writeFileSync(file('b.yaml'), 'b')
  await eventually('it is told', () => events.length === 1)
  const [told] = events
  assert.ok(told?.kind === 'changed', JSON.stringify(told))
  assert.deepEqual([told.files, told.undiffed, 'diff' in told], [['b.yaml'], 'out of memory', false])
  assert.deepEqual([inForce, saves.refused], [['a,b'], undefined])
  failDiff(undefined)
  names = ['a', 'c']
  writeFileSync(file('c.yaml'), 'c')
  await eventually('the next one is told', () => events.length === 2)
  const next = events[1]
  assert.ok(next?.kind === 'changed', JSON.stringify(next))
  assert.deepEqual([next.diff?.asked, 'undiffed' in next], [0, false])
})

test('that saves may not be seen is said until they are again, also after a save that was seen', async (t) => {
  const watchers: ReturnType<typeof watch>[] = []
  let broken = true
  const open: typeof watch = (paths, options) => {
    const watcher = watch(paths, options)
    if (watchers.push(watcher) > 1 && broken) watcher.once('ready', () => watcher.emit('error', new Error('ENOSPC')))
    return watcher
  }
  let names = ['a']
  const { file, events, inForce, saves } = await start(t, async () => objects(...names), { open, againMs: 300 })
  watchers[0]?.emit('error', new Error('ENOSPC'))
  assert.match(saves.refused ?? '', /^saves may not be seen .*ENOSPC$/)
  names = ['a', 'b']
  writeFileSync(file('b.yaml'), 'b')
  await eventually('the save is in force', () => inForce.includes('a,b') && events.length === 2)
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['refused', 'changed'],
  )
  assert.match(saves.refused ?? '', /^saves may not be seen .*ENOSPC$/)
  broken = false
  await eventually('saves are seen again', () => saves.refused === undefined)
  await eventually('that is told', () => events.length === 3)
  assert.equal(events[2]?.kind, 'changed')
})
