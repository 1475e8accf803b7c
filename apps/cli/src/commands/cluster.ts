import { type Command, InvalidArgumentError } from 'commander'
import type { BundleOptions } from '../cluster/bundle.js'
import type { DoctorOptions } from '../cluster/doctor.js'
import type { Io } from '../io.js'
import { type JsonOption, type StateOption, withHelp, withJson, withState } from '../options.js'

/*
 * `bulkhead cluster ...`: the same on a cluster of kind's. What each does is in ../cluster; it is loaded when it is asked for, since the
 * other commands have no use for it.
 */
export function register(program: Command, io: Io): void {
  const cluster = program
    .command('cluster')
    .description('The same on a real cluster: kind with Cilium, Istio ambient and Kyverno, on this machine.')
    .helpCommand(false)
  withHelp(cluster, {
    examples: ['npx bulkhead cluster up --plan', 'npx bulkhead cluster up', 'npx bulkhead cluster down'],
    exit: 'each of its commands says its own.',
  })
  registerDoctor(cluster, io)
  registerUp(cluster, io)
  registerStatus(cluster, io)
  registerDown(cluster, io)
  registerSecrets(cluster, io)
  registerBundle(cluster, io)
  registerUnpack(cluster, io)
}

function registerDoctor(cluster: Command, io: Io): void {
  const command = cluster
    .command('doctor')
    .description(
      'Look whether this machine has what a cluster needs, and say how to get what it lacks. With a cluster up it is proven that its network enforces policies, too.',
    )
    .option('--registries', 'ask the registries of images and charts, too')
    .option('--no-canary', 'leave out the proof on the cluster that is up')
    .action(async (options: DoctorOptions) => (await import('../cluster/doctor.js')).doctor(options, io))
  withHelp(withJson(withState(command)), {
    examples: ['npx bulkhead cluster doctor', 'npx bulkhead cluster doctor --registries --json'],
    exit: '0 nothing stands in the way, 1 something does.',
  })
}

type PlanOptions = JsonOption & StateOption & { readonly plan?: boolean }
type UpOptions = PlanOptions & { readonly bundle?: string }

function registerUp(cluster: Command, io: Io): void {
  const command = cluster
    .command('up')
    .description(
      'Make the cluster and everything on it, and run the suite from inside its pods. What is there already stays: after a failure or Ctrl-C the same command goes on.',
    )
    .option('--plan', 'print what would be done, as lines to type; nothing is run, and no tool is needed')
    .option(
      '--bundle <file>',
      'take everything that would be fetched from a file of `cluster bundle`: no network is needed',
    )
    .action(async (options: UpOptions) => (await import('../cluster/up.js')).up(options, io))
  withHelp(withJson(withState(command)), {
    examples: [
      'npx bulkhead cluster up --plan',
      'npx bulkhead cluster up',
      'npx bulkhead cluster up --plan --json',
      'npx bulkhead cluster up --bundle bulkhead-bundle.tar',
    ],
    exit: '0 it is up and the suite found no difference, 1 it is up and the suite found some, 2 a step failed, or the cluster is not ours.',
  })
}

function registerStatus(cluster: Command, io: Io): void {
  const command = cluster
    .command('status')
    .description('What is up on the cluster: nodes, components, layers, workloads, doors.')
    .action(async (options: JsonOption & StateOption) => (await import('../cluster/status.js')).status(options, io))
  withHelp(withJson(withState(command)), {
    examples: ['npx bulkhead cluster status', 'npx bulkhead cluster status --json'],
    exit: '0 everything is ready, 1 not everything, 2 there is no cluster of ours, or it does not answer.',
  })
}

function registerDown(cluster: Command, io: Io): void {
  const command = cluster
    .command('down')
    .description('Delete the cluster and all that is kept of it here. What Docker keeps is said.')
    .option('--plan', 'print what would be done, as lines to type')
    .action(async (options: PlanOptions) => (await import('../cluster/down.js')).down(options, io))
  withHelp(withJson(withState(command)), {
    examples: ['npx bulkhead cluster down', 'npx bulkhead cluster down --plan'],
    exit: '0 it is gone, 2 there was none, or it is not ours.',
  })
}

function registerSecrets(cluster: Command, io: Io): void {
  const command = cluster
    .command('secrets')
    .description(
      'Print the passwords and keys that no file holds, as manifests: made now, but for what the cluster has. A step of the plan, for whoever types it.',
    )
    .action(async (options: StateOption) => (await import('../cluster/secrets.js')).secrets(options, io))
  withHelp(withState(command), {
    examples: [
      'npx bulkhead cluster secrets | kubectl --kubeconfig .bulkhead/kind/kubeconfig --context kind-bulkhead apply --server-side --field-manager bulkhead-secrets -f -',
    ],
    exit: '0, or 2 when there is no cluster of ours, or it does not answer.',
  })
}

const platforms = ['linux/amd64', 'linux/arm64'] as const

function registerBundle(cluster: Command, io: Io): void {
  const each = (given: string, before: readonly string[] = []): readonly string[] => {
    const all = given.split(',')
    const wrong = all.find((one) => !platforms.some((platform) => platform === one))
    if (wrong === undefined) return [...before, ...all]
    throw new InvalidArgumentError(`it has to be ${platforms.join(' or ')}, or both with a comma between.`)
  }
  const command = cluster
    .command('bundle')
    .argument('[file]', 'where the archive goes (default: .bulkhead/bulkhead-bundle.tar)')
    .description(
      'Make an archive of everything that a cluster fetches, for a classroom without a network: all images, charts, definitions, the packages of npm, with checksums. Gigabytes, and some minutes. After a failure or Ctrl-C the same command goes on.',
    )
    .option(
      '--platform <platform>',
      'what the nodes are there: linux/amd64, linux/arm64, or both with a comma between (default: as here)',
      each,
    )
    .action(async (file: string | undefined, options: BundleOptions) =>
      (await import('../cluster/bundle.js')).bundle(file, options, io),
    )
  withHelp(withJson(withState(command)), {
    examples: [
      'npx bulkhead cluster bundle',
      'npx bulkhead cluster bundle ~/bulkhead.tar --platform linux/amd64,linux/arm64',
    ],
    exit: '0, or 2 when something could not be fetched, or there is no room.',
  })
}

function registerUnpack(cluster: Command, io: Io): void {
  const command = cluster
    .command('unpack')
    .argument('<file>', 'a file of `cluster bundle`')
    .description(
      'Check a bundle, every file of it, and unpack what a cluster is made from. The first step of `up --bundle`, for whoever types the plan.',
    )
    .action(async (file: string, options: JsonOption & StateOption) =>
      (await import('../cluster/bundle.js')).unpack(file, options, io),
    )
  withHelp(withJson(withState(command)), {
    examples: ['npx bulkhead cluster unpack bulkhead-bundle.tar'],
    exit: '0, or 2 when it is damaged, or was made for another version or another processor.',
  })
}
