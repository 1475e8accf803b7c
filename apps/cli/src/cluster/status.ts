import { join } from 'node:path'
import {
  type ClusterStatus,
  clusterStatus,
  forPlace,
  layerNames,
  outsideName,
  type Place,
} from '@bulkhead/kind-cluster'
import { loadManifests } from '@bulkhead/resources'
import { type Io, print, printable, printJson } from '../io.js'
import type { JsonOption, StateOption } from '../options.js'
import { type Style, styleOf } from '../style.js'
import { table } from '../target/table.js'
import { type ClusterTools, clusterTools, workloadsOf } from './place.js'

/** What is up on the cluster. */
export async function status(options: JsonOption & StateOption, io: Io, given?: ClusterTools): Promise<void> {
  const { place, tools } = given ?? clusterTools(io, options)
  const withPods = ['Deployment', 'StatefulSet', 'DaemonSet']
  const workloads = (await workloadsOf(place)).flatMap(({ kind, namespace = '', name }) =>
    withPods.includes(kind) ? [`${namespace}/${name}`] : [],
  )
  const input = { place, workloads, layerSizes: await layerSizes(place) }
  const found = await clusterStatus(tools, input, { signal: io.signal })
  if (options.json === true) printJson(io, found)
  else print(io, printable(forPlace(statusText(found, styleOf(io)), place), 'colours'))
  if (!found.ready) io.exit(1)
}

async function layerSizes({ root }: Place): Promise<ReadonlyMap<string, number>> {
  const { resources } = await loadManifests(
    [join(root, 'k8s/workloads'), ...layerNames.map((name) => join(root, 'k8s/layers', name))],
    {
      relativeTo: root,
    },
  )
  const sizes = new Map<string, number>()
  for (const { layer, object } of resources)
    if (layer !== undefined && object.metadata.annotations?.['config.kubernetes.io/local-config'] !== 'true')
      sizes.set(layer, (sizes.get(layer) ?? 0) + 1)
  return sizes
}

function statusText(found: ClusterStatus, style: Style): string {
  const word = (good: boolean, text: string): string => (good ? style.green(text) : style.red(text))
  const notReady = found.workloads.filter(({ ready, wanted }) => wanted === 0 || ready < wanted)
  const nodes = found.nodes.map(({ name, ready, version }) => [
    name,
    version,
    word(ready, ready ? 'ready' : 'NOT READY'),
  ])
  const components = found.components.map(({ name, chart = '', status: is = '' }) => [
    name,
    chart,
    word(is === 'deployed', is),
  ])
  const layers = found.layers.map(({ name, there, of }) => [name, layerWord(there, of, style)])
  const workloads = found.workloads.map(({ name, ready, wanted }) => [
    name,
    word(wanted > 0 && ready >= wanted, `${ready} of ${wanted} ready`),
  ])
  return [
    found.ready ? 'The cluster is up, and everything is ready.' : 'The cluster is up, and not everything is ready.',
    ...['', 'nodes', listed(nodes), '', 'components', listed(components), '', 'layers', table(layers)],
    ...[
      '',
      `workloads: ${found.workloads.length - notReady.length} of ${found.workloads.length} ready`,
      table(workloads),
    ],
    ...['', `host outside (${outsideName}): ${word(found.outside === 'up', outsideWords[found.outside])}`],
    ...(found.doors.length === 0
      ? ['', 'no doors: 70-ingress is not there.']
      : ['', 'doors', table(found.doors.map(({ gateway, url }) => [gateway, url]))]),
  ].join('\n')
}

const outsideWords: Readonly<Record<ClusterStatus['outside'], string>> = {
  up: 'up',
  down: 'NOT THERE, so that scenarios that call it are not made; `npx bulkhead cluster up` makes it',
  foreign: 'a container that was not made here has the name',
}

const listed = (rows: readonly (readonly string[])[]): string => (rows.length === 0 ? '  none' : table(rows))

function layerWord(there: number, of: number, style: Style): string {
  if (there === 0) return style.yellow('OFF')
  return there >= of ? `on, ${there} objects` : style.yellow(`partly: ${there} of ${of} objects are there`)
}
