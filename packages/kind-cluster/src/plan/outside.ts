import { inspectWith, kindNetwork, outsideLabel, outsideName } from '../outside/index.js'
import type { Pins } from '../pins.js'
import type { UnpackedBundle } from './bundled.js'
import type { Commands } from './commands.js'
import { workers } from './images.js'
import type { Action, Step } from './types.js'

/** What CoreDNS is told of it. */
const COREFILE = 'k8s/platform/outside/coredns.yaml'

/** What it may do and have: nothing but listen. */
const hardened = [
  ...['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--user', '10001:10001'],
  // Of its own network namespace: who is not root may listen at 80 and 443 there.
  ...['--sysctl', 'net.ipv4.ip_unprivileged_port_start=0', '--memory', '128m', '--pids-limit', '64'],
]

/**
 * A host outside of the cluster, for what is let out and for what should not be: a container beside the nodes. Its name is answered for by
 * Docker, with the address that it has at that moment; CoreDNS leads every name below `example` to that name.
 */
export function outsideSteps(commands: Commands, pins: Pins, bundle?: UnpackedBundle): readonly Step[] {
  const { docker, kubectl, waiting } = commands
  const image = pins.images.find((one) => one.startsWith('localhost/bulkhead/probe:'))
  if (image === undefined) throw new RangeError("the pins name no image of the probe's")
  const archive = bundle?.archives.find(({ images }) => images.includes(image))?.file
  const run = docker(
    [
      ...['run', '--detach', '--name', outsideName, '--label', `${outsideLabel.name}=${outsideLabel.value}`],
      ...['--network', kindNetwork, '--restart', 'unless-stopped', ...hardened, '--pull', 'never', image, 'outside'],
    ],
    2,
  )
  const load: readonly Action[] =
    archive === undefined
      ? []
      : [
          {
            kind: 'run',
            command: docker(['image', 'load', '--input', archive], 15),
            note: 'Docker itself has the image of a bundle from here on',
          },
        ]
  const ask = [
    'exec',
    workers[0] ?? '',
    'curl',
    '--silent',
    '--noproxy',
    '*',
    '--max-time',
    '5',
    `http://${outsideName}/`,
  ]
  const dns = ['--namespace', 'kube-system']
  return [
    {
      id: 'outside',
      part: 'platform',
      title: 'Start a host outside of the cluster',
      why: "A wall that lets nobody out is only seen to hold where somebody would answer. A container beside the nodes plays an attacker's host, and a partner's: it says how much arrived, keeps nothing and calls nobody. It has no secret, no port of this machine, no right to change anything.",
      actions: [
        ...load,
        { kind: 'run', command: run },
        {
          kind: 'says',
          command: docker(ask, 1),
          text: '"stand-in":true',
          meaning: 'A node finds it by its name, and is answered',
          withinMs: 30_000,
        },
      ],
      done: { command: inspectWith(image), holds: { kind: 'outside' } },
    },
    {
      id: 'outside-names',
      part: 'platform',
      title: 'Lead the names below example to it',
      why: "Nobody has them in the world (RFC 2606). All else of CoreDNS's configuration stays as kubeadm wrote it. It would notice by itself, a minute or two later.",
      actions: [
        {
          kind: 'run',
          command: kubectl([...dns, 'patch', 'configmap', 'coredns', '--type', 'merge', '--patch-file', COREFILE]),
        },
        { kind: 'run', command: kubectl([...dns, 'rollout', 'restart', 'deployment/coredns']) },
        {
          kind: 'wait',
          command: waiting([...dns, 'rollout', 'status', 'deployment/coredns'], 3),
          until: 'names are answered by pods that know of it',
        },
      ],
      files: [COREFILE],
      done: 'proven',
    },
  ]
}
