import type { Resource } from '@bulkhead/resources'
import type { Admitted, Change } from '@bulkhead/scenarios'
import type { Place } from '../../place.js'
import { goneWithGateway } from '../../plan/layers.js'
import { readRecord as readCluster } from '../../record.js'
import type { Tools } from '../../tools.js'
import { messageOf, TargetError } from '../errors.js'
import { asked, idOf, itemsOf, keyOf, kubectl, type Live, type LiveObject, toPutBack } from '../live/index.js'
import type { Settle } from '../settle.js'
import { predictAdmissions } from './admit.js'
import { isGateway } from './gateway.js'
import { argsOf } from './names.js'
import { bringsPods, inOrder, labelled, readChange } from './objects.js'
import { podsReady, type ReadyOptions } from './ready.js'
import { type ChangeRecord, fileOf, forget, keep, kept, leftovers } from './record.js'
import { admittedFrom, isRefusal, type Refusal, refusedError } from './refused.js'

export interface ChangesOptions extends Pick<ReadyOptions, 'readyMs' | 'pauseMs'> {
  readonly tools: Tools
  readonly place: Place
  readonly settle: Settle
}

const deleteMs = 180_000

/** Changes on the cluster, each in force whole or not at all, and taken back to what was before. */
export class Changes {
  readonly #options: ChangesOptions
  readonly #standing = new Map<string, readonly Resource[]>()

  constructor(options: ChangesOptions) {
    this.#options = options
  }

  /** Objects of the changes that stand, with their files' places. */
  standing(): readonly Resource[] {
    return [...this.#standing.values()].flat()
  }

  admit(change: Change, live: Live): Promise<readonly Admitted[]> {
    return predictAdmissions(readChange(change), live)
  }

  /**
   * Puts a change in force: first what runs nothing, then, when the API server would take all of it, the pods.
   * @returns what did not come about in time, a sentence each
   * @throws RefusedError, TargetError; nothing of the change is left then
   */
  async apply(name: string, change: Change, live: Live): Promise<readonly string[]> {
    const { place, settle } = this.#options
    const resources = inOrder(readChange(change))
    const record = await this.#recordOf(name, resources, change.without ?? [], live)
    // Two that began side by side have seen nothing of each other yet.
    this.#alone()
    keep(place, record)
    try {
      const touched = [...resources.map(({ object }) => object), ...record.taken]
      const before = await settle.before(touched)
      await this.#delete(record.taken)
      const refused = await this.#send(record, resources)
      if (refused.length > 0) throw this.#refusal(resources, refused, live)
      const podless = await podsReady(resources, this.#options)
      if (podless.length > 0) throw this.#refusal(resources, podless, live, 'pods')
      const notes = await settle.after(before, touched)
      this.#standing.set(name, resources)
      return notes
    } catch (error) {
      await this.#takeBack(record).catch((problem: unknown) => {
        throw new TargetError(
          'bad-change',
          `${messageOf(error)}\nand the change "${name}" could not be taken back: ${messageOf(problem)}`,
        )
      })
      throw error
    }
  }

  async withdraw(name: string): Promise<readonly string[]> {
    const record = kept(this.#options.place, name)
    const notes = record === undefined ? [] : await this.#takeBack(record)
    this.#standing.delete(name)
    return notes
  }

  /**
   * Takes back what runs have left that were ended in the middle. @returns their names
   * @throws TargetError when another run goes on: two of them would judge each other's policies
   */
  async mend(): Promise<readonly string[]> {
    const left = this.#alone()
    for (const record of left.toReversed()) await this.#takeBack(record)
    return left.map(({ name }) => name)
  }

  /** @returns what ended runs have left. @throws TargetError when another run has a change in force */
  #alone(): readonly ChangeRecord[] {
    const { place } = this.#options
    const { left, others } = leftovers(place, readCluster(place)?.uid)
    const [other] = others
    if (other === undefined) return left
    throw new TargetError(
      'bad-change',
      `another run (process ${other.pid}) has the change "${other.name}" in force on the cluster; wait until it has ended, or end it with Ctrl-C where it runs. If process ${other.pid} is something else by now, since the machine was restarted meanwhile: set "pid" to 0 in "${fileOf(place, other.name)}", and it is taken back.`,
    )
  }

  async #recordOf(
    name: string,
    resources: readonly Resource[],
    without: readonly string[],
    live: Live,
  ): Promise<ChangeRecord> {
    const there = new Map(live.read.objects.map((one) => [keyOf(idOf(one), one), one]))
    const gone = [...there].filter(([key, one]) => without.includes(key) || without.includes(idOf(one)))
    const secrets = without.filter((id) => /^Secret(\.)?\//.test(id)).map((id) => id.split('/').slice(1))
    const replaced: LiveObject[] = []
    const brought: ChangeRecord['brought'][number][] = []
    for (const { id, object } of resources) {
      // Read anew and whole: what was read before may be some seconds old, and of Secrets it has the names alone.
      const known = there.has(keyOf(id, object)) || live.read.secrets.has(id.replace(/^Secret\//, ''))
      const whole = known ? await this.#whole(object) : undefined
      if (whole === undefined) brought.push(object)
      else replaced.push(whole)
    }
    const taken: LiveObject[] = []
    for (const one of [...gone.map(([, object]) => object), ...secrets.map(secretNamed)]) {
      const whole = await this.#whole(one)
      if (whole !== undefined) taken.push(whole)
    }
    const cluster = readCluster(this.#options.place)?.uid ?? ''
    return { name, pid: process.pid, cluster, brought, replaced, taken }
  }

  async #whole(object: Pick<LiveObject, 'apiVersion' | 'kind' | 'metadata'>): Promise<LiveObject | undefined> {
    const secret = object.kind === 'Secret'
    const args = ['get', ...argsOf(object), '--ignore-not-found', '-o', 'json']
    const said = await asked(this.#options.tools, kubectl(this.#options.place, args, { secret }))
    const [found] = said.trim() === '' ? [] : itemsOf(said)
    return found === undefined ? undefined : toPutBack(found)
  }

  /** @returns what was refused. What only supports others is sent at once; what runs pods when all of it would be taken. */
  async #send(record: ChangeRecord, resources: readonly Resource[]): Promise<readonly Refusal[]> {
    const refused: Refusal[] = []
    const runs = resources.filter(bringsPods)
    for (const resource of resources)
      if (!runs.includes(resource)) refused.push(...(await this.#sendOne(record, resource)))
    for (const resource of runs) refused.push(...(await this.#sendOne(record, resource, ['--dry-run=server'])))
    if (refused.length > 0) return refused
    for (const resource of runs) refused.push(...(await this.#sendOne(record, resource)))
    return refused
  }

  /**
   * In the place of what is there already, replaced: an apply leaves what somebody else has written and the manifest does not have,
   * a label that is to be gone among it.
   */
  async #sendOne(
    { name, replaced }: ChangeRecord,
    resource: Resource,
    more: readonly string[] = [],
  ): Promise<readonly Refusal[]> {
    const { tools, place } = this.#options
    const isThere = replaced.some((one) => keyOf(idOf(one), one) === keyOf(resource.id, resource.object))
    const how = isThere ? ['replace'] : ['apply', '--server-side', '--force-conflicts']
    const args = [...how, '--field-manager=bulkhead', ...more, '-f', '-']
    const stdin = `${JSON.stringify(labelled(resource, name))}\n`
    const secret = resource.kind === 'Secret'
    const { code, stderr } = await tools.run(kubectl(place, args, { stdin, secret }))
    if (code === 0) return []
    if (isRefusal(stderr)) return [{ resource, stderr }]
    throw new TargetError(
      'bad-change',
      `${resource.id} was not taken by the API server: ${stderr.trim() || `kubectl ended with ${code}`}`,
    )
  }

  #refusal(
    resources: readonly Resource[],
    refused: readonly Refusal[],
    live: Live,
    of: 'object' | 'pods' = 'object',
  ): Error {
    const find = (id: string): Resource | undefined => [...resources, ...live.resources].find((one) => one.id === id)
    const said = refused.map((one) => ({ resource: one.resource, admitted: admittedFrom(one, find) }))
    const let_ = (resource: Resource): Admitted => ({
      outcome: 'allow',
      steps: [],
      warnings: [],
      object: { id: resource.id },
    })
    return refusedError(
      resources.map((resource) => {
        const found = said.find((one) => one.resource === resource)?.admitted
        if (found === undefined) return let_(resource)
        return of === 'object' ? found : { ...let_(resource), pod: found }
      }),
    )
  }

  /** Also of what was not sent yet: to delete what is not there is no mistake. */
  async #takeBack(record: ChangeRecord): Promise<readonly string[]> {
    const { place, settle } = this.#options
    const back = [...record.replaced, ...record.taken]
    const touched = [...record.brought, ...back]
    const before = await settle.before(touched)
    await this.#delete(record.brought.toReversed())
    for (const one of back) await this.#putBack(one)
    // What runs is ready again before anybody is let on.
    await podsReady(back.map(asResource), this.#options)
    const notes = await settle.after(before, touched)
    forget(place, record.name)
    return notes
  }

  async #delete(objects: readonly Pick<LiveObject, 'apiVersion' | 'kind' | 'metadata'>[]): Promise<void> {
    const { tools, place } = this.#options
    for (const one of objects) {
      const args = ['delete', ...argsOf(one), '--ignore-not-found', '--wait=true', `--timeout=${deleteMs / 1000}s`]
      await asked(tools, kubectl(place, args, { timeoutMs: deleteMs + 15_000 })).catch((error: unknown) => {
        // A kind that is not served any more has no objects.
        if (!/the server doesn't have a resource type/.test(messageOf(error))) throw error
      })
      if (isGateway(one)) await this.#goneWith(one)
    }
  }

  /** So that one that is put in its place is not taken for ready by what was made of this one. */
  async #goneWith({ metadata: { namespace = 'default', name } }: Pick<LiveObject, 'metadata'>): Promise<void> {
    const { tools, place } = this.#options
    const args = [...goneWithGateway(namespace, name), `--timeout=${deleteMs / 1000}s`]
    await asked(tools, kubectl(place, args, { timeoutMs: deleteMs + 15_000 }))
  }

  async #putBack(object: LiveObject): Promise<void> {
    const { tools, place } = this.#options
    const there = (await this.#whole(object)) !== undefined
    // Replaced, and not applied: what the change has added to it is to go.
    const args = [there ? 'replace' : 'create', '-f', '-']
    await asked(tools, kubectl(place, args, { stdin: `${JSON.stringify(object)}\n`, secret: object.kind === 'Secret' }))
  }
}

const secretNamed = ([namespace = 'default', name = '']: readonly string[]): LiveObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
})

function asResource(object: LiveObject): Resource {
  const { kind, metadata } = object
  const file = `live:${idOf(object)}`
  return { id: idOf(object), kind, name: metadata.name, object, position: () => ({ file, line: 1, column: 1 }) }
}
