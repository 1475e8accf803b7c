import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { addProcess, procTree } from '../testing/proc-tree.js'
import { POD_A, POD_B } from '../testing/scheduler.js'
import { scanProcesses } from './scan.js'
import { shared } from './shared.js'

const cgroup = (uid: string, id = 'ab'.repeat(32)): string =>
  `0::/kubepods.slice/kubepods-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-${id}.scope`

const pids = async (root: string) =>
  Object.fromEntries([...(await scanProcesses(root)).pods].map(([uid, all]) => [uid, all.map(({ pid }) => pid)]))

test('2.2: the processes of pods, by pod and number, each with its command, parent and container', async (t) => {
  const root = procTree(t, {
    1: { cgroup: '0::/init.scope', comm: 'systemd' },
    300: { cgroup: cgroup(POD_B), comm: 'node', ppid: 299 },
    20: { cgroup: cgroup(POD_A), comm: 'Web (x) y', ppid: 7 },
    100: { cgroup: cgroup(POD_A), comm: 'pause' },
    3: { cgroup: cgroup(POD_A, 'cd'.repeat(32)), comm: 'nginx' },
  })
  const { pods, at, denied } = await scanProcesses(root, () => 1_234)
  assert.deepEqual([at, denied], [1_234, 0])
  assert.deepEqual(
    [...pods],
    [
      [
        POD_A,
        [
          { pid: 3, command: 'nginx', ppid: 1, containerId: 'cd'.repeat(32), startTime: '3' },
          { pid: 20, command: 'Web (x) y', ppid: 7, containerId: 'ab'.repeat(32), startTime: '20' },
          { pid: 100, command: 'pause', ppid: 1, containerId: 'ab'.repeat(32), startTime: '100' },
        ],
      ],
      [POD_B, [{ pid: 300, command: 'node', ppid: 299, containerId: 'ab'.repeat(32), startTime: '300' }]],
    ],
  )
})

test('D6: under cgroup v1 a process is there once', async (t) => {
  const line = `/kubepods/besteffort/pod${POD_A}/${'ab'.repeat(32)}`
  const root = procTree(t, { 5: { cgroup: `11:memory:${line}\n10:cpu,cpuacct:${line}\n1:name=systemd:${line}` } })
  assert.deepEqual(await pids(root), { [POD_A]: [5] })
})

test('what is not a process, is none: other names, links, files, numbers that no process has', async (t) => {
  const root = procTree(t, { 5: { cgroup: cgroup(POD_A) } })
  const outside = procTree(t, { 6: { cgroup: cgroup(POD_B) } })
  symlinkSync(join(outside, '6'), join(root, '6'))
  symlinkSync(join(root, '5'), join(root, 'self'))
  for (const name of ['self2', '07', '0', '-1', '1e3', '9'.repeat(30), '5 ', '..5', 'sys']) {
    mkdirSync(join(root, name))
    writeFileSync(join(root, name, 'cgroup'), cgroup(POD_B))
    writeFileSync(join(root, name, 'comm'), 'x\n')
    writeFileSync(join(root, name, 'stat'), '1 (x) S 1\n')
  }
  writeFileSync(join(root, '8'), 'a file')
  assert.deepEqual(await pids(root), { [POD_A]: [5] })
})

test('files that are links, pipes, folders or without end do no harm', async (t) => {
  const root = procTree(t, { 5: { cgroup: cgroup(POD_A) }, 9: { cgroup: cgroup(POD_A) } })
  for (const pid of [20, 21, 22, 23]) {
    addProcess(root, pid, { cgroup: cgroup(POD_A) })
    rmSync(join(root, String(pid), 'cgroup'))
  }
  symlinkSync(join(root, '5', 'cgroup'), join(root, '20', 'cgroup'))
  execFileSync('mkfifo', [join(root, '21', 'cgroup')])
  mkdirSync(join(root, '22', 'cgroup'))
  writeFileSync(join(root, '23', 'cgroup'), Buffer.alloc(3 * 1024 * 1024, 0x61))
  symlinkSync('/dev/zero', join(root, '9', 'extra'))
  rmSync(join(root, '9', 'stat'))
  symlinkSync('/dev/zero', join(root, '9', 'stat'))
  assert.deepEqual(await pids(root), { [POD_A]: [5] })
})

test('a process that ends while it is read is left out; one that may not be read is counted', async (t) => {
  const root = procTree(t, { 5: { cgroup: cgroup(POD_A) } })
  mkdirSync(join(root, '6'))
  addProcess(root, 7, { cgroup: cgroup(POD_A) })
  rmSync(join(root, '7', 'comm'))
  addProcess(root, 8, { cgroup: cgroup(POD_A) })
  writeFileSync(join(root, '8', 'stat'), '')
  addProcess(root, 9, { cgroup: cgroup(POD_A) })
  // Root may read it all the same; a folder in place of a file is refused to everybody.
  if (process.getuid?.() === 0) {
    rmSync(join(root, '9', 'cgroup'))
    mkdirSync(join(root, '9', 'cgroup'))
  } else chmodSync(join(root, '9', 'cgroup'), 0)
  const { pods, denied } = await scanProcesses(root)
  assert.deepEqual([[...pods.keys()], pods.get(POD_A)?.map(({ pid }) => pid), denied], [[POD_A], [5], 1])
})

test('processes that come and go all the while', async (t) => {
  const root = procTree(t, { 1: { cgroup: cgroup(POD_A) } })
  let over = false
  const churn = (async () => {
    for (let pid = 2; !over; pid = 2 + (pid % 50)) {
      rmSync(join(root, String(pid)), { recursive: true, force: true })
      addProcess(root, pid + 1, { cgroup: cgroup(POD_B) })
      await setImmediate()
    }
  })()
  for (let round = 0; round < 50; round++) assert.deepEqual((await pids(root))[POD_A], [1])
  over = true
  await churn
})

test('a folder that is not there is told of', async () => {
  await assert.rejects(scanProcesses('/no/such/folder'), /ENOENT/)
})

test('D4, 2.2: one scan serves all who ask while it runs and for a moment after; a failure is nobody else’s', async () => {
  let now = 0
  let scans = 0
  let fail = false
  const source = shared(
    async () => {
      scans++
      await setImmediate()
      if (fail) throw new Error('not now')
      return { at: scans, pods: new Map(), denied: 0 }
    },
    () => now,
  )
  const all = await Promise.all([source.read(), source.read(), source.read()])
  assert.deepEqual(
    all.map(({ at }) => at),
    [1, 1, 1],
  )
  assert.equal((await source.read()).at, 1)
  now += 500
  assert.equal((await source.read()).at, 2)
  now += 500
  fail = true
  await Promise.all([assert.rejects(source.read()), assert.rejects(source.read())])
  fail = false
  assert.equal((await source.read()).at, 4)
  assert.equal(scans, 4)
})
