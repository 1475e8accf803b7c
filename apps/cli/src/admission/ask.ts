import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { ControlError } from '@bulkhead/control'
import type { Resource } from '@bulkhead/resources'
import type { Admission, Asked, Operation, Requester } from '@bulkhead/verdict/admission'
import { CliError, type Io } from '../io.js'
import { ownManifests, readManifests } from '../manifests.js'
import { groupOf } from '../objects/change.js'
import type { Given } from '../objects/read.js'
import type { ManifestsOption, StateOption } from '../options.js'
import { rootOf, shownPath } from '../places.js'
import { findTarget } from '../target/find.js'
import { together } from './together.js'

/** One object that was asked about, and what admission says of it. */
export interface Answer {
  readonly asked: Asked
  readonly admission: Admission
}

export interface AskOptions extends ManifestsOption, StateOption {
  readonly offline?: boolean
  readonly user: Requester
}

/** Who answers, and what: the running target, or the manifests as they are written. */
export async function ask(
  given: readonly Given[],
  options: AskOptions,
  io: Io,
): Promise<{ readonly by: string; readonly answers: readonly Answer[] }> {
  const target = options.offline === true || options.manifests !== undefined ? undefined : runningTarget(io, options)
  if (target !== undefined)
    return { by: 'the running target', answers: await askTarget(given, target, options.user, io) }
  const set = ownManifests(io, options.manifests)
  return {
    by: `the manifests in ${set.title}`,
    answers: await askManifests(given, await readManifests(set), options.user, io),
  }
}

type Target = Pick<ReturnType<typeof findTarget>, 'admit' | 'objects'>

function runningTarget(io: Io, options: StateOption): Target | undefined {
  try {
    return findTarget(io, options)
  } catch (error) {
    // With --state somebody means a certain target, and it is not to be answered for by something else.
    if (error instanceof ControlError && error.code === 'not-up' && options.state === undefined) return undefined
    throw error
  }
}

/** One file after the other, each with all the others beside it, so that policies find what they look up. */
export async function askTarget(
  given: readonly Given[],
  target: Target,
  user: Requester,
  io: Pick<Io, 'cwd'>,
): Promise<readonly Answer[]> {
  const inForce = new Map((await target.objects()).map((one) => [keyOf(one), one.given ?? one.object]))
  const answers: Answer[] = []
  for (const { text, of } of together(given)) {
    const own = new Set(of)
    const others = given.filter((other) => !own.has(other)).map((other) => JSON.stringify(other.resource.object))
    const objects = [text, ...others].join('\n---\n')
    const admissions = await target.admit({ ...of[0]?.change, objects }, user)
    for (const [index, { resource }] of of.entries()) {
      const admission = admissions[index]
      if (admission === undefined || admission.object.id !== resource.id)
        throw new CliError(`the running target says nothing of ${resource.id}.`)
      answers.push({ admission, asked: askedOf(resource, inForce.get(keyOf(resource)), io) })
    }
  }
  return answers
}

/** As if all of them were there: what is given takes the place of what the manifests have under its name. */
async function askManifests(
  given: readonly Given[],
  own: readonly Resource[],
  user: Requester,
  io: Io,
): Promise<readonly Answer[]> {
  const { admit, compileAdmission, CompileError } = await import('@bulkhead/verdict/admission')
  const { gatewayObjects } = await import('@bulkhead/verdict')
  const before = new Map(own.map((resource) => [keyOf(resource), resource.object]))
  const replaced = new Set(given.map(({ resource }) => keyOf(resource)))
  const written = [
    ...own.filter((resource) => !replaced.has(keyOf(resource))),
    ...given.map(({ resource }) => resource),
  ]
  try {
    const policies = compileAdmission([...written, ...gatewayObjects(written)])
    return given.map(({ resource }) => {
      const oldObject = before.get(keyOf(resource))
      const asked = askedOf(resource, oldObject, io)
      const old = asked.operation === 'UPDATE' && oldObject !== undefined ? { oldObject } : {}
      return { asked, admission: admit({ operation: asked.operation, object: resource, ...old, user }, policies) }
    })
  } catch (error) {
    if (error instanceof CompileError) throw new CliError(`the policies cannot be used:\n${error.message}`)
    throw error
  }
}

/** What is there as it is given is asked about as if it were new: whether it may be there at all. */
function askedOf(resource: Resource, before: unknown, io: Pick<Io, 'cwd'>): Asked {
  const { object } = resource
  const { file } = resource.position([])
  const operation: Operation = before === undefined || isDeepStrictEqual(before, object) ? 'CREATE' : 'UPDATE'
  return { operation, object, file: file === '-' ? file : shownPath(io, path.resolve(rootOf(io), file)) }
}

/** Kinds of different API groups may share an id. */
const keyOf = ({ id, object }: Pick<Resource, 'id' | 'object'>): string => `${groupOf(object)} ${id}`

/** As `--json` has it: objects instead of what knows their places. */
export function answerJson({ asked, admission }: Answer): Readonly<Record<string, unknown>> {
  return { id: admission.object.id, operation: asked.operation, file: asked.file, ...admissionJson(admission) }
}

function admissionJson({ object, generated, pod, ...rest }: Admission): Readonly<Record<string, unknown>> {
  return {
    ...rest,
    object: object.object,
    generated: generated.map((one) => one.object),
    ...(pod !== undefined && { pod: admissionJson(pod) }),
  }
}

/** The worst of them, with that of a workload's pods: what is refused before what is unknown. */
export function outcomeOf(answers: readonly Answer[]): Admission['outcome'] {
  const outcomes = answers.flatMap(({ admission }) => [admission.outcome, admission.pod?.outcome ?? 'allow'])
  return outcomes.includes('deny') ? 'deny' : outcomes.includes('unknown') ? 'unknown' : 'allow'
}
