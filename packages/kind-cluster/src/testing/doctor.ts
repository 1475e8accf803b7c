import type { Machine } from '../doctor/types.js'
import { noOutside } from './outside.js'
import type { Answers, Matcher } from './recording.js'

const GIB = 1024 ** 3

/** What `docker info` says on a machine that has all that a cluster needs. */
export const goodInfo = {
  NCPU: 8,
  MemTotal: 16 * GIB,
  CgroupVersion: '2',
  KernelVersion: '6.8.0-45-generic',
  OSType: 'linux',
  Architecture: 'x86_64',
  OperatingSystem: 'Ubuntu 24.04.1 LTS',
  Name: 'laptop',
  DockerRootDir: '/var/lib/docker',
  SecurityOptions: ['name=apparmor', 'name=seccomp,profile=builtin', 'name=cgroupns'],
  HttpProxy: '',
  HttpsProxy: '',
  RegistryConfig: { Mirrors: [] as readonly string[] },
}

export const goodVersion = {
  Client: { Version: '29.1.3' },
  Server: { Platform: { Name: 'Docker Engine - Community' }, Version: '29.1.3' },
}

type Row = readonly [Matcher, Answers]

/** What the tools say on such a machine; rows that are given come first. */
export const goodAnswers = (first: readonly Row[] = []): readonly Row[] => [
  ...first,
  ['docker version', { stdout: `${JSON.stringify(goodVersion)}\n` }],
  ['docker info', { stdout: `${JSON.stringify(goodInfo)}\n` }],
  ['docker context inspect', { stdout: 'unix:///var/run/docker.sock\n' }],
  ['docker buildx version', { stdout: 'github.com/docker/buildx v0.30.1 9e66234aa13328a5e75b75aa5574e1ca6d6d9c01\n' }],
  ['kind version', { stdout: 'kind v0.33.0 go1.26.1 linux/amd64\n' }],
  ['kubectl version', { stdout: '{"clientVersion":{"gitVersion":"v1.35.8"},"kustomizeVersion":"v5.7.1"}\n' }],
  ['helm version', { stdout: 'v4.3.1+g2ab8c54\n' }],
  ['cilium version', { stdout: 'cilium-cli: v0.19.0 compiled with go1.25.5 on linux/amd64\n' }],
  ['istioctl version', { stdout: 'client version: 1.30.4\n' }],
  ['docker ps', { stdout: 'registry\t127.0.0.1:5000->5000/tcp\n' }],
  ['docker network inspect', { stdout: '172.18.0.0/16 fc00:f853:ccd:e793::/64 \n' }],
  ['kind get clusters', { stderr: 'No kind clusters found.\n' }],
  noOutside,
]

const files: Readonly<Record<string, string>> = {
  '/proc/sys/fs/inotify/max_user_watches': '1048576\n',
  '/proc/sys/fs/inotify/max_user_instances': '8192\n',
  '/proc/cpuinfo': 'processor\t: 0\nflags\t\t: fpu sse4_2 avx avx2\n',
  '/proc/net/route': [
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT',
    'wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0',
    'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
    'wlan0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0',
    '',
  ].join('\n'),
}

/** A machine that has all that a cluster needs, but for what is given. */
export function goodMachine(
  given: Partial<Machine> & { readonly files?: Readonly<Record<string, string | undefined>> } = {},
): Machine {
  const all = { ...files, ...given.files }
  return {
    platform: 'linux',
    arch: 'amd64',
    env: {},
    readText: (path) => all[path],
    freeBytes: async () => 100 * GIB,
    isFree: async () => true,
    ...given,
  }
}
