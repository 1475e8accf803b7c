import { existsSync } from 'node:fs'
import { causeOf } from './doctor/causes.js'
import { clusterName, contextName, type Place } from './place.js'
import { commandsFor } from './plan/commands.js'
import { type ClusterRecord, writeRecord } from './record.js'
import { shellWord } from './tools/shell-word.js'
import type { RunOptions, Tools } from './tools.js'

/** Nothing was changed, because what would be changed is not known to be ours. The message says what was found and what to do. */
export class NotOursError extends Error {
  override readonly name = 'NotOursError'
  readonly code: 'not-ours' | 'no-answer' | 'none'

  constructor(code: NotOursError['code'], message: string) {
    super(message)
    this.code = code
  }
}

const loopback = /^https:\/\/(127(\.\d{1,3}){3}|localhost|\[::1\]):\d+\/?$/

/** Names of kind's clusters on this machine. @throws Error when kind, or Docker behind it, does not answer */
export async function kindClusters(tools: Tools, place: Place, options: RunOptions = {}): Promise<readonly string[]> {
  const { code, stdout, stderr } = await tools.run(commandsFor(place).kind(['get', 'clusters'], 1), options)
  if (code !== 0) {
    const cause = causeOf(stderr)
    const likely = cause === undefined ? '' : ` ${[cause.cause, ...cause.remedy].join(' ')}`
    throw new Error(`which clusters kind has cannot be asked: ${stderr.trim()}${likely}`)
  }
  return stdout.split('\n').filter((line) => line !== '')
}

/**
 * Holds that our kubeconfig's context is the one of our cluster, that its server is on this machine, and that the cluster behind it is the
 * one that we made. To be called before anything is changed: a file can be exchanged, and a port can be somebody else's by now.
 * @throws NotOursError
 */
export async function checkOurs(
  tools: Tools,
  place: Place,
  record: ClusterRecord | undefined,
  options: RunOptions = {},
): Promise<void> {
  if (record?.uid === undefined || !existsSync(place.kubeconfig))
    throw new NotOursError('none', 'there is no cluster of ours. `npx bulkhead cluster up` makes one.')
  const server = await serverOf(tools, place, options)
  const uid = await clusterUid(tools, place, options)
  if (uid === record.uid) return
  throw new NotOursError(
    'not-ours',
    `the cluster behind context ${contextName} (${server}) is not the one that was made here: its namespace kube-system has UID ${uid}, and ours has ${record.uid}. Nothing was changed. If it is in the way: \`kind delete cluster --name ${clusterName}\`, then \`npx bulkhead cluster up\`.`,
  )
}

const anew = ({ kubeconfig }: Place): string =>
  `\`kind export kubeconfig --name ${clusterName} --kubeconfig ${shellWord(kubeconfig)}\` writes it anew.`

/** The server of our context. @throws NotOursError when the file has another context, or the server is not on this machine */
async function serverOf(tools: Tools, place: Place, options: RunOptions): Promise<string> {
  const view = commandsFor(place).kubectl([
    'config',
    'view',
    '--minify',
    '--output',
    'jsonpath={.clusters[0].cluster.server}',
  ])
  const { code, stdout, stderr } = await tools.run(view, options)
  const server = stdout.trim()
  const what = `the file "${place.kubeconfig}"`
  const remedy = `Nothing was changed. That file is written by \`npx bulkhead cluster up\` alone; ${anew(place)}`
  if (code !== 0)
    throw new NotOursError('not-ours', `${what} has no context ${contextName} (${stderr.trim()}). ${remedy}`)
  if (loopback.test(server)) return server
  throw new NotOursError(
    'not-ours',
    `the context ${contextName} in ${what} points to ${JSON.stringify(server)}, which is not on this machine. ${remedy}`,
  )
}

/** The UID of namespace kube-system. @throws NotOursError `no-answer` */
export async function clusterUid(tools: Tools, place: Place, options: RunOptions = {}): Promise<string> {
  const command = commandsFor(place).kubectl(
    ['get', 'namespace', 'kube-system', '--output', 'jsonpath={.metadata.uid}', '--request-timeout=30s'],
    { timeoutMs: 45_000 },
  )
  const { code, stdout, stderr } = await tools.run(command, options)
  if (code === 0 && stdout.trim() !== '') return stdout.trim()
  throw new NotOursError(
    'no-answer',
    `the API server of ${clusterName} does not answer (${stderr.trim() || 'it said nothing'}). After the machine or Docker was restarted its nodes may be stopped: \`docker start ${clusterName}-control-plane ${clusterName}-worker ${clusterName}-worker2\`, and a minute later again. Or begin anew: \`npx bulkhead cluster down\`, then \`npx bulkhead cluster up\`.`,
  )
}

/** The ID of the control plane's container; undefined when there is none. */
export async function containerId(tools: Tools, place: Place, options: RunOptions = {}): Promise<string | undefined> {
  const args = ['container', 'inspect', '--format', '{{.Id}}', `${clusterName}-control-plane`]
  const { code, stdout } = await tools.run(commandsFor(place).docker(args, 1), options)
  return code === 0 && stdout.trim() !== '' ? stdout.trim() : undefined
}

const desktopLabel = 'desktop.docker.io/ports/6443/tcp'

/**
 * Where Docker publishes the API server of the control plane's container, as kind writes it in a kubeconfig; none when it is stopped.
 * Docker Desktop may publish another port than its engine says, and tells it in a label, to which kind defers, too.
 */
async function publishedServers(tools: Tools, place: Place, options: RunOptions): Promise<readonly string[]> {
  const ports = '{{range index .NetworkSettings.Ports "6443/tcp"}}{{.HostIp}} {{.HostPort}}{{println}}{{end}}'
  const format = `{{with index .Config.Labels "${desktopLabel}"}}{{.}}{{else}}${ports}{{end}}`
  const args = ['container', 'inspect', '--format', format, `${clusterName}-control-plane`]
  const { code, stdout } = await tools.run(commandsFor(place).docker(args, 1), options)
  const lines = code === 0 ? stdout.split('\n') : []
  return lines.flatMap((line) => {
    const [, ip = '', port = ''] = /^\[?([\da-f.:]+?)\]?[ :](\d+)$/i.exec(line.trim()) ?? []
    if (port === '') return []
    return [`https://${ip.includes(':') ? `[${ip}]` : ip}:${port}`]
  })
}

/**
 * Takes the cluster behind our own kubeconfig for ours, where nothing says yet whose it is: somebody has typed the plan's lines. kind has
 * to have a cluster of the name, and its server has to be the port that Docker publishes of its control plane: something else may listen
 * on this machine, like a tunnel to another cluster, and a context is called whatever its file says.
 * @throws NotOursError
 */
export async function adoptCluster(
  tools: Tools,
  place: Place,
  begun: Date,
  options: RunOptions = {},
): Promise<ClusterRecord> {
  if (!existsSync(place.kubeconfig) || !(await kindClusters(tools, place, options)).includes(clusterName))
    throw new NotOursError('none', 'there is no cluster of ours. `npx bulkhead cluster up` makes one.')
  const server = await serverOf(tools, place, options)
  const published = await publishedServers(tools, place, options)
  if (!published.includes(server.replace(/\/$/, '')))
    throw new NotOursError(
      'not-ours',
      `the context ${contextName} in the file "${place.kubeconfig}" points to ${server}, and Docker publishes the API server of ${clusterName}-control-plane at ${published.join(', ') || 'no port of this machine'}. Nothing was changed. ${anew(place)}`,
    )
  const uid = await clusterUid(tools, place, options)
  const container = await containerId(tools, place, options)
  const record: ClusterRecord = {
    uid,
    ...(container && { container }),
    begun: begun.toISOString(),
    networkWasThere: true,
    steps: {},
    untold: [],
  }
  writeRecord(place, record)
  return record
}
