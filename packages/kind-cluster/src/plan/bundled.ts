import { join } from 'node:path'
import type { BundleManifest, BundlePlatform } from '../bundle/manifest.js'
import { clusterName, type Place } from '../place.js'
import type { Commands } from './commands.js'
import { isOurs, nodeNames, workers } from './images.js'
import type { Action, Step } from './types.js'

/** A bundle, and where its files are once it is unpacked. */
export interface UnpackedBundle {
  /** The archive. */
  readonly file: string
  readonly node: { readonly image: string; readonly file: string }
  readonly archives: readonly { readonly file: string; readonly images: readonly string[] }[]
  /** By the name of the release. */
  readonly charts: Readonly<Record<string, string>>
  readonly gatewayApi: string
}

/** Where a bundle is unpacked. */
export const unpackedFolder = ({ folder }: Pick<Place, 'folder'>): string => join(folder, 'bundle')

/** The bundle's files where they will be. */
export function unpackedBundle(
  file: string,
  place: Pick<Place, 'folder'>,
  manifest: BundleManifest,
  { node, archives }: BundlePlatform,
): UnpackedBundle {
  const at = (path: string): string => join(unpackedFolder(place), path)
  return {
    file,
    node: { ...node, file: at(node.file) },
    archives: archives.map((one) => ({ ...one, file: at(one.file) })),
    charts: Object.fromEntries(Object.entries(manifest.charts).map(([name, path]) => [name, at(path)])),
    gatewayApi: at(manifest.gatewayApi),
  }
}

/** What comes before a cluster is made of a bundle. */
export function unpackSteps(
  { docker }: Commands,
  bundle: UnpackedBundle,
  place: Place,
  stateArgs: readonly string[],
): readonly Step[] {
  const args = ['apps/cli/bin/bulkhead.js', 'cluster', 'unpack', bundle.file, ...stateArgs]
  return [
    {
      id: 'bundle',
      part: 'cluster',
      title: 'Check the bundle, and unpack it',
      why: 'Each file against the size and the SHA-256 that the bundle gives it, and its versions against those of this clone, before any of it is used. What is unpacked already is checked again, and left as it is.',
      actions: [{ kind: 'run', command: { tool: 'node', args, timeoutMs: 60 * 60_000, cwd: place.root } }],
    },
    {
      id: 'node-image',
      part: 'cluster',
      title: 'Give Docker the image of the nodes',
      why: 'By its tag, since an image that comes from a file has no digest: who made the bundle fetched it by the one that is pinned.',
      actions: [{ kind: 'run', command: docker(['image', 'load', '--input', bundle.node.file], 15) }],
    },
  ]
}

const isDatabase = (image: string): boolean => image.startsWith('docker.io/library/')

/** Puts every image on the nodes, so that none of them asks a registry. */
export function loadSteps({ kind, kubectl }: Commands, { archives }: UnpackedBundle): readonly Step[] {
  const steps: Step[] = []
  const step = (id: string, title: string, why: string, which: (image: string) => boolean, nodes = nodeNames): void => {
    const some = archives.filter(({ images }) => images.every(which))
    const where = nodes === nodeNames ? [] : ['--nodes', nodes.join(',')]
    const load = (file: string): Action => ({
      kind: 'run',
      command: kind(['load', 'image-archive', file, '--name', clusterName, ...where], 20),
    })
    const images = some.flatMap((one) => one.images)
    if (images.length === 0) return
    steps.push({
      id,
      part: 'cluster',
      title,
      why,
      actions: some.map(({ file }) => load(file)),
      // Ours may have been built anew under the same name.
      ...(!images.some(isOurs) && {
        done: { command: kubectl(['get', 'nodes', '--output', 'json']), holds: { kind: 'images', images, nodes } },
      }),
    })
  }
  step(
    'load-images',
    'Put the images of the apps on the nodes',
    'The nodes have an image store of their own and do not see that of Docker.',
    isOurs,
  )
  step(
    'load-platform',
    'Put the images of Cilium, Istio and Kyverno on the nodes',
    'The nodes would pull them. By name and tag: an image from a file has no digest on a node, and so the values below switch off those that a chart asks for.',
    (image) => !isOurs(image) && !isDatabase(image),
  )
  step(
    'databases',
    'Put the images of the databases on the workers',
    'Nothing of them runs elsewhere.',
    isDatabase,
    workers,
  )
  return steps
}
