import type { ClusterStatus, PodStatus, PublishedPort } from '@bulkhead/local-cluster'
import { refusalText } from '@bulkhead/local-cluster/refusal'
import type { LayerState } from '@bulkhead/scenarios'
import { printable } from '../io.js'
import { shellWord } from '../places.js'
import type { Style } from '../style.js'
import { table } from './table.js'

/** The table of `up` and `status`: a line per pod. */
export function statusText(status: ClusterStatus, style: Style): string {
  const rows = status.workloads.flatMap(({ workload, kind, pods, ready, of, failedCreate }) => [
    ...pods.map((pod) => [workload, pod.node, pod.ip, state(pod), identity(pod, kind)]),
    ...(failedCreate === undefined ? [] : [[workload, '', '', `${ready} of ${of} (FailedCreate)`, '']]),
  ])
  const text = table([['workload', 'node', 'address', 'ready', 'identity'], ...rows])
  const [head = '', ...lines] = text.split('\n')
  const notes = [
    `  layers   ${status.layers.map(layerWord).join(', ') || 'none'}`,
    ...status.published.map(publishedLine),
    ...status.published.flatMap(loginLine),
    ...(status.outside.length === 0 ? [] : [`  way out  ${outsideWords(status.outside)}`]),
    ...(status.refused === undefined
      ? []
      : [
          `  ${style.yellow('refused')}  the last save, so what is in force is not what the files say: ${status.refused}`,
        ]),
    ...status.notAdmitted.map(
      (one) => `  ${style.yellow('not let in')}  ${printable(refusalText(one)).replaceAll('\n', '\n         ')}`,
    ),
    ...(status.changes.length > 0 ? [`  changes  ${status.changes.join(', ')}`] : []),
    ...status.notModelled.map(
      ({ id, what, at }) => `  ${style.yellow('not modelled')}  ${id}: ${what} (${at}); what it touches is denied`,
    ),
    ...rewritten(status),
    ...status.shortened.map((text) => style.dim(`  shorter  ${text}`)),
  ]
  return [style.bold(head), ...lines, '', ...notes].join('\n')
}

export const layerWord = ({ name, on }: LayerState): string => `${name} ${on ? 'on' : 'OFF'}`

function publishedLine({ url, service, port, hosts, wanted }: PublishedPort): string {
  const elsewhere = wanted === undefined ? '' : ` (${wanted}, which the manifests ask for, could not be had)`
  const named = hosts.length === 0 ? '' : `, for ${hosts.map((host) => (host === '*' ? 'any host' : host)).join(', ')}`
  return `  outside  ${url} leads to ${service}:${port}${named}${elsewhere}`
}

/**
 * Where a person logs in, and as whom. By another name than the other doors have: a browser sends a cookie to every port of the host that
 * it came from, so one of 127.0.0.1 would go to whatever else is published there.
 */
function loginLine({ url, login }: PublishedPort): readonly string[] {
  if (login === undefined) return []
  const { user, file } = login
  const own = url.replace(/^http:\/\/127\.0\.0\.1(?=[:/]|$)/, 'http://localhost')
  return [printable(`  log in   ${own} in a browser, as ${user}; the password was shown once, and is kept in ${file}`)]
}

/** Who answers for the hosts that pods may be let out to. */
export function outsideWords(hosts: ClusterStatus['outside']): string {
  const real = hosts.filter(({ by }) => by === 'real').map(({ host }) => host)
  const played = hosts.filter(({ by }) => by === 'stand-in').map(({ host }) => host)
  return [
    ...(real.length === 0 ? [] : [`${real.join(' and ')} for real`]),
    ...(played.length === 0 ? [] : [`${played.join(' and ')} played by a stand-in on this machine`]),
    'nothing else of the real world is dialled',
  ].join('; ')
}

/** A command that calls a gateway as its clients do. */
export function curlLine({ url, hosts, path = '/' }: PublishedPort): string {
  const host = hosts.find((name) => !name.startsWith('*')) ?? hosts[0]?.replace(/^\*\./, 'www.')
  return `curl ${host === undefined || host === '*' ? '' : `-H ${shellWord(`Host: ${host}`)} `}${url}${path}`
}

/** `namespace/name` of each pod that is not ready. */
export const notReady = (status: ClusterStatus): readonly string[] =>
  status.workloads.flatMap(({ pods }) =>
    pods.filter(({ ready, leaving }) => !ready && leaving !== true).map(({ pod }) => pod),
  )

function state(pod: PodStatus): string {
  const restarts = pod.containers.reduce((sum, { restarts: count }) => sum + count, 0)
  const again = restarts === 0 ? '' : `, ${restarts} restart${restarts === 1 ? '' : 's'}`
  if (pod.leaving === true) return 'ending'
  if (pod.ready) return `yes${again}`
  const stuck = pod.containers.find(({ phase }) => phase !== 'running')
  const why =
    stuck === undefined ? 'starting' : `${stuck.phase}${stuck.lastExit === undefined ? '' : `: ${stuck.lastExit}`}`
  return `no (${why}${again})`
}

function identity(pod: PodStatus, kind: string): string {
  if (pod.gateway !== undefined)
    return `${pod.identity} (${kind === 'Waypoint' ? 'waypoint' : 'gateway'} ${pod.gateway}, played by the mesh)`
  return pod.mesh ? pod.identity : `${pod.identity} (not in the mesh: it shows none)`
}

function rewritten(status: ClusterStatus): readonly string[] {
  const pods = status.workloads.flatMap(({ pods: list }) => list)
  return pods.flatMap((pod) =>
    pod.rewritten.length > 1
      ? [printable(`  path     ${names(pod.rewritten)} of ${pod.pod} are under ${commonFolder(pod.rewritten)} here`)]
      : pod.rewritten.map(({ name, from, to }) => printable(`  path     ${name}=${from} of ${pod.pod} is ${to} here`)),
  )
}

type Rewritten = PodStatus['rewritten']

const names = (values: Rewritten): string => [...new Set(values.map(({ name }) => name))].join(', ')

/** The folder in which all of them are. */
function commonFolder(values: Rewritten): string {
  const [first = [], ...others] = values.map(({ to }) => to.split('/').slice(0, -1))
  const until = first.findIndex((part, index) => others.some((parts) => parts[index] !== part))
  return (until === -1 ? first : first.slice(0, until)).join('/') || '/'
}
