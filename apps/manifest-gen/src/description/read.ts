import { readImage } from './image.js'
import { type FieldProblem, InvalidDescription, nameOf, problemsOf } from './problems.js'
import { amountOf } from './quantity.js'
import { descriptionSchema, peerSchemas, type RawDescription } from './schema.js'
import type { Amounts, Callee, Caller, Description, EnvironmentVariable, Labels, Listening } from './types.js'

const defaults = {
  requests: { cpu: '50m', memory: '64Mi' },
  limits: { memory: '256Mi' },
} as const

/**
 * A description as it came, held against what a description may be, and with everything in its place.
 *
 * @param allowed whether this image may be run
 * @throws InvalidDescription naming the fields
 */
export function readDescription(input: unknown, allowed: (image: string) => boolean): Description {
  const result = descriptionSchema.safeParse(input, { reportInput: true })
  const unread = ofLabels(input)
  if (!result.success)
    throw new InvalidDescription([...problemsOf(result.error.issues), ...unread, ...ofImage(input, allowed)])
  const raw = result.data
  const problems: FieldProblem[] = [...unread]
  const callers = (raw.callers ?? []).map((one, index) => readCaller(one, index, problems))
  const calls = (raw.calls ?? []).map((one, index) => readCallee(one, index, problems))
  const known = callers.filter((one) => one !== undefined)
  const called = calls.filter((one) => one !== undefined)
  const repository = checkImage(raw.image, allowed, problems)
  checkPort(raw, problems)
  checkTwice(raw.env?.map(({ name }) => name) ?? [], (index) => ['env', index, 'name'], problems)
  checkTwice(raw.hosts ?? [], (index) => ['hosts', index], problems)
  if ((raw.hosts ?? []).length > 0 && raw.newNamespace !== true)
    problems.push({
      field: 'hosts',
      message: 'only with newNamespace: another namespace may deny the outside, and a deny beats every allow',
    })
  if (raw.newNamespace === true && raw.namespace === 'default')
    problems.push({
      field: 'namespace',
      message: 'every cluster has this one already, and walls of its own would be around all that is in it',
    })
  checkPeers(raw, known, 'callers', problems)
  checkPeers(raw, called, 'calls', problems)
  const resources = readResources(raw, problems)
  const byRequest = raw.waypoint !== undefined || known.some(limits)
  if (byRequest && raw.protocol === 'tcp')
    problems.push({ field: 'protocol', message: 'methods and paths are HTTP’s, and so is what a waypoint reads' })
  if (problems.length > 0) throw new InvalidDescription(problems)
  const listens = listening(raw)
  return {
    name: raw.name,
    namespace: raw.namespace,
    newNamespace: raw.newNamespace ?? false,
    image: raw.image,
    repository,
    replicas: raw.replicas ?? 1,
    args: raw.args ?? [],
    env: (raw.env ?? []).map(readVariable),
    resources,
    ...(listens !== undefined && { listens }),
    callers: known,
    calls: together(called),
    hosts: raw.hosts ?? [],
    ...(byRequest && {
      waypoint: { name: raw.waypoint ?? `${raw.name}-waypoint`, own: raw.waypoint === undefined },
    }),
  }
}

const limits = ({ methods, paths }: Caller): boolean => methods !== undefined || paths !== undefined

function readCaller(
  one: NonNullable<RawDescription['callers']>[number],
  index: number,
  problems: FieldProblem[],
): Caller | undefined {
  let caller = one
  if (typeof caller === 'string') {
    const [namespace, name] = caller.split('/')
    const read = peerSchemas.caller.safeParse({ namespace, name }, { reportInput: true })
    if (!read.success) {
      problems.push(...ofShortForm(problemsOf(read.error.issues), ['callers', index]))
      return undefined
    }
    caller = read.data
  }
  const { namespace, name, labels, serviceAccount = name, methods, paths } = caller
  return {
    namespace,
    name,
    labels: labels ?? { app: name },
    serviceAccount,
    ...(methods !== undefined && { methods }),
    ...(paths !== undefined && { paths }),
  }
}

function readCallee(
  one: NonNullable<RawDescription['calls']>[number],
  index: number,
  problems: FieldProblem[],
): Callee | undefined {
  let callee = one
  if (typeof callee === 'string') {
    const [, namespace, name, port] = /^(.*)\/(.*):(.*)$/.exec(callee) ?? []
    const read = peerSchemas.callee.safeParse({ namespace, name, port: Number(port) }, { reportInput: true })
    if (!read.success) {
      problems.push(...ofShortForm(problemsOf(read.error.issues), ['calls', index]))
      return undefined
    }
    callee = read.data
  }
  const { namespace, name, port, labels, waypoint, service, methods, paths } = callee
  if (waypoint === undefined && (methods ?? paths ?? service) !== undefined)
    problems.push({
      field: nameOf(['calls', index, 'waypoint']),
      message: 'methods, paths and a Service are read by a waypoint: name the one that stands before it',
    })
  return {
    namespace,
    name,
    labels: labels ?? { app: name },
    ports: [port],
    ...(waypoint !== undefined && { behind: { waypoint, service: service ?? name } }),
    ...(methods !== undefined && { methods }),
    ...(paths !== undefined && { paths }),
  }
}

/** The parts of a short form have no names of their own: the problem is the whole's. */
const ofShortForm = (problems: readonly FieldProblem[], path: readonly PropertyKey[]): FieldProblem[] =>
  problems.map(({ field, message }) => ({ field: nameOf(path), message: `its ${field}: ${message}` }))

/** One for each workload that is called, with all of its ports. */
function together(calls: readonly Callee[]): readonly Callee[] {
  const found = new Map<string, Callee>()
  for (const call of calls) {
    const key = peerKey(call)
    const before = found.get(key)
    found.set(key, before === undefined ? call : { ...before, ports: [...before.ports, ...call.ports] })
  }
  return [...found.values()]
}

const peerKey = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}`

/** Nobody is named twice, but a workload that is called at several ports; and nobody needs leave to call himself. */
function checkPeers(
  { namespace, name }: RawDescription,
  peers: readonly (Caller | Callee)[],
  field: 'callers' | 'calls',
  problems: FieldProblem[],
): void {
  const seen = new Map<string, Caller | Callee>()
  const asked = new Set<string>()
  for (const [index, peer] of peers.entries()) {
    const key = peerKey(peer)
    const at = nameOf([field, index])
    if (key === `${namespace}/${name}`) problems.push({ field: at, message: 'this is the workload itself' })
    const before = seen.get(key)
    const question = 'ports' in peer ? `${key}:${peer.ports.join()}` : key
    const isOther = before !== undefined && !('ports' in peer && 'ports' in before && sameBut(peer, before))
    if (isOther || asked.has(question))
      problems.push({ field: at, message: `${JSON.stringify(question)} is named twice` })
    seen.set(key, before ?? peer)
    asked.add(question)
  }
}

function sameBut(one: Callee, other: Callee): boolean {
  const { ports: _, ...rest } = one
  const { ports: __, ...others } = other
  return JSON.stringify(rest) === JSON.stringify(others)
}

function checkTwice(
  names: readonly string[],
  path: (index: number) => readonly PropertyKey[],
  problems: FieldProblem[],
): void {
  const seen = new Set<string>()
  for (const [index, name] of names.entries()) {
    if (seen.has(name)) problems.push({ field: nameOf(path(index)), message: `${JSON.stringify(name)} is named twice` })
    seen.add(name)
  }
}

/** What is wrong with the image of what is no description otherwise; nothing where the schema has said it. */
function ofImage(input: unknown, allowed: (image: string) => boolean): readonly FieldProblem[] {
  const image = descriptionSchema.shape.image.safeParse(isObject(input) ? input.image : undefined)
  const problems: FieldProblem[] = []
  if (image.success) checkImage(image.data, allowed, problems)
  return problems
}

/** zod's records leave this one key out unread: a selector without it would be of more pods than were meant. */
function ofLabels(input: unknown): readonly FieldProblem[] {
  if (!isObject(input)) return []
  return ['callers', 'calls'].flatMap((field) => {
    const peers: unknown = input[field]
    if (!Array.isArray(peers)) return []
    return peers.flatMap((peer: unknown, index): FieldProblem[] =>
      isObject(peer) && isObject(peer.labels) && Object.hasOwn(peer.labels, '__proto__')
        ? [{ field: nameOf([field, index, 'labels', '__proto__']), message: 'this is no key of a label' }]
        : [],
    )
  })
}

const isObject = (input: unknown): input is Readonly<Record<string, unknown>> =>
  typeof input === 'object' && input !== null

function checkImage(image: string, allowed: (image: string) => boolean, problems: FieldProblem[]): string {
  const reference = readImage(image)
  const wrong = (message: string): void => void problems.push({ field: 'image', message })
  if (reference === undefined) wrong('it is no image’s name, as in localhost/bulkhead/probe:0.1.0')
  else if (reference.digest === undefined && (reference.tag === undefined || reference.tag === 'latest'))
    wrong('it needs a tag that stays what it is (not latest), or a digest')
  else if (!allowed(image)) wrong('this image is not among those that may be run here; GET / lists them')
  return reference?.repository ?? image
}

function checkPort(raw: RawDescription, problems: FieldProblem[]): void {
  if (raw.port !== undefined) {
    if (raw.health !== undefined && raw.protocol === 'tcp')
      problems.push({ field: 'health', message: 'paths are asked by HTTP, and the protocol is tcp' })
    return
  }
  for (const field of ['servicePort', 'protocol', 'health', 'waypoint'] as const)
    if (raw[field] !== undefined) problems.push({ field, message: 'it needs a port, and there is none' })
  if ((raw.callers ?? []).length > 0)
    problems.push({ field: 'port', message: 'it is missing, and somebody is to call it' })
}

function listening({ port, servicePort, protocol = 'http', health }: RawDescription): Listening | undefined {
  if (port === undefined) return undefined
  return { port, servicePort: servicePort ?? port, protocol, ...(health !== undefined && { health }) }
}

function readVariable({ name, value, secret }: NonNullable<RawDescription['env']>[number]): EnvironmentVariable {
  return secret === undefined ? { name, value: value ?? '' } : { name, secret }
}

function readResources({ resources = {} }: RawDescription, problems: FieldProblem[]): Description['resources'] {
  const limit: Amounts = { ...defaults.limits, ...written(resources.limits) }
  const requests: Amounts = { ...defaults.requests, ...written(resources.requests) }
  const fitted: Record<string, string> = {}
  for (const [what, amount] of Object.entries(requests)) {
    const most = limit[what as keyof Amounts]
    const fits = most === undefined || amountOf(amount) <= amountOf(most)
    const asked = resources.requests?.[what as keyof Amounts] !== undefined
    if (!fits && asked)
      problems.push({ field: nameOf(['resources', 'requests', what]), message: `it is more than the limit, ${most}` })
    // A default gives way to a limit that was asked for.
    fitted[what] = fits ? amount : (most ?? amount)
  }
  for (const [which, amounts] of Object.entries({ requests: resources.requests, limits: resources.limits }))
    for (const [what, amount] of Object.entries(written(amounts))) {
      const message = unfit(which, what, amount)
      if (message !== undefined) problems.push({ field: nameOf(['resources', which, what]), message })
    }
  return { requests: fitted, limits: limit }
}

/** What is wrong with one amount by itself. */
function unfit(which: string, what: string, amount: string): string | undefined {
  if (what === 'memory' && amount.endsWith('m'))
    return 'its m is for thousandths of a byte; Mi or M is for megabytes, as in 256Mi'
  if (amountOf(amount) === 0) return which === 'limits' ? 'it must not be 0' : undefined
  return what === 'memory' && amountOf(amount) < 1 ? 'it is less than a byte' : undefined
}

/** Without what is not there, which would write `undefined` over a default. */
const written = (amounts: Readonly<Record<string, string | undefined>> = {}): Labels =>
  Object.fromEntries(Object.entries(amounts).flatMap(([key, amount]) => (amount === undefined ? [] : [[key, amount]])))
