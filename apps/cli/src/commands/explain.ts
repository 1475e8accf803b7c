import type { Explanation } from '@bulkhead/analysis'
import { ControlError } from '@bulkhead/control'
import type { Flow, FlowDestination, FlowSource, Outcome, Snapshot } from '@bulkhead/verdict'
import type { Command } from 'commander'
import { type Destination, parseDestination, parseRequest, parseSource } from '../endpoints.js'
import { CliError, exitCodes, type Io, note, print, printJson } from '../io.js'
import { compileManifests, ownManifests } from '../manifests.js'
import {
  type JsonOption,
  type ManifestsOption,
  type OnOption,
  type StateOption,
  withHelp,
  withJson,
  withManifests,
  withOn,
  withState,
} from '../options.js'
import { type Style, styleOf } from '../style.js'
import { findTarget } from '../target/find.js'
import { findRunning } from '../target/running.js'

interface Options extends JsonOption, ManifestsOption, StateOption, OnOption {
  readonly offline?: boolean
  readonly host?: string
  readonly header?: string[]
  readonly sni?: string | boolean
  readonly query?: string
}

/** Who answers: the running target, or the manifests as they are written. */
interface Judge {
  readonly asked: string
  explain(flow: Flow): Promise<Explanation>
  /** The Service of a gateway with a listener at that port whose host names, or patterns of them, are such. */
  gatewayFor(answers: (name: string) => boolean, port: number): Promise<string | undefined>
}

const exits: Readonly<Record<Outcome, number>> = {
  allow: exitCodes.ok,
  deny: exitCodes.deny,
  unknown: exitCodes.unknown,
}

export function register(program: Command, io: Io): void {
  const command = program
    .command('explain')
    .argument('<from>', 'who calls: NAMESPACE/WORKLOAD, node/NAME, or outside')
    .argument(
      '<to>',
      'whom: NAMESPACE/SERVICE:PORT, NAMESPACE/WORKLOAD:PORT, node/NAME:PORT, IP:PORT, HOST:PORT (with /UDP behind the port where it is UDP), http://HOST/PATH or https://HOST/',
    )
    .argument('[method]', 'of an HTTP request')
    .argument('[path]', 'of an HTTP request (default: /)')
    .description("One flow's way through every layer: what each says, the deciding line, and what would change it.")
    .option('--host <name>', 'the Host header of the request, with which a gateway finds the route')
    .option(
      '--header <header>',
      "another header, 'NAME: VALUE'; may be given again",
      (one: string, more: readonly string[] = []) => [...more, one],
    )
    .option('--sni <name>', 'the server name in the ClientHello (default for port 443 of a host: that host)')
    .option('--no-sni', 'a ClientHello without a server name')
    .option('--query <name>', 'the name that a DNS question asks for, at port 53')
    .option('--offline', 'ask the manifests, whatever is up')
  withOn(withState(withManifests(withJson(command))))
  withHelp(command, {
    examples: [
      'npx bulkhead explain shop/notsleep shop/web-api:8080 GET /',
      'npx bulkhead explain outside http://istioexplained.io/',
      'npx bulkhead explain demo/hello-app https://api.cloudflare.com/',
      'npx bulkhead explain demo/hello-app api.github.com:443 --sni api.cloudflare.com',
      'npx bulkhead explain demo/intruder api.github.com:443/UDP',
      'npx bulkhead explain demo/hello-app kube-system/kube-dns:53/UDP --query attacker.example',
      'npx bulkhead explain shop/web-api node/bulkhead-worker:10250',
      'npx bulkhead explain shop/sleep shop/web-api:8080 --offline --json',
      'npx bulkhead explain shop/notsleep shop/web-api:8080 --on kind',
    ],
    exit: '0 allowed, 1 denied, 2 bad input, 3 unknown (something decides that is not modelled).',
  })
  command.action(async (from: string, to: string, method?: string, path?: string, options: Options = {}) => {
    const source = parseSource(from)
    const destination = parseDestination(to)
    const http = parseRequest({ method, path, host: options.host, headers: options.header, url: destination.url })
    const further = furtherOf(destination, options, http !== undefined)
    const judge = await whoAnswers(io, options)
    const asked = await behindGateway(judge, destination, source)
    const caller = await sourceOf(source)
    const { verdict, fix, noFix } = await explainNamed(judge, asked, (where) => ({
      from: caller,
      to: where,
      port: destination.port,
      ...(http !== undefined && { http }),
      ...further,
    }))
    if (options.json === true) {
      const proposed = { ...(fix !== undefined && { fix }), ...(noFix !== undefined && { noFix }) }
      printJson(io, { asked: judge.asked, verdict, ...proposed })
    } else {
      const { renderVerdict } = await import('@bulkhead/verdict/words')
      const { renderFix, renderNoFix } = await import('@bulkhead/analysis')
      const proposed = fix !== undefined ? renderFix(fix) : noFix !== undefined ? renderNoFix(noFix) : ''
      note(io, `asked: ${judge.asked}`)
      print(io, `${coloured(renderVerdict(verdict), styleOf(io))}${proposed}`)
    }
    io.exit(exits[verdict.outcome])
  })
}

/** What is said of a flow beside where it goes and what it asks over HTTP. */
function furtherOf(
  { protocol, sni: ofUrl }: Destination,
  { sni = ofUrl, query }: Options,
  isHttp: boolean,
): Pick<Flow, 'protocol' | 'tls' | 'dns'> {
  const isTls = sni !== undefined && sni !== true
  if (isTls && isHttp) {
    throw new CliError(
      'what is asked inside TLS is not seen on the way; leave the method, the path and the headers out.',
    )
  }
  if (isTls && protocol !== undefined) throw new CliError(`a server name goes with TCP, not with ${protocol}.`)
  if (query !== undefined && !/^[a-z0-9_.-]{1,253}$/i.test(query)) {
    throw new CliError(`"${query}" is not a name that could be asked for, as api.github.com is one.`)
  }
  return {
    ...(protocol !== undefined && { protocol }),
    ...(isTls && { tls: sni === false ? {} : { sni } }),
    ...(query !== undefined && { dns: { query } }),
  }
}

/** What decided, where the eye looks for it: at the end of the first line, and in the second column of the steps. */
export function coloured(text: string, style: Style): string {
  const paint = (word: string) => {
    if (word.startsWith('ALLOWED')) return style.green(word)
    return word.startsWith('UNKNOWN') ? style.yellow(word) : style.red(word)
  }
  return text
    .replace(/(?<=^[^\n]* {3})(ALLOWED|DENIED|UNKNOWN|NOT REACHED)\b/, paint)
    .replace(/(?<=^ {2}\S+(?: \S+)? {2,})(DENIED|STOPS|UNKNOWN)(?= )/gm, paint)
}

async function sourceOf(source: ReturnType<typeof parseSource>): Promise<FlowSource> {
  if (source !== 'outside') return source
  const { outsideAddress } = await import('@bulkhead/verdict')
  return { external: outsideAddress }
}

/** A host that a gateway answers for leads to the gateway, as DNS would have it. */
async function behindGateway(
  judge: Judge,
  destination: Destination,
  source: ReturnType<typeof parseSource>,
): Promise<Destination> {
  const { url, port } = destination
  if (url === undefined) return destination
  const host = url.host.replace(/:\d+$/, '')
  // The most telling name first, as a gateway reads its own. Any name only for whoever asks from outside: within the
  // cluster it may be a Service's.
  const answers: readonly ((name: string) => boolean)[] = [
    (name) => name === host,
    (name) => name.startsWith('*.') && host.endsWith(name.slice(1)),
    (name) => name === '*' && source === 'outside',
  ]
  for (const answer of answers) {
    const service = await judge.gatewayFor(answer, port)
    if (service !== undefined) return { ...destination, candidates: [{ service }] }
  }
  return destination
}

async function whoAnswers(io: Io, options: Options): Promise<Judge> {
  if (options.on === 'kind') return theCluster(io, options)
  const target = options.offline === true || options.manifests !== undefined ? undefined : runningTarget(io, options)
  if (target !== undefined) {
    return {
      asked: 'the running target',
      explain: (flow) => target.explain(flow),
      gatewayFor: async (answers) =>
        (await target.status()).published.find(({ hosts }) => hosts.some(answers))?.service,
    }
  }
  const set = ownManifests(io, options.manifests)
  const snapshot = await compileManifests(io, set)
  const { explain } = await import('@bulkhead/analysis')
  return {
    asked: `the manifests in ${set.title}`,
    explain: async (flow) => explain(flow, snapshot),
    gatewayFor: async (answers, at) => gatewayOf(snapshot, answers, at),
  }
}

/** The engine, on the objects that are on the cluster. Which gateway a host leads to is read from the manifests. */
async function theCluster(io: Io, options: Options): Promise<Judge> {
  if (options.offline === true || options.manifests !== undefined) {
    throw new CliError(
      '--on kind asks about the cluster, and --offline and --manifests about files; choose one of them.',
    )
  }
  const target = await findRunning(io, options)
  return {
    asked: 'the cluster',
    explain: (flow) => target.explain(flow),
    gatewayFor: async (answers, at) => gatewayOf(await compileManifests(io, ownManifests(io)), answers, at),
  }
}

function gatewayOf(snapshot: Snapshot, answers: (name: string) => boolean, at: number): string | undefined {
  return [...snapshot.gateways.values()].find(({ listeners }) =>
    listeners.some(({ port, protocol, hosts }) => port === at && protocol === 'HTTP' && hosts.some(answers)),
  )?.workload
}

function runningTarget(io: Io, options: StateOption): ReturnType<typeof findTarget> | undefined {
  try {
    return findTarget(io, options)
  } catch (error) {
    // With --state somebody means a certain target, and it is not to be answered for by something else.
    if (error instanceof ControlError && error.code === 'not-up' && options.state === undefined) return undefined
    throw error
  }
}

/** Asks for each thing that a name may mean, one after the other, until one is there. */
export async function explainNamed(
  { explain }: Pick<Judge, 'explain'>,
  { candidates }: Destination,
  flowTo: (to: FlowDestination) => Flow,
): Promise<Explanation> {
  const guesses: string[] = []
  let name = ''
  for (const [index, to] of candidates.entries()) {
    try {
      return await explain(flowTo(to))
    } catch (error) {
      // An unknown caller is told at once, and so is what can mean one thing only.
      if (candidates.length === 1 || !isMissing(error, to)) throw error
      if (index === 0) name = nameOf(to)
      guesses.push(...(guess(messageOf(error)) ?? []))
    }
  }
  throw new CliError(`there is no Service and no workload "${name}"${guesses[0] ?? '.'}`)
}

const nameOf = (to: FlowDestination): string => ('service' in to ? to.service : 'workload' in to ? to.workload : '')

/** Whether it is the destination that is not there. A running target says so by one code for all that is wrong with a flow. */
function isMissing(error: unknown, to: FlowDestination): boolean {
  const [code, what] =
    'service' in to ? (['flow.unknown-service', 'Service'] as const) : (['flow.unknown-workload', 'workload'] as const)
  const says = `there is no ${what} ${JSON.stringify(nameOf(to))}`
  return [code, 'bad-flow'].includes(String(codeOf(error))) && messageOf(error).startsWith(says)
}

/** The part of the engine's message that names near names. */
const guess = (message: string): readonly string[] | undefined => /; did you mean .*/.exec(message)?.slice(0, 1)
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)
