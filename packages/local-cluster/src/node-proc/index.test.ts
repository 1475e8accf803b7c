import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { cleanUp, eventually, killed, temporaryFolder } from '@bulkhead/testing'
import type { SeenContainer, SeenPod } from '../seen-pod.js'
import { running, seenPod } from '../testing/kube-source.js'
import { NodeProcs, type NodeProcsOptions } from './index.js'
import { asStarted, fromProc, type Processes } from './read.js'

async function world(t: TestContext, options: Partial<NodeProcsOptions> = {}) {
  const folder = join(temporaryFolder(t), 'nodes')
  const procs = new NodeProcs({ folder, childrenEveryMs: 20, ...options })
  cleanUp(t, () => procs.close())
  const pods = new Map<string, SeenPod>()
  const listeners = new Set<() => void>()
  procs.follow({
    pods: () => pods.values(),
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  })
  const put = (key: string, ...containers: readonly SeenContainer[]) => {
    pods.set(key, seenPod(key, { uid: `uid-of-${key.replace('/', '-')}`, containers }))
    for (const listener of listeners) listener()
  }
  return { procs, pods, put, folder }
}

/** A process that lives until the test is over. */
function sleeper(t: TestContext): { readonly pid: number } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  cleanUp(t, () => killed(child))
  assert.ok(child.pid !== undefined)
  return { pid: child.pid }
}

const pids = (tree: string) => readdirSync(tree).filter((name) => !name.startsWith('.'))
const container = (pid: number, id: string): SeenContainer => ({
  ...running(),
  pid,
  id,
  argv: [process.execPath, '/app/main.js'],
})

test('a node’s /proc holds the processes of its pods’ containers, as a kubelet’s would, and follows them', async (t) => {
  const { procs, put, pods } = await world(t)
  const [first, second] = [sleeper(t), sleeper(t)]
  put('shop/a-1', container(first.pid, 'one'))
  const tree = procs.of('bulkhead-worker')
  assert.equal(procs.of('bulkhead-worker'), tree)
  await eventually('the first is there', () => pids(tree).length === 1)
  const read = (pid: number, file: string) => readFileSync(join(tree, String(pid), file), 'utf8')
  assert.deepEqual(pids(tree), [String(first.pid)])
  assert.deepEqual(readdirSync(join(tree, String(first.pid))).sort(), ['cgroup', 'cmdline', 'comm', 'stat', 'status'])
  assert.match(
    read(first.pid, 'cgroup'),
    /^0::\/kubelet\.slice\/.*poduid_of_shop_a_1\.slice\/cri-containerd-one\.scope\n$/,
  )
  assert.match(read(first.pid, 'comm'), /^node/)
  assert.match(read(first.pid, 'cmdline'), /\0/)
  const stat = read(first.pid, 'stat')
  assert.equal(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1], String(process.pid))
  assert.equal(statSync(join(tree, String(first.pid), 'comm')).mode & 0o777, 0o400)

  put('shop/b-1', container(second.pid, 'two'))
  await eventually('both are there', () => pids(tree).length === 2)
  // Another node's are not: none of its pods is on it.
  assert.deepEqual(readdirSync(procs.of('bulkhead-worker2')), [])

  // Started again: another process, and another id.
  const again = sleeper(t)
  put('shop/a-1', container(again.pid, 'three'))
  await eventually(
    'the new one has replaced it',
    () => pids(tree).includes(String(again.pid)) && !pids(tree).includes(String(first.pid)),
  )
  assert.match(read(again.pid, 'cgroup'), /cri-containerd-three/)
  pods.delete('shop/b-1')
  put('shop/a-1', { ...container(again.pid, 'three'), phase: 'back-off' })
  await eventually('the other is gone', () => pids(tree).length === 1)
})

/** Linux' own, as it tells of processes and what each has started, by which of its threads. */
function fakeProc(t: TestContext) {
  const proc = temporaryFolder(t)
  return {
    processes: fromProc(proc),
    there(pid: number, parent: number, state = 'S', children: readonly number[] = [], thread = pid) {
      rmSync(join(proc, String(pid)), { recursive: true, force: true })
      for (const one of [pid, thread]) mkdirSync(join(proc, `${pid}/task/${one}`), { recursive: true })
      const stat = `${pid} (a (b) c) ${state} ${parent} 0\n`
      const status = `Name:\ta\nState:\t${state} (x)\n`
      const files = { comm: 'a\n', cmdline: 'a\0', stat, status, [`task/${pid}/children`]: '' }
      const all = { ...files, [`task/${thread}/children`]: children.join(' ') }
      for (const [file, text] of Object.entries(all)) writeFileSync(join(proc, String(pid), file), text)
    },
  }
}

test('children of a container’s process are there, with their parents, and go when they end', async (t) => {
  const { there, processes } = fakeProc(t)
  there(10, 1, 'S', [11, 12])
  there(11, 10, 'S', [13])
  there(12, 10, 'Z')
  there(13, 11)
  const { procs, put, pods } = await world(t, { processes })
  put('shop/a-1', container(10, 'one'))
  put('shop/gone-1', container(99, 'two'))
  const tree = procs.of('bulkhead-worker')
  // One that has ended and one that never was are not.
  await eventually('all that live are there', () => pids(tree).length === 3)
  assert.deepEqual(pids(tree).sort(), ['10', '11', '13'])
  assert.equal(readFileSync(join(tree, '13', 'stat'), 'utf8'), '13 (a (b) c) S 11 0\n')
  assert.match(readFileSync(join(tree, '13', 'cgroup'), 'utf8'), /poduid_of_shop_a_1.*cri-containerd-one\.scope/)
  // An orphan is another's child from then on; nobody tells of either.
  there(10, 1, 'S', [13])
  there(13, 10)
  await eventually('the one that ended is gone', () => !pids(tree).includes('11'))
  await eventually('its child has another parent', () =>
    readFileSync(join(tree, '13', 'stat'), 'utf8').includes('S 10 '),
  )
  pods.clear()
  put('shop/b-1')
  await eventually('nothing is left', () => pids(tree).length === 0)
})

test('where nothing changes few looks read all there is, and the others still find what comes, changes and goes', async (t) => {
  const { there, processes } = fakeProc(t)
  // 12 was started by another thread than the first.
  there(10, 1, 'S', [12], 19)
  there(12, 10)
  let [whole, looks] = [0, 0]
  let afterWhole = () => {}
  let foundAfter: number | undefined
  const counted: Processes = {
    ...processes,
    files: (started) => {
      if (started.pid === 10) {
        whole += 1
        queueMicrotask(() => afterWhole())
      } else if (started.pid === 13) foundAfter ??= whole
      return processes.files(started)
    },
    sign: (pid) => {
      if (pid === 12) looks += 1
      return processes.sign(pid)
    },
  }
  const { procs, put } = await world(t, { processes: counted })
  put('shop/a-1', container(10, 'one'))
  const tree = procs.of('bulkhead-worker')
  await eventually('both are there', () => pids(tree).length === 2)
  const entered = statSync(join(tree, '12')).ino
  whole = looks = 0
  await eventually('it has looked often', () => looks >= 30)
  assert.ok(whole > 0 && whole <= looks / 5, `${whole} of ${looks}`)
  assert.equal(statSync(join(tree, '12')).ino, entered)

  // A child, and a child of that one: not only the next look that reads everything finds them.
  let madeAfter: number | undefined
  afterWhole = () => {
    afterWhole = () => {}
    there(12, 10, 'S', [13])
    there(13, 12, 'S', [14])
    there(14, 13)
    madeAfter = whole
  }
  await eventually('its child and grandchild are there', () => pids(tree).length === 4)
  assert.equal(foundAfter, madeAfter)
  there(12, 10, 'Z')
  there(10, 1, 'S', [13])
  there(13, 10, 'S', [14])
  await eventually('it has ended', () => !pids(tree).includes('12'))
  await eventually('its child has another parent', () =>
    readFileSync(join(tree, '13', 'stat'), 'utf8').includes('S 10 '),
  )
  assert.deepEqual(pids(tree).sort(), ['10', '13', '14'])
})

test('where the system does not tell of processes it is what was started', async (t) => {
  const { procs, put, folder } = await world(t, { processes: asStarted })
  put('shop/a-1', { ...container(4711, 'one'), argv: ['/usr/local/bin/a-very-long-program', '-x', 'b c'] })
  const entry = join(procs.of('bulkhead-worker'), '4711')
  await eventually('it is there', () => existsSync(entry))
  const read = (file: string) => readFileSync(join(entry, file), 'utf8')
  assert.equal(read('comm'), 'a-very-long-pro\n')
  assert.equal(read('cmdline'), '/usr/local/bin/a-very-long-program\0-x\0b c\0')
  assert.match(read('stat'), new RegExp(`^4711 \\(a-very-long-pro\\) S ${process.pid} 0 `))
  assert.equal(read('stat').trim().split(' ').length, 52)
  assert.match(read('status'), new RegExp(`PPid:\\t${process.pid}\\n`))
  procs.close()
  assert.ok(!existsSync(folder))
})

test('a reader finds each entry whole, however often processes come and go', async (t) => {
  const { procs, put } = await world(t, { processes: asStarted })
  const tree = procs.of('bulkhead-worker')
  let seen = 0
  for (let n = 1; n <= 200; n++) {
    put('shop/a-1', container(1000 + (n % 3), `id-${n}`))
    await new Promise(setImmediate)
    for (const pid of pids(tree)) {
      seen++
      assert.equal(readdirSync(join(tree, pid)).length, 5)
      assert.match(readFileSync(join(tree, pid, 'cgroup'), 'utf8'), /cri-containerd-id-\d+\.scope\n$/)
    }
  }
  assert.ok(seen > 100, String(seen))
  // What is not there any more leaves nothing.
  await eventually('only the last is there', () => readdirSync(tree).length === 1)
})

test('a tree that somebody deletes while it is followed is an empty one, and ends nobody', async (t) => {
  const { procs, put, pods, folder } = await world(t)
  const [first, second] = [sleeper(t), sleeper(t)]
  put('shop/a-1', container(first.pid, 'one'))
  const tree = procs.of('bulkhead-worker')
  await eventually('the first is there', () => pids(tree).length === 1)
  rmSync(folder, { recursive: true })
  put('shop/a-2', container(second.pid, 'two'))
  pods.delete('shop/a-1')
  // Two looks of those that are taken every 20 ms: what is thrown in one would end the process.
  let looks = 0
  procs.follow({
    pods: () => {
      looks += 1
      return pods.values()
    },
    onChange: () => () => undefined,
  })
  await eventually('it has looked twice', () => looks > 2)
  assert.equal(existsSync(folder), false)
})
