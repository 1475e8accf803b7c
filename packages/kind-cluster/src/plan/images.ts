import type { Pins } from '../pins.js'
import { clusterName } from '../place.js'
import type { Command } from '../tools.js'
import type { Commands } from './commands.js'
import type { Action, Step } from './types.js'

/** Whose name begins so is built here; no registry has it. */
const OURS = 'localhost/bulkhead/'
/** The nodes that run databases. */
export const workers: readonly string[] = [`${clusterName}-worker`, `${clusterName}-worker2`]
/** The nodes, as kind names them after the cluster. */
export const nodeNames: readonly string[] = [`${clusterName}-control-plane`, ...workers]

export interface ImagesInput {
  readonly pins: Pins
  /** What the nodes are, and so what is taken out of an image of many platforms: `linux/amd64`, `linux/arm64`. */
  readonly platform: string
  /** Where the images of others lie on their way to the nodes. */
  readonly archive: string
}

export const isOurs = (image: string): boolean => image.startsWith(OURS)

/** Which images a node has: all of them are given the same of ours. By what kind itself asks a node with. */
export const imagesOnNode = ({ docker }: Commands): Command =>
  docker(['exec', nodeNames[1] ?? '', 'crictl', 'images', '--output', 'json'], 1)

/** The images that are built here, and those that are fetched because pods of workloads run them. */
export function imagesOf(pins: Pins): { readonly built: readonly string[]; readonly fetched: readonly string[] } {
  return {
    built: pins.images.filter(isOurs),
    // Istio's proxy is pulled by the nodes, as the rest of the platform is.
    fetched: pins.images.filter((image) => /\/(mongo|postgres):/.test(image)),
  }
}

/** The app that is in an image of ours: `localhost/bulkhead/probe:0.1.0` has apps/probe. */
export const appOf = (image: string): string => image.slice(OURS.length).split(':')[0] ?? ''

/** The line that builds an image of ours; for another platform than the engine's own where that is given. */
export const buildOf = ({ docker }: Commands, image: string, platform?: string): Command =>
  docker(
    [
      ...['buildx', 'build', '--file', 'Dockerfile.base', '--build-arg', `APP=${appOf(image)}`, '--tag', image],
      ...(platform === undefined ? [] : ['--platform', platform]),
      ...['--provenance=false', '--load', '.'],
    ],
    20,
  )

export function imageSteps(commands: Commands, { pins, platform, archive }: ImagesInput): readonly Step[] {
  const { docker, kind, kubectl } = commands
  const { built, fetched } = imagesOf(pins)
  return [
    {
      id: 'build-images',
      part: 'cluster',
      title: 'Build the images of the apps',
      why: 'No registry has them, and their names begin with localhost so that none is asked. Without the note on how they were built, since kind would want it on the nodes as an image of its own.',
      actions: built.map((image): Action => ({ kind: 'run', command: buildOf(commands, image) })),
    },
    {
      id: 'load-images',
      part: 'cluster',
      title: 'Put the images of the apps on the nodes',
      why: 'The nodes have an image store of their own and do not see that of Docker. Where Docker keeps its images as it always did, what is there already is left as it is; with its containerd store kind does not know it again, and puts it there once more.',
      actions: [{ kind: 'run', command: kind(['load', 'docker-image', ...built, '--name', clusterName], 10) }],
    },
    {
      id: 'databases',
      part: 'cluster',
      title: 'Fetch the images of the databases and put them on the workers',
      why: 'Fetched once by Docker, which keeps them for the next cluster too: Docker Hub counts what is pulled. Saved for one platform and loaded as a file, since `kind load docker-image` fails with images of several platforms of which Docker has one.',
      actions: [
        ...fetched.map(
          (image): Action => ({ kind: 'run', command: docker(['pull', '--platform', platform, image], 15) }),
        ),
        {
          kind: 'run',
          command: docker(['image', 'save', '--platform', platform, '--output', archive, ...fetched], 10),
        },
        {
          kind: 'run',
          command: kind(['load', 'image-archive', archive, '--name', clusterName, '--nodes', workers.join(',')], 10),
        },
      ],
      temporary: [archive],
      done: {
        command: kubectl(['get', 'nodes', '--output', 'json']),
        holds: { kind: 'images', images: fetched, nodes: workers },
      },
    },
  ]
}
