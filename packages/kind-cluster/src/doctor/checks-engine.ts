import type { Command } from '../tools.js'
import { causeOf, remedyOf } from './causes.js'
import { type EngineInfo, readInfo, readVersions } from './engine-info.js'
import { howToGet } from './get.js'
import type { Check, Ground, Judgement, Machine, Seen } from './types.js'
import { compareVersions, versionIn } from './versions.js'

const GIB = 1024 ** 3

const version: Command = { tool: 'docker', args: ['version', '--format', '{{json .}}'], timeoutMs: 30_000 }
/** Asked once, whoever needs it. */
export const info: Command = { tool: 'docker', args: ['info', '--format', '{{json .}}'], timeoutMs: 30_000 }

const context: Command = {
  tool: 'docker',
  args: ['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'],
  timeoutMs: 30_000,
}

/** The oldest kernel that Cilium's documents ask for. */
const KERNEL = '5.10.0'

/** Docker: there, running, to be spoken to, and large enough. What it says of itself is what the nodes will have. */
export function engineChecks(ground: Ground): readonly Check[] {
  const ofInfo = (id: string, asks: string, judge: (info: EngineInfo) => Judgement): Check => ({
    id,
    asks,
    after: ['docker'],
    command: info,
    judge: (seen) => {
      const read = seen.kind === 'answered' ? readInfo(seen.result.stdout) : undefined
      return read === undefined ? { status: 'warn', found: '`docker info` did not say' } : judge(read)
    },
  })
  return [
    {
      id: 'docker-client',
      asks: 'Is the program docker there?',
      command: version,
      judge: (seen) => judgeClient(seen, ground),
    },
    {
      id: 'docker',
      asks: 'Does a Docker engine run, and may this user speak to it?',
      after: ['docker-client'],
      command: version,
      judge: (seen) => judgeEngine(seen, ground),
    },
    {
      id: 'engine-place',
      asks: 'Is the engine on this machine?',
      after: ['docker'],
      command: context,
      judge: judgePlace,
    },
    ofInfo('engine-kind', 'Can this engine be the host of nodes?', judgeKind),
    ofInfo('processor', "Is the engine's processor the one that images are fetched for, and new enough?", (read) =>
      judgeProcessor(read, ground.machine),
    ),
    ofInfo('cpus', 'Has the engine enough CPUs?', ({ cpus }) => judgeCpus(cpus)),
    ofInfo('memory', 'Has the engine enough memory?', ({ memory }) => judgeMemory(memory)),
    ofInfo('cgroup', 'Are control groups of version 2?', ({ cgroup }) =>
      cgroup === '2'
        ? { status: 'ok', found: 'version 2' }
        : {
            status: 'fail',
            found: cgroup === '' ? 'of no version that is told' : `version ${cgroup}`,
            why: `Kubernetes ${ground.pins.kubernetes} runs on version 2 alone.`,
            remedy: remedyOf('cgroup-v1', ground.machine.platform),
          },
    ),
    ofInfo('kernel', 'Is the kernel new enough for Cilium?', ({ kernel }) => judgeKernel(kernel)),
  ]
}

function judgeClient(seen: Seen, ground: Ground): Judgement {
  const why = 'The nodes of the cluster are containers.'
  if (seen.kind === 'missing') return { status: 'fail', found: 'not there', why, remedy: howToGet('docker', ground) }
  if (seen.kind === 'failed') return { status: 'fail', found: seen.error.message, why }
  const { stdout, stderr } = seen.result
  if (/emulate docker cli using podman/i.test(stderr))
    return podman('it is podman under the name of docker', howToGet('docker', ground))
  const { client } = readVersions(stdout)
  if (client === undefined) return { status: 'warn', found: 'it does not tell its version' }
  const { least } = ground.pins.tools.docker
  return compareVersions(client, least) < 0
    ? {
        status: 'fail',
        found: `${client} is too old: ${least} is the oldest that will do`,
        why,
        remedy: howToGet('docker', ground),
      }
    : { status: 'ok', found: client }
}

const podman = (found: string, remedy: readonly string[]): Judgement => ({
  status: 'fail',
  found,
  why: 'kind can do with podman; the plan cannot: podman saves an image without asking for which platform, and its words are not those of Docker.',
  remedy,
})

function judgeEngine(seen: Seen, { machine, pins }: Ground): Judgement {
  const why = 'Nothing of a cluster can be made without it.'
  if (seen.kind !== 'answered')
    return { status: 'fail', found: seen.kind === 'missing' ? 'docker is not there' : seen.error.message, why }
  const { code, stdout, stderr } = seen.result
  const { server, desktop } = readVersions(stdout)
  if (code === 0 && server !== undefined) {
    if (/"Podman Engine"/.test(stdout))
      return podman('it is podman that answers', ['`docker context ls`, and DOCKER_HOST, say which engine is asked.'])
    const found = `${server}${desktop === undefined ? '' : ` of ${desktop}`}`
    const { least } = pins.tools.docker
    if (compareVersions(server, least) >= 0) return { status: 'ok', found: `${found} answers` }
    return {
      status: 'fail',
      found: `${found} is too old: ${least} is the oldest that will do`,
      why: 'The engine is what saves an image for one platform; the program docker may be newer than it.',
      remedy: ['Update Docker Desktop, or whatever brings the engine: `docker context ls` says which is asked.'],
    }
  }
  const known = causeOf(stderr, machine.platform)
  const said = stderr.trim().split('\n')[0]
  return {
    status: 'fail',
    found: known?.cause ?? (said === undefined || said === '' ? 'it does not answer' : said),
    why,
    ...(known && { remedy: known.remedy }),
  }
}

const HERE = /^(?:unix:|npipe:|fd:|(?:tcp|https?|ssh):\/\/(?:[^@/]*@)?(?:127(?:\.\d+){3}|localhost|\[::1\])(?:[:/]|$))/

function judgePlace(seen: Seen): Judgement {
  const host = seen.kind === 'answered' && seen.result.code === 0 ? seen.result.stdout.trim() : ''
  if (host === '') return { status: 'skipped', found: 'docker does not say which one it asks' }
  if (HERE.test(host)) return { status: 'ok', found: host }
  return {
    status: 'fail',
    found: `${host} is another machine`,
    why: 'The API server and the doors of the cluster would be on the loopback of that one, where nothing here reaches them.',
    remedy: [
      'Is DOCKER_HOST set? Else `docker context ls`, and `docker context use default`. Or clone the repository over there.',
    ],
  }
}

function judgeKind({ os, rootless }: EngineInfo): Judgement {
  if (os !== 'linux')
    return {
      status: 'fail',
      found: `it runs containers of ${os === '' ? 'nobody knows what' : os}`,
      why: 'Nodes are Linux containers.',
      remedy: ['In Docker Desktop: "Switch to Linux containers".'],
    }
  if (rootless)
    return {
      status: 'warn',
      found: 'it runs without root',
      why: 'kind can do that under conditions of its own; Cilium loads programs into the kernel, and that has not been tried so.',
      remedy: ['Use an engine that runs as root for this cluster: `docker context ls`, `docker context use default`.'],
    }
  return { status: 'ok', found: 'Linux containers' }
}

function judgeProcessor({ arch }: EngineInfo, machine: Machine): Judgement {
  if (arch === '') return { status: 'skipped', found: 'it is not told' }
  if (arch !== machine.arch)
    return {
      status: 'fail',
      found: `the engine's is ${arch}, and this Node.js is for ${machine.arch}`,
      why: 'Images are fetched for the processor that Node.js is for, and the nodes have that of the engine.',
      remedy: [
        "Take a Node.js for the engine's processor (`node -p process.arch`): on a Mac of Apple's own processors one for Intel's runs as well, by Rosetta.",
        "Or an engine of this machine's own: `docker context ls`.",
      ],
    }
  const needed = ofMongo[arch]
  // Where it can be seen from here at all, a virtual machine's included.
  const features = needed?.features.exec(machine.readText('/proc/cpuinfo') ?? '')?.[1]?.split(/\s+/)
  if (needed === undefined || features === undefined || features.includes(needed.feature))
    return { status: 'ok', found: arch }
  return {
    status: 'fail',
    found: `${arch} without ${needed.called}`,
    why: 'MongoDB, which the manager keeps its data in, does not start on it since its version 5: its pods end with exit code 132.',
    remedy: ["In a virtual machine: give it the host's own kind of CPU (`host`, `host-passthrough`)."],
  }
}

/** What MongoDB is compiled for since its version 5, and a feature by which the kernel shows that it is there. */
const ofMongo: Readonly<
  Record<string, { readonly called: string; readonly features: RegExp; readonly feature: string }>
> = {
  amd64: { called: 'AVX', features: /^flags\s*:(.*)$/m, feature: 'avx' },
  arm64: { called: 'what ARMv8.2-A has', features: /^Features\s*:(.*)$/m, feature: 'atomics' },
}

function judgeCpus(cpus: number): Judgement {
  const found = `${cpus}`
  const why =
    'Three nodes, a network, a mesh and an admission controller start at once; below that they do not come up in the time that they have.'
  const remedy = [
    "Give Docker at least 4 (Docker Desktop: Settings, Resources; a machine of one's own: that is how many it has).",
  ]
  if (cpus < 2) return { status: 'fail', found, why, remedy }
  return cpus < 4 ? { status: 'warn', found, why, remedy } : { status: 'ok', found }
}

function judgeMemory(bytes: number): Judgement {
  const gib = bytes / GIB
  const found = `${gib.toFixed(1)} GiB`
  const why = 'What has no memory left is ended by the kernel, and looks like a failure of its own.'
  const remedy = [
    'Give Docker at least 8 GiB (Docker Desktop: Settings, Resources, Memory; WSL: "memory" in `%UserProfile%\\.wslconfig`).',
  ]
  if (gib < 5) return { status: 'fail', found, why, remedy }
  // Of 8 GiB a machine keeps some for itself.
  return gib < 7.5 ? { status: 'warn', found, why, remedy } : { status: 'ok', found }
}

function judgeKernel(kernel: string): Judgement {
  const found = versionIn(kernel)
  if (found === undefined) return { status: 'warn', found: 'it is not told' }
  if (compareVersions(found, KERNEL) >= 0) return { status: 'ok', found: kernel }
  return {
    status: 'fail',
    found: kernel,
    why: `Cilium needs ${KERNEL} or newer: it enforces by programs that it loads into the kernel.`,
    remedy: ['Update the machine, Docker Desktop or WSL (`wsl --update`).'],
  }
}
