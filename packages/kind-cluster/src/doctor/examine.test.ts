import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { readPins } from '../pins.js'
import { type Place, placeOf } from '../place.js'
import {
  goodAnswers,
  goodInfo,
  goodMachine,
  goodVersion,
  type RecordingTools,
  recordingTools,
} from '../testing/index.js'
import { checksFor, type ExamineOptions, examine } from './examine.js'
import { readKindConfig } from './kind-config.js'
import type { Finding, Machine } from './types.js'

const root = resolve(import.meta.dirname, '../../../..')
const pins = readPins(root)
const config = readKindConfig(root)
const nowhere = placeOf(root, join(root, 'no-state-here'))

interface Given {
  readonly rows?: Parameters<typeof goodAnswers>[0]
  readonly machine?: Machine
  readonly place?: Place
  readonly options?: ExamineOptions
}

async function found(
  given: Given = {},
): Promise<{ of: (id: string) => Finding; all: readonly Finding[]; tools: RecordingTools }> {
  const tools = recordingTools(goodAnswers(given.rows))
  const ground = { pins, config, place: given.place ?? nowhere, machine: given.machine ?? goodMachine() }
  const all = await examine(tools, ground, given.options)
  return { all, tools, of: (id) => all.find((one) => one.id === id) ?? assert.fail(`nothing of ${id}`) }
}

const notOk = (all: readonly Finding[]): readonly string[] =>
  all.filter(({ status }) => status !== 'ok').map(({ id, status }) => `${id} ${status}`)

const says = (value: unknown): { readonly stdout: string } => ({ stdout: JSON.stringify(value) })
const info = (change: Partial<Record<keyof typeof goodInfo, unknown>>) =>
  [['docker info', says({ ...goodInfo, ...change })]] as const

describe('a machine that has everything', () => {
  it('is told so, and each command is asked once', async () => {
    const { all, tools } = await found()
    assert.deepEqual(notOk(all), [])
    assert.deepEqual(tools.lines(), [...new Set(tools.lines())])
    assert.deepEqual(tools.unused(), [])
    for (const port of [30080, 30081, 30450]) assert.ok(all.some(({ id }) => id === `port-${port}`))
  })

  it('is one where each check has a name of its own, and waits for such as come before it', () => {
    const ground = { pins, config, place: nowhere, machine: goodMachine() }
    const checks = checksFor(recordingTools([]), ground, { registries: true })
    const ids = checks.map(({ id }) => id)
    assert.deepEqual(ids, [...new Set(ids)])
    for (const { id, after = [], asks } of checks) {
      assert.match(asks, /\?$/)
      for (const one of after)
        assert.ok(ids.indexOf(one) !== -1 && ids.indexOf(one) < ids.indexOf(id), `${id} after ${one}`)
    }
  })
})

describe('Docker', () => {
  it('that is not there is told once, with how to get it', async () => {
    const { all, of } = await found({
      rows: [[/^docker /, { fails: 'missing' }]],
      machine: goodMachine({ platform: 'macos' }),
    })
    assert.deepEqual(
      [of('docker-client').status, of('docker').status, of('memory').status],
      ['fail', 'skipped', 'skipped'],
    )
    assert.match(of('docker-client').remedy?.join(' ') ?? '', /Docker Desktop/)
    assert.equal(all.filter(({ status }) => status === 'fail').length, 1)
  })

  it('that may not be spoken to, or does not run, has its cause told', async () => {
    const client = JSON.stringify({ ...goodVersion, Server: null })
    const denied = await found({
      rows: [
        [
          'docker version',
          {
            code: 1,
            stdout: client,
            stderr: 'permission denied while trying to connect to the docker API at unix:///var/run/docker.sock\n',
          },
        ],
      ],
    })
    assert.equal(denied.of('docker-client').status, 'ok')
    assert.match(denied.of('docker').found, /this user may not speak to it/)
    assert.match(denied.of('docker').remedy?.[0] ?? '', /usermod -aG docker/)
    const down = await found({
      rows: [
        [
          'docker version',
          {
            code: 1,
            stdout: client,
            stderr:
              'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n',
          },
        ],
      ],
    })
    assert.match(down.of('docker').found, /No Docker engine answers/)
    const slow = await found({ rows: [['docker version', { fails: 'timeout' }]] })
    assert.deepEqual([slow.of('docker-client').status, slow.of('docker-client').found], ['fail', 'docker: timeout'])
  })

  it('that is too old, is podman, or says nothing of itself', async () => {
    const old = await found({ rows: [['docker version', says({ ...goodVersion, Client: { Version: '20.10.17' } })]] })
    assert.ok(old.of('docker-client').found.startsWith(`20.10.17 is too old: ${pins.tools.docker.least} is`))
    const podman = await found({
      rows: [
        [
          'docker version',
          { stdout: '{}', stderr: 'Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg.\n' },
        ],
      ],
    })
    assert.deepEqual([podman.of('docker-client').status, podman.of('docker').status], ['fail', 'skipped'])
    const server = async (change: object) => {
      const Server = { ...goodVersion.Server, ...change }
      return (await found({ rows: [['docker version', says({ ...goodVersion, Server })]] })).of('docker')
    }
    const behind = await server({ Version: '27.5.1' })
    assert.deepEqual([behind.status, behind.found.split(':')[0]], ['fail', '27.5.1 is too old'])
    const byPodman = await server({ Components: [{ Name: 'Podman Engine', Version: '5.6.0' }], Version: '28.1.0' })
    assert.deepEqual([byPodman.status, byPodman.found], ['fail', 'it is podman that answers'])
    const mute = await found({ rows: [['docker info', { stdout: 'no JSON' }]] })
    assert.deepEqual([mute.of('memory').status, mute.of('memory').found], ['warn', '`docker info` did not say'])
  })

  it('has to be on this machine', async () => {
    const place = async (stdout: string) =>
      (await found({ rows: [['docker context', { stdout }]] })).of('engine-place').status
    for (const here of ['unix:///run/user/1000/docker.sock', 'tcp://localhost:2375', 'npipe:////./pipe/docker_engine'])
      assert.equal(await place(`${here}\n`), 'ok', here)
    for (const there of ['tcp://10.0.0.7:2376', 'ssh://me@build.example', 'tcp://localhost.example:2375/'])
      assert.equal(await place(`${there}\n`), 'fail', there)
    assert.equal(await place(''), 'skipped')
  })

  it('has to be large enough, on a kernel that is new enough', async () => {
    const small = await found({
      rows: info({ NCPU: 1, MemTotal: 4 * 1024 ** 3, CgroupVersion: '1', KernelVersion: '4.18.0-553.el8' }),
    })
    assert.deepEqual(notOk(small.all), ['cpus fail', 'memory fail', 'cgroup fail', 'kernel fail'])
    assert.match(small.of('cgroup').remedy?.join(' ') ?? '', /unified_cgroup_hierarchy/)
    assert.equal(small.of('memory').found, '4.0 GiB')
    const tight = await found({ rows: info({ NCPU: 2, MemTotal: 6 * 1024 ** 3 }) })
    assert.deepEqual(notOk(tight.all), ['cpus warn', 'memory warn'])
    const enough = await found({ rows: info({ NCPU: 4, MemTotal: 8_218_034_176 }) })
    assert.deepEqual(notOk(enough.all), [])
    const windows = await found({ rows: info({ OSType: 'windows' }) })
    assert.equal(windows.of('engine-kind').status, 'fail')
    const rootless = await found({ rows: info({ SecurityOptions: ['name=rootless'] }) })
    assert.equal(rootless.of('engine-kind').status, 'warn')
  })

  it('is of the processor that images are fetched for, and of one on which MongoDB starts', async () => {
    const rosetta = await found({ rows: info({ Architecture: 'aarch64' }) })
    assert.deepEqual(notOk(rosetta.all), ['processor fail'])
    assert.match(rosetta.of('processor').found, /arm64, and this Node\.js is for amd64/)
    const apple = await found({ rows: info({ Architecture: 'aarch64' }), machine: goodMachine({ arch: 'arm64' }) })
    assert.equal(apple.of('processor').status, 'ok')
    const files = { '/proc/cpuinfo': 'flags\t\t: fpu sse4_2 avx512f\n' }
    const old = await found({ machine: goodMachine({ files }) })
    assert.deepEqual([...notOk(old.all), old.of('processor').found], ['processor fail', 'amd64 without AVX'])
    const pi = goodMachine({ arch: 'arm64', files: { '/proc/cpuinfo': 'Features\t: fp asimd crc32 cpuid\n' } })
    const early = await found({ rows: info({ Architecture: 'aarch64' }), machine: pi })
    assert.equal(early.of('processor').found, 'arm64 without what ARMv8.2-A has')
    const unseen = goodMachine({ files: { '/proc/cpuinfo': undefined } })
    assert.deepEqual(notOk((await found({ machine: unseen })).all), [])
    assert.equal((await found({ rows: info({ Architecture: undefined }) })).of('processor').status, 'skipped')
  })
})

describe('the tools', () => {
  it('that are needed have to be there; the others may be missing', async () => {
    const rows = (['kind', 'kubectl', 'helm', 'cilium', 'istioctl'] as const).map(
      (tool) => [tool, { fails: 'missing' }] as const,
    )
    const { all, of } = await found({ rows })
    assert.deepEqual(notOk(all), [
      'kind fail',
      'kubectl fail',
      'helm fail',
      'cilium skipped',
      'istioctl skipped',
      'cluster skipped',
    ])
    assert.match(
      of('kind').remedy?.[0] ?? '',
      new RegExp(`kind\\.sigs\\.k8s\\.io/dl/v${pins.kind.version}/kind-linux-amd64`),
    )
    assert.match(
      of('kubectl').remedy?.[0] ?? '',
      new RegExp(`dl\\.k8s\\.io/release/v${pins.kubernetes}/bin/linux/amd64/kubectl`),
    )
    const noImage = ['docker run', { code: 125 }] as const
    const mac = await found({ rows: [...rows, noImage], machine: goodMachine({ platform: 'macos', arch: 'arm64' }) })
    assert.match(mac.of('kubectl').remedy?.[0] ?? '', /^`brew install kubernetes-cli`/)
  })

  it('may be too old, or too far from what they speak to', async () => {
    const kubectl = (version: string) => ['kubectl version', says({ clientVersion: { gitVersion: version } })] as const
    const old = await found({
      rows: [kubectl('v1.33.1'), ['kind version', { stdout: 'kind v0.31.0 go1.25.5 linux/amd64\n' }]],
    })
    assert.deepEqual(notOk(old.all), ['kind fail', 'kubectl fail', 'cluster skipped'])
    const far = await found({
      rows: [
        kubectl('v1.37.0'),
        ['kind version', { stdout: 'kind v0.34.0\n' }],
        ['istioctl version', { stdout: '1.33.0\n' }],
      ],
    })
    assert.deepEqual(notOk(far.all), ['kind warn', 'kubectl warn', 'istioctl warn'])
    const beside = await found({ rows: [kubectl('v1.34.2'), ['helm version', { stdout: 'v3.20.0+gabc\n' }]] })
    assert.deepEqual(notOk(beside.all), [])
    assert.equal(beside.of('helm').found, '3.20.0 (pinned: 4.3.1)')
  })

  it('may say something else than a version', async () => {
    const stderr = "docker: unknown command: docker buildx\n\nRun 'docker --help' for more information\n"
    const { of } = await found({
      rows: [
        ['docker buildx version', { code: 1, stderr }],
        ['helm version', { code: 2, stderr: 'Illegal instruction\n' }],
        ['kind version', { signal: 'SIGSEGV' }],
        ['istioctl version', { stdout: 'what?\n' }],
      ],
    })
    assert.match(of('buildx').found, /without buildx/)
    assert.equal(of('helm').found, 'does not tell its version (exit 2: Illegal instruction)')
    assert.equal(of('kind').found, 'does not tell its version (ended by SIGSEGV)')
    // One that can be done without is there all the same, and says nothing that is known.
    assert.deepEqual([of('istioctl').status, of('istioctl').found], ['warn', 'does not tell its version (exit 0)'])
  })
})

describe('the machine', () => {
  const limits = (instances: string, watches = '524288\n') => ({
    '/proc/sys/fs/inotify/max_user_instances': instances,
    '/proc/sys/fs/inotify/max_user_watches': watches,
  })

  it("needs inotify limits above the usual ones; on macOS they are the virtual machine's", async () => {
    const status = async (files: Readonly<Record<string, string>>) =>
      (await found({ machine: goodMachine({ files }) })).of('inotify').status
    assert.deepEqual(
      [
        await status(limits('128\n')),
        await status(limits('256\n')),
        await status(limits('512\n')),
        await status(limits('512\n', '8192\n')),
      ],
      ['fail', 'warn', 'ok', 'fail'],
    )
    const mac = goodMachine({ platform: 'macos', files: limits('1') })
    const unseen = await found({
      machine: mac,
      rows: [
        ['docker run', { code: 125, stderr: 'docker: Error response from daemon: No such image: kindest/node\n' }],
      ],
    })
    assert.equal(unseen.of('inotify').status, 'skipped')
    const desktop = { machine: goodMachine({ files: limits('1') }), rows: info({ OperatingSystem: 'Docker Desktop' }) }
    assert.equal((await found(desktop)).of('inotify').status, 'skipped')
    const wsl = { ...desktop, machine: goodMachine({ platform: 'wsl', files: limits('1') }) }
    assert.equal((await found(wsl)).of('inotify').status, 'fail')
    const seen = await found({ machine: mac, rows: [['docker run', { stdout: '1048576\n128\n' }]] })
    assert.deepEqual([seen.of('inotify').status, seen.of('inotify').found], ['fail', '128 instances, 1048576 watches'])
    assert.match(
      seen.tools.lines().find((line) => line.startsWith('docker run')) ?? '',
      /--pull never .*--entrypoint cat kindest\/node/,
    )
  })

  it('needs room on the disk that Docker has, where that is its own', async () => {
    const free = (gib: number) => goodMachine({ freeBytes: async () => gib * 1024 ** 3 })
    assert.equal((await found({ machine: free(5) })).of('disk').status, 'fail')
    assert.equal((await found({ machine: free(15) })).of('disk').status, 'warn')
    const desktop = await found({ machine: free(5), rows: info({ OperatingSystem: 'Docker Desktop' }) })
    assert.equal(desktop.of('disk').status, 'skipped')
  })

  it('needs the ports of the doors, unless the cluster itself has them', async () => {
    const taken = goodMachine({ isFree: async (_, port) => port !== 30081 })
    const program = await found({ machine: taken })
    assert.deepEqual(notOk(program.all), ['port-30081 fail'])
    assert.match(program.of('port-30081').found, /another program/)
    const ps = (name: string) =>
      [['docker ps', { stdout: `${name}\t127.0.0.1:30081->30081/tcp, 127.0.0.1:41234->6443/tcp\n` }]] as const
    assert.match((await found({ machine: taken, rows: ps('web') })).of('port-30081').found, /the container web has it/)
    assert.deepEqual(notOk((await found({ machine: taken, rows: ps('bulkhead-control-plane') })).all), [])
    // Docker writes ports that follow one another as one: so is the cluster's own.
    const [none, ports] = [goodMachine({ isFree: async () => false }), '127.0.0.1:30080-30081->30080-30081/tcp']
    const own = `bulkhead-control-plane\t127.0.0.1:41234->6443/tcp, ${ports}, 127.0.0.1:30450->30450/tcp\n`
    assert.deepEqual(notOk((await found({ machine: none, rows: [['docker ps', { stdout: own }]] })).all), [])
    const next = 'web\t0.0.0.0:30079->80/tcp, [::]:30082-30090->30082-30090/tcp\n'
    assert.match(
      (await found({ machine: none, rows: [['docker ps', { stdout: next }]] })).of('port-30081').found,
      /another program/,
    )
    // In a virtual machine a container has a port that is free here.
    assert.equal((await found({ rows: ps('web') })).of('port-30081').status, 'fail')
  })
})

describe('the network', () => {
  it('has a proxy that nodes can reach, or none', async () => {
    const env = (proxy: string) => ({ machine: goodMachine({ env: { HTTPS_PROXY: proxy } }) })
    const far = (await found(env('http://me:hush@proxy.corp:3128'))).of('proxy')
    assert.deepEqual([far.status, far.found], ['warn', 'http://proxy.corp:3128 is set here'])
    for (const proxy of ['http://127.0.0.1:3128', 'localhost:8080', 'http://u:p@localhost:1'])
      assert.match((await found(env(proxy))).of('proxy').found, /is on this machine itself$/, proxy)
    const engines = await found({ rows: info({ HttpsProxy: 'http.docker.internal:3128' }) })
    assert.deepEqual(
      [engines.of('proxy').status, engines.of('proxy').found],
      ['ok', "Docker's own: http.docker.internal:3128"],
    )
  })

  it("knows a proxy of Docker's configuration, which reaches the nodes by a kind that does not know it", async () => {
    const config = (proxies: unknown) => JSON.stringify({ auths: {}, proxies })
    const files = {
      '/home/me/.docker/config.json': config({ default: { httpProxy: 'http://me:hush@proxy.corp:3128' } }),
    }
    const machine = (env: Machine['env'] = {}) => goodMachine({ env: { HOME: '/home/me', ...env }, files })
    const kind = (version: string) => [['kind version', { stdout: `kind v${version} go1.26.1 linux/amd64\n` }]] as const
    const proxy = async (given: Given) => (await found(given)).of('proxy')
    const named = 'http://proxy.corp:3128 is in /home/me/.docker/config.json'
    const old = await proxy({ machine: machine(), rows: kind('0.32.0') })
    assert.deepEqual([old.status, old.found], ['warn', `${named}, of which kind 0.32.0 knows nothing`])
    assert.match(old.why ?? '', /without NO_PROXY/)
    assert.match(old.remedy?.join('\n') ?? '', /0\.33\.0[\s\S]*env HTTP_PROXY=http:\/\/proxy\.corp:3128 /)
    const now = await proxy({ machine: machine(), rows: kind('0.33.0') })
    assert.deepEqual([now.status, now.found], ['warn', named])
    assert.match(now.why ?? '', /with NO_PROXY/)
    // What is in the environment is taken by every kind.
    const both = await proxy({ machine: machine({ HTTPS_PROXY: 'http://other:1' }), rows: kind('0.32.0') })
    assert.equal(both.found, 'http://other:1 is set here')
    // Of another engine, of none, and of what is no configuration.
    const some = { 'tcp://far:2376': { httpsProxy: 'http://localhost:9' } }
    for (const [text, host, what] of [
      [config(some), undefined, 'none'],
      [config(some), 'tcp://far:2376', 'http://localhost:9 is in /d/config.json, and is on this machine itself'],
      [config({ default: {} }), undefined, 'none'],
      [config(null), undefined, 'none'],
      ['{', undefined, 'none'],
    ] as const) {
      const env = { HOME: '/home/me', DOCKER_CONFIG: '/d', DOCKER_HOST: host }
      const read = goodMachine({ env, files: { ...files, '/d/config.json': text } })
      assert.equal((await proxy({ machine: read, rows: kind('0.32.0') })).found, what)
    }
  })

  it('has a mirror of which the nodes know nothing, or none', async () => {
    const mirrors = (list: unknown) => found({ rows: info({ RegistryConfig: { Mirrors: list } }) })
    const { status, found: what } = (await mirrors(['https://me:hush@hub.corp/'])).of('mirror')
    assert.deepEqual([status, what], ['warn', 'https://hub.corp/ in the place of Docker Hub'])
    for (const list of [[], null, 'x']) assert.deepEqual(notOk((await mirrors(list)).all), [])
  })

  it('has no other route to the addresses of nodes, pods and Services', async () => {
    const table = (line: string) => ({
      machine: goodMachine({ files: { '/proc/net/route': `Iface\tDestination\n${line}\n` } }),
    })
    const route = (device: string, destination: string, mask: string) =>
      table(`${device}\t${destination}\t0\t1\t0\t0\t0\t${mask}\t0\t0\t0`)
    const vpn = (await found(route('tun0', '000010AC', '0000F0FF'))).of('routes')
    assert.deepEqual(
      [vpn.status, vpn.found],
      ['warn', '172.16.0.0/12 goes to tun0, and the cluster uses 172.18.0.0/16'],
    )
    const pods = (await found(route('tun0', '0000000A', '000000FF'))).of('routes')
    assert.equal(pods.found, '10.0.0.0/8 goes to tun0, and the cluster uses 10.244.0.0/16')
    assert.equal((await found(route('br-1234', '000012AC', '0000FFFF'))).of('routes').status, 'ok')
    // Everything goes to the VPN, in two halves: that is no network of its own.
    assert.equal((await found(route('tun0', '00000080', '00000080'))).of('routes').status, 'ok')
    assert.equal(
      (await found({ machine: goodMachine({ files: { '/proc/net/route': undefined } }) })).of('routes').status,
      'skipped',
    )
  })
})
