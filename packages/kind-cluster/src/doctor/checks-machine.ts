import { nodeNames } from '../plan/images.js'
import type { Command } from '../tools.js'
import { remedyOf } from './causes.js'
import { info } from './checks-engine.js'
import { readInfo } from './engine-info.js'
import { recorded } from './recorded.js'
import type { Check, Ground, Judgement, Machine, Seen } from './types.js'

const GIB = 1024 ** 3
const WATCHES = '/proc/sys/fs/inotify/max_user_watches'
const INSTANCES = '/proc/sys/fs/inotify/max_user_instances'

const VMS = "they are those of Docker's virtual machine"

/** What kind's own page asks for, and what is known not to be enough for three nodes. */
const wanted = { watches: 524_288, instances: 512 }
const tooFew = { watches: 8_192, instances: 128 }

/** What of the machine a cluster shares with everything else on it: limits of the kernel, the disk, ports. */
export function machineChecks(ground: Ground): readonly Check[] {
  return [inotifyCheck(ground), diskCheck(ground), ...portChecks(ground)]
}

function inotifyCheck(ground: Ground): Check {
  const { machine, pins } = ground
  const asks = "Are the kernel's inotify limits high enough for three nodes?"
  if (machine.platform !== 'macos')
    return {
      id: 'inotify',
      asks,
      command: info,
      judge: (seen) => {
        const read = seen.kind === 'answered' ? readInfo(seen.result.stdout) : undefined
        // Docker Desktop on Linux; in WSL its engine has the same kernel as this.
        if (machine.platform === 'linux' && read?.inVm === true) return { status: 'skipped', found: VMS }
        return judgeInotify(machine.readText(WATCHES), machine.readText(INSTANCES), machine)
      },
    }
  // The limits are those of the virtual machine; a container sees them, and only one of an image that is there is started for it.
  const args = [
    'run',
    '--rm',
    '--pull',
    'never',
    '--network',
    'none',
    '--entrypoint',
    'cat',
    pins.kind.node,
    WATCHES,
    INSTANCES,
  ]
  const command: Command = { tool: 'docker', args, timeoutMs: 60_000 }
  return {
    id: 'inotify',
    asks,
    after: ['docker'],
    command,
    judge: (seen) => {
      if (seen.kind !== 'answered' || seen.result.code !== 0)
        return {
          status: 'skipped',
          found: `${VMS}, and are looked at once the node image is here`,
        }
      const [watches, instances] = seen.result.stdout.split('\n')
      return judgeInotify(watches, instances, machine)
    },
  }
}

function judgeInotify(watchesText: string | undefined, instancesText: string | undefined, machine: Machine): Judgement {
  const [watches, instances] = [Number(watchesText?.trim()), Number(instancesText?.trim())]
  if (!(watches > 0 && instances > 0)) return { status: 'skipped', found: 'this kernel does not tell them' }
  const found = `${instances} instances, ${watches} watches`
  if (instances >= wanted.instances && watches >= wanted.watches) return { status: 'ok', found }
  return {
    status: instances <= tooFew.instances || watches <= tooFew.watches ? 'fail' : 'warn',
    found,
    why: `All nodes share them with everything else here; ${wanted.instances} and ${wanted.watches} are enough. Without them kubelets and pods fail with "too many open files".`,
    remedy: remedyOf('inotify', machine.platform),
  }
}

/** Docker's containers and their ports, to tell who has one. */
const containers: Command = { tool: 'docker', args: ['ps', '--format', '{{.Names}}\t{{.Ports}}'], timeoutMs: 30_000 }

function diskCheck({ machine, place }: Ground): Check {
  return {
    id: 'disk',
    asks: 'Is there room for images and nodes?',
    after: ['docker'],
    command: info,
    besides: containers,
    judge: (seen, running) => {
      const [, worker] = nodeNames
      const names =
        running?.kind === 'answered' ? running.result.stdout.split('\n').map((one) => one.split('\t')[0]) : []
      const isUp = recorded(place)?.steps.ready !== undefined && names.includes(worker)
      return judgeDisk(seen, machine, isUp ? afterUp : beforeUp)
    },
  }
}

/** How much has to be free, in GiB: enough, too little, and what for. */
interface Room {
  readonly enough: number
  readonly least: number
  readonly why: string
}

const beforeUp: Room = {
  ...{ enough: 20, least: 10 },
  why: 'The node image, those of the platform and of the apps are unpacked on each of three nodes.',
}
const afterUp: Room = {
  ...{ enough: 5, least: 2 },
  why: 'The cluster is up, and all images are unpacked: what still grows are logs, the databases and an app that is built anew.',
}

async function judgeDisk(seen: Seen, machine: Machine, { enough, least, why }: Room): Promise<Judgement> {
  const read = seen.kind === 'answered' ? readInfo(seen.result.stdout) : undefined
  const free = read === undefined || read.inVm ? undefined : await machine.freeBytes(read.root)
  if (free === undefined)
    return {
      status: 'skipped',
      found: `it is the disk of Docker's virtual machine, and cannot be seen from here: ${enough} GiB free are enough`,
    }
  const found = `${Math.floor(free / GIB)} GiB free in ${read?.root}`
  if (free >= enough * GIB) return { status: 'ok', found }
  return {
    status: free < least * GIB ? 'fail' : 'warn',
    found,
    why,
    remedy: remedyOf('no-space', machine.platform),
  }
}

function portChecks({ machine, config }: Ground): readonly Check[] {
  return config.ports.map(({ address, port }) => ({
    id: `port-${port}`,
    asks: `Is port ${port} of ${address} free for a door of the cluster?`,
    command: containers,
    judge: async (seen: Seen) => judgePort(await machine.isFree(address, port), port, seen, machine),
  }))
}

function judgePort(free: boolean, port: number, seen: Seen, machine: Machine): Judgement {
  const holder = seen.kind === 'answered' ? holderOf(port, seen.result.stdout) : undefined
  if (holder?.startsWith('bulkhead-')) return { status: 'ok', found: `held by ${holder}, the cluster itself` }
  if (free && holder === undefined) return { status: 'ok', found: 'free' }
  return {
    status: 'fail',
    found: holder === undefined ? 'another program listens there' : `the container ${holder} has it`,
    why: `kind maps it to a gateway's NodePort, and cannot make the cluster while somebody else has it.`,
    remedy: remedyOf('port-taken', machine.platform),
  }
}

/** Docker writes ports that follow one another as one: `127.0.0.1:30080-30081->30080-30081/tcp`. */
function holderOf(port: number, stdout: string): string | undefined {
  const publishes = (ports: string): boolean =>
    [...ports.matchAll(/:(\d+)(?:-(\d+))?->/g)].some(
      ([, first, last = first]) => port >= Number(first) && port <= Number(last),
    )
  const line = stdout.split('\n').find((one) => publishes(one.split('\t')[1] ?? ''))
  return line?.split('\t')[0]
}
