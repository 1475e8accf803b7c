import { hostOf, outside } from './flow.js'
import type { ScenarioFile } from './schema.js'
import type { AttemptKind } from './types.js'
import { alwaysOn, isAdmission, placeOf } from './walls.js'

/** Something wrong with a scenario, at a path into its file. */
export interface Problem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** What the shape alone cannot say. `layers`: the layers there are, when they are known. */
export function check(scenario: ScenarioFile, layers?: readonly string[]): readonly Problem[] {
  const { attempt, control, from } = scenario
  return [
    ...checkKind(scenario),
    ...checkNeeds(scenario, layers),
    ...checkAttempt(attempt, ['attempt']),
    ...checkOutside(from, attempt, ['attempt']),
    ...(control === undefined ? [] : checkAttempt(control.attempt, ['control', 'attempt'])),
    ...checkControl(control),
    ...(control === undefined ? [] : checkOutside(control.from, control.attempt, ['control', 'attempt'])),
    ...checkRun(from, attempt, ['attempt']),
    ...(control === undefined ? [] : checkRun(control.from, control.attempt, ['control', 'attempt'])),
    ...checkHold(scenario),
    ...checkAdmission(scenario),
    ...checkWalls(scenario, layers),
  ]
}

function* checkControl(control: ScenarioFile['control']): Generator<Problem> {
  if (control?.status !== undefined && control.attempt.kind !== 'http')
    yield {
      path: ['control', 'status'],
      message: `only "http" is answered with a status; this one is "${control.attempt.kind}"`,
    }
}

function* checkKind({ kind, control, remains, expect }: ScenarioFile): Generator<Problem> {
  if (kind === 'attack') {
    if (control === undefined) {
      yield { path: [], message: 'an attack needs a "control": the allowed caller that proves that the service was up' }
    }
    if (expect.walls.length === 0) {
      yield {
        path: ['expect', 'walls'],
        message: 'an attack needs at least one wall; what nothing stops is "legitimate" with "remains"',
      }
    }
    if (remains !== undefined)
      yield { path: ['remains'], message: 'only a legitimate flow can remain open to an attacker' }
    return
  }
  if (control !== undefined) yield { path: ['control'], message: 'a legitimate flow is its own control' }
  if (expect.walls.length > 0) yield { path: ['expect', 'walls'], message: 'no wall may stop a legitimate flow' }
}

function* checkNeeds({ needs = [] }: ScenarioFile, layers?: readonly string[]): Generator<Problem> {
  for (const [index, layer] of needs.entries()) {
    const path = ['needs', index]
    if (alwaysOn.has(layer)) yield { path, message: `"${layer}" is no layer: it is always on` }
    else if (layers !== undefined && !layers.includes(layer)) yield { path, message: noLayer(layer, layers) }
  }
}

function noLayer(layer: string, there: readonly string[]): string {
  return `there is no layer "${layer}"; there are ${there.join(', ')}`
}

function* checkRun(from: string, { kind, to }: ScenarioFile['attempt'], path: readonly string[]): Generator<Problem> {
  if (kind !== 'run' || ('workload' in to && to.workload === from)) return
  yield { path: [...path, 'to'], message: `"run" is a program in the caller's own pod: to: { workload: ${from} }` }
}

/** The only walls at which something is not even created. */
const admitting: ReadonlySet<string> = new Set(['10-admission', 'pod-security'])

function* checkAdmission({ given, expect: { walls } }: ScenarioFile): Generator<Problem> {
  for (const [index, wall] of walls.entries()) {
    const path = ['expect', 'walls', index]
    const refuses = isAdmission(wall)
    if (refuses !== admitting.has(wall.layer)) {
      const what = `"${wall.layer}" ${refuses ? 'lets everything be created' : 'refuses what is to be created'}`
      yield {
        path: [...path, 'symptom'],
        message: `${what}: "admission-refused" is what ${[...admitting].join(' and ')} answer`,
      }
    } else if (refuses && given?.manifests === undefined) {
      yield { path: [...path, 'layer'], message: 'admission is only asked about what is created: name it in "given"' }
    }
    if (wall.message !== undefined && !refuses)
      yield { path: [...path, 'message'], message: 'only an API server that refuses answers with a message' }
  }
}

/** What can come in at a published port. */
const outsideKinds: readonly AttemptKind[] = ['http', 'tcp', 'tls', 'postgres', 'mongo']

function* checkOutside(from: string, attempt: ScenarioFile['attempt'], path: readonly string[]): Generator<Problem> {
  if (from !== outside) return
  const { kind, to, http } = attempt
  if (!outsideKinds.includes(kind)) {
    const names = outsideKinds.map((one) => `"${one}"`).join(', ')
    yield { path: [...path, 'kind'], message: `from outside only ${names} come in; this one is "${kind}"` }
  }
  if (!('service' in to)) {
    yield { path: [...path, 'to'], message: 'the outside knows no pods and no nodes of the cluster: name a service' }
  }
  if (kind === 'http' && hostOf(http?.headers) === undefined) {
    const why = 'at which address the door is found differs from target to target'
    yield {
      path: [...path, 'http'],
      message: `from outside a request says whom it asks for, since ${why}: headers: { host: ... }`,
    }
  }
}

/** The kinds of attempt that look at a field; on others it would say something that nobody does. */
const KINDS_OF = {
  http: ['http', 'tcp', 'tls', 'hbone', 'socket'],
  tls: ['tls', 'http'],
  postgres: ['postgres'],
  mongo: ['mongo'],
  bearer: ['http'],
  times: ['http'],
  dns: ['dns'],
  send: ['tcp', 'tls', 'hbone', 'socket', 'udp'],
  certificate: ['hbone'],
  as: ['hbone'],
  again: ['http'],
} as const satisfies Partial<Record<keyof ScenarioFile['attempt'], readonly AttemptKind[]>>

function* checkAttempt(attempt: ScenarioFile['attempt'], path: readonly string[]): Generator<Problem> {
  const { kind, certificate, dns } = attempt
  for (const [field, kinds] of Object.entries(KINDS_OF) as [keyof typeof KINDS_OF, readonly AttemptKind[]][]) {
    if (attempt[field] === undefined || kinds.includes(kind)) continue
    const names = kinds.map((one) => `"${one}"`).join(', ')
    yield { path: [...path, field], message: `"${field}" is for attempts of kind ${names}; this one is "${kind}"` }
  }
  if (kind === 'hbone' && certificate !== undefined && certificate !== 'none' && attempt.as === undefined)
    yield { path: [...path, 'certificate'], message: 'a forged certificate names somebody: say whom in "as"' }
  if (kind === 'tls' && attempt.tls?.insecure !== undefined)
    yield { path: [...path, 'tls', 'insecure'], message: '"tls" verifies no certificate anyway; "http" does' }
  if (attempt.bearer !== undefined && Object.keys(attempt.http?.headers ?? {}).some(isAuthorization))
    yield {
      path: [...path, 'http', 'headers'],
      message: '"bearer" is the authorization of the request: name one of the two',
    }
  if (attempt.times !== undefined && attempt.hold === true)
    yield { path: [...path, 'times'], message: 'an attempt with "times" closes each connection: it holds none' }
  if (kind === 'dns' && dns === undefined)
    yield { path: [...path, 'kind'], message: 'an attempt of kind "dns" needs "dns: {query}"' }
}

const isAuthorization = (name: string): boolean => name.toLowerCase() === 'authorization'

function* checkHold({ attempt, change, control }: ScenarioFile): Generator<Problem> {
  if (control?.attempt.hold === true)
    yield { path: ['control', 'attempt', 'hold'], message: 'a control only has to be served: it holds nothing open' }
  if (change !== undefined && attempt.hold !== true) {
    yield {
      path: ['change'],
      message: '"change" happens while a connection is held open: set "hold: true" in the attempt',
    }
  }
  if (attempt.hold === true && change === undefined) {
    yield { path: ['attempt', 'hold'], message: 'a held connection waits for a "change", and there is none' }
  }
  if (attempt.again === true && attempt.hold !== true) {
    yield { path: ['attempt', 'again'], message: '"again" asks on a connection that is held open: set "hold: true"' }
  }
}

function* checkWalls(
  { from, needs = [], expect: { walls, through } }: ScenarioFile,
  layers?: readonly string[],
): Generator<Problem> {
  const known = (layer: string): boolean => layers === undefined || alwaysOn.has(layer) || layers.includes(layer)
  let last: { readonly layer: string; readonly place: number } | undefined
  for (const [index, wall] of walls.entries()) {
    const path = ['expect', 'walls', index]
    for (const layer of [wall.layer, ...(wall.when?.on ?? []), ...(wall.when?.off ?? [])]) {
      if (!known(layer)) {
        yield { path: [...path, 'layer'], message: noLayer(layer, [...(layers ?? []), ...alwaysOn]) }
      }
    }
    const place = placeOf(wall.layer, from)
    if (place === undefined) continue
    if (last !== undefined && place < last.place) {
      yield {
        path: [...path, 'layer'],
        message: `"${wall.layer}" stands before "${last.layer}" on the connection's way; put it first`,
      }
    }
    last = { layer: wall.layer, place }
  }
  // A layer without which it is not tried at all is on whenever it is.
  const unconditional = walls.some(
    ({ layer, when }) => (alwaysOn.has(layer) || needs.includes(layer)) && when === undefined,
  )
  if (unconditional && through !== 'never') {
    yield { path: ['expect', 'through'], message: 'one of the walls is always on: "through" must be "never"' }
  }
  if (!unconditional && through === 'never') {
    yield {
      path: ['expect', 'through'],
      message:
        '"never" needs a wall that is always on (mesh, network, or a layer in "needs"); say what arrives when no wall is on',
    }
  }
}
