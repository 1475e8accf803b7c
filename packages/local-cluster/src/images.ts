import { fileURLToPath } from 'node:url'
import type { Container } from '@bulkhead/resources'

/** How an image's program is started on this machine. */
export interface Image {
  /** The folder that stands for the image's `/app`. */
  readonly root: string
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  /** What a container has in its environment unless its manifest says otherwise. */
  readonly env?: Readonly<Record<string, string>>
  /** Folders that get a volume of their own where nothing is mounted. */
  readonly volumes?: readonly string[]
}

/** Keyed by repository, without tag and digest. */
export type ImageTable = ReadonlyMap<string, Image>

const app = (name: string): string => fileURLToPath(new URL(`../../../apps/${name}`, import.meta.url))

/** The images of this repository, and those that a program of it stands for: what their Dockerfiles say, here. */
export const localImages: ImageTable = new Map([
  [
    'localhost/bulkhead/chain-service',
    { root: app('chain-service'), entrypoint: ['node', '/app/dist/main.js'], cmd: [] },
  ],
  ['localhost/bulkhead/hello-app', { root: app('hello-app'), entrypoint: ['node', '/app/dist/main.js'], cmd: [] }],
  [
    'localhost/bulkhead/manifest-gen',
    { root: app('manifest-gen'), entrypoint: ['node', '/app/dist/main.js'], cmd: [] },
  ],
  ['localhost/bulkhead/manager', { root: app('manager'), entrypoint: ['node', '/app/dist/main.js'], cmd: [] }],
  ['localhost/bulkhead/probe', { root: app('probe'), entrypoint: ['node', '/app/dist/main.js'], cmd: ['idle'] }],
  // The probe under another name: what an attacker would bring from a registry of his own.
  [
    'registry.attacker.example/bulkhead/probe',
    { root: app('probe'), entrypoint: ['node', '/app/dist/main.js'], cmd: ['idle'] },
  ],
  ['localhost/bulkhead/scheduler', { root: app('scheduler'), entrypoint: ['node', '/app/dist/main.js'], cmd: [] }],
  [
    'docker.io/library/postgres',
    {
      root: app('postgres'),
      entrypoint: ['node', '/app/dist/main.js'],
      cmd: ['postgres'],
      env: { PGDATA: '/var/lib/postgresql/18/docker' },
      volumes: ['/var/lib/postgresql'],
    },
  ],
  [
    'docker.io/library/mongo',
    {
      root: app('mongo'),
      entrypoint: ['node', '/app/dist/main.js'],
      cmd: ['mongod'],
      // The image has no variable for it: here, it is what is pointed to the volume's folder.
      env: { MONGO_DBPATH: '/data/db' },
      volumes: ['/data/db', '/data/configdb'],
    },
  ],
])

/** `registry:5000/name:tag@sha256:...` without its tag and digest. */
export function repositoryOf(image: string): string {
  const name = image.split('@')[0] ?? image
  const slash = name.lastIndexOf('/')
  const colon = name.lastIndexOf(':')
  return colon > slash ? name.slice(0, colon) : name
}

/**
 * The command line of a container, after the rules of a Pod's `command` (instead of the image's entrypoint, and of its
 * cmd) and `args` (instead of its cmd). The images hold one program, node, and their files under /app.
 *
 * @throws Error whose message says what the image does not have.
 */
export function commandLine(
  container: Pick<Container, 'command' | 'args'>,
  image: Image,
): readonly [string, ...string[]] {
  const command = container.command ?? image.entrypoint
  const args = container.args ?? (container.command === undefined ? image.cmd : [])
  return localCommand([...command, ...args], image)
}

/** A command as it stands in a manifest, for this machine: `node` is this Node, `/app/` is the image's folder. */
export function localCommand(argv: readonly string[], image: Image): readonly [string, ...string[]] {
  const [program, ...rest] = argv
  if (program === undefined || !['node', '/usr/local/bin/node', '/nodejs/bin/node'].includes(program)) {
    throw new Error(
      `the image has no program ${JSON.stringify(program ?? '')}; it holds node, and its files under /app`,
    )
  }
  return [
    process.execPath,
    ...rest.map((arg) => (arg.startsWith('/app/') ? `${image.root}${arg.slice('/app'.length)}` : arg)),
  ]
}
