import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { schedulerOf, signStatement } from '@bulkhead/intents'
import { eventually } from '@bulkhead/testing'
import { Int32, Long, ObjectId } from 'mongodb'
import { createTokens } from '../../auth/tokens.js'
import { podView } from '../../kubernetes/memory.js'
import type { RoleDoc, UserDoc } from '../../store/documents.js'
import type { TestManager } from '../../testing/index.js'
import { newUserDoc } from '../../users/documents.js'
import { aim } from './aim.js'
import { type InputOf, type Operation, rules } from './model/index.js'
import { STRANGER } from './model/looking.js'
import type { Assertion, Pod, Role, Strategy, Ticket, User } from './model/things.js'
import { type Reply, type Rule, World } from './model/world.js'
import { type Answered, hashOf, type QuickService } from './quick-service.js'
import { answeredData, expectedData } from './replies.js'
import { builders, type Ids, type Thing } from './requests.js'
import { type Call, type Event, NAMESPACES, NODES, PODS, type Scene } from './scenes.js'
import { sameIsStored } from './stored.js'

const HOUR = 3_600_000
const strangerKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

/** A scene in the service and in the model, and calls that are made of both. */
export class Replay implements Ids {
  readonly world = new World({ nodes: NODES, pods: PODS, namespaces: NAMESPACES })
  readonly #manager: TestManager
  readonly #service: QuickService
  readonly #ids = new Map<Thing, string>()
  readonly #tokens = new Map<User, { readonly ticket: Ticket; readonly text: string }[]>()
  /** What each scheduler took last: pods. */
  readonly #told = new Map<string, readonly string[]>()

  constructor(manager: TestManager, service: QuickService) {
    this.#manager = manager
    this.#service = service
  }

  of(thing: Thing): string {
    const id = this.#ids.get(thing)
    assert.ok(id, 'an id is learned as soon as the thing is there')
    return id
  }

  async begin({ roles, users }: Scene): Promise<void> {
    const { db, store } = this.#manager
    const { world } = this
    const admin = await store.roles.findOne({ builtIn: true })
    assert.ok(admin)
    await Promise.all([
      store.roles.deleteMany({ _id: { $ne: admin._id } }),
      ...['users', 'schedule_strategies', 'schedule_intents', 'idempotency_keys', 'audit_logs', 'schedulers'].map(
        (name) => db.collection(name).deleteMany({}),
      ),
    ])
    const { name, description, policies, version } = admin
    world.roles.push({ name, description, policies, builtIn: true, version: Number(version), gone: false })
    this.#learn(world.roles[0] as Role, admin._id)
    const documents = roles.map((each, n) => roleDoc(`role-${n}`, each))
    await store.roles.insertMany(documents)
    for (const each of documents) {
      const role = {
        name: each.name,
        description: '',
        policies: each.policies,
        builtIn: false,
        version: 1,
        gone: false,
      }
      world.roles.push(role)
      this.#learn(role, each._id)
    }
    const docs: UserDoc[] = []
    for (const { roles: held, status } of [{ roles: [0], status: 1 as const }, ...users]) {
      const own = [...new Set(held.map((number) => world.at(world.roles, number) as Role))]
      const user: User = {
        name: `user-${docs.length}`,
        password: 'password-1',
        status,
        roles: own,
        version: 1,
        era: 0,
      }
      const doc = newUserDoc({
        username: user.name,
        phc: hashOf(user.password),
        status,
        roleIds: own.map((role) => new ObjectId(this.of(role))),
        now: Date.now(),
      })
      docs.push(doc)
      world.users.push(user)
      this.#learn(user, doc._id)
    }
    await store.users.insertMany(docs)
    this.#fillCluster()
  }

  #fillCluster(): void {
    const { cluster, push } = this.#manager
    for (const { uid } of [...cluster.pods()]) cluster.removePod(uid)
    for (const each of PODS) cluster.setPod(viewOf(each))
    for (const [name, status] of NODES) cluster.setNode({ name, status })
    cluster.synced = true
    push.sets.length = 0
    push.take = async ({ node, intents }) => {
      if (!this.world.schedulers.has(node)) return 'no-scheduler'
      this.#told.set(
        node,
        intents.map(({ podName }) => podName),
      )
      return 'sent'
    }
    push.read = async (node) =>
      this.world.schedulers.has(node)
        ? {
            pods: [...this.world.pods.filter((pod) => pod.node === node).map(({ name }) => name), STRANGER].map(
              (name) => ({ podUid: `uid-of-${name}`, processes: [] }),
            ),
            timestamp: '2026-01-01T00:00:00Z',
            nodeName: node,
          }
        : 'no-scheduler'
  }

  happen(event: Event): void {
    const { world } = this
    const { cluster } = this.#manager
    if (event.event === 'synced') {
      world.synced = !world.synced
      cluster.synced = world.synced
    } else if (event.event === 'scheduler') {
      if (!world.schedulers.delete(event.node)) world.schedulers.add(event.node)
    } else {
      const pod = PODS[event.pod] as Pod
      const left = world.pods.filter((other) => other !== pod)
      if (left.length < world.pods.length) cluster.removePod(viewOf(pod).uid)
      else cluster.setPod(viewOf(pod))
      world.pods = left.length < world.pods.length ? left : [...left, pod]
    }
  }

  /** Makes the call here and there, and holds one answer against the other; what it came to: `ok`, or the refusal's code. */
  async call({ operation, input: drawn, caller, shows }: Call): Promise<string> {
    const { world } = this
    const user = world.at(world.users, caller) as User
    const input = aim(world, user, drawn)
    const { ticket, headers } = await this.#show(user, shows, input)
    // What is asked is said before the model does it: names and versions are of now.
    const build = builders[operation] as (
      input: InputOf<Operation>,
      world: World,
      ids: Ids,
    ) => ReturnType<(typeof builders)['login']>
    const { body, ...request } = build(input, world, this)
    const asked = {
      ...request,
      headers: { ...headers, ...request.headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }
    const reply = world.call(rules[operation] as Rule<InputOf<Operation>>, ticket, input)
    const sent = this.#manager.push.sets.length
    const answer = await this.#service.ask(asked)
    const { error, code, data } = (answer.json ?? {}) as Readonly<Record<string, unknown>>
    const what = `${user.name} (${shows}) ${operation} ${JSON.stringify(input)}: ${answer.text}`
    assert.deepEqual([answer.status, error, code], [reply.status, reply.error, reply.code], what)
    await this.#learnFrom(operation, reply, data)
    if (operation === 'reportScheduler') await this.#untilTold(reply, (input as { node: string }).node, sent)
    if (operation !== 'login') {
      assert.deepEqual(answeredData(operation, data), expectedData(operation, reply.data, this), what)
    }
    if (reply.version !== undefined) assert.equal(answer.headers.etag, `"${reply.version}"`, what)
    this.#documented(asked, answer)
    return reply.code ?? 'ok'
  }

  #documented(
    { method, path, body }: { method: string; path: string; body?: string },
    { status, json }: Answered,
  ): void {
    const sent = body === undefined ? undefined : JSON.parse(body)
    const problem = this.#manager.documented.problemOf({ method, path, status, body: json, sent })
    assert.equal(problem, undefined)
  }

  /** What a report had sent is not waited for by its answer, and is over before the next call is made. */
  async #untilTold({ data }: Reply, node: string, sent: number): Promise<void> {
    const { push, store } = this.#manager
    if ((data as { inSync: boolean } | undefined)?.inSync !== false) return
    await eventually('the set of the node', () => push.sets.slice(sent).some((set) => set.node === node))
    if (!this.world.schedulers.has(node)) return
    const left = { nodeID: node, state: { $ne: 2 as const } }
    await eventually('what was sent is noted', async () => (await store.intents.countDocuments(left)) === 0)
  }

  async #show(
    user: User,
    shows: Call['shows'],
    input: object,
  ): Promise<{ ticket: Ticket; headers: Record<string, string> }> {
    const bearer = (text: string): Record<string, string> => ({ authorization: `Bearer ${text}` })
    const claims = { uid: this.of(user), needChangePassword: false, tv: user.era }
    const { tokens } = this.#service.identity
    const { key } = this.#manager
    switch (shows) {
      case 'none':
        return { ticket: 'none', headers: {} }
      case 'malformed':
        return { ticket: 'malformed', headers: { authorization: `bearer ${await tokens.sign(claims)}` } }
      case 'forged':
        return { ticket: 'forged', headers: bearer(await createTokens(strangerKey).sign(claims)) }
      case 'expired':
        return { ticket: 'expired', headers: bearer(await createTokens(key, () => Date.now() - 4 * HOUR).sign(claims)) }
      case 'scheduler':
      case 'other scheduler': {
        const spokenOf = 'node' in input ? String(input.node) : 'node-1'
        const scheduler = shows === 'scheduler' ? spokenOf : `${spokenOf}0`
        const text = await signStatement(this.#manager.schedulerKey, schedulerOf(scheduler), Date.now())
        return { ticket: { scheduler }, headers: bearer(text) }
      }
      case 'of nobody':
        return {
          ticket: 'of nobody',
          headers: bearer(await tokens.sign({ ...claims, uid: new ObjectId().toHexString() })),
        }
    }
    const own = this.#tokens.get(user) ?? []
    this.#tokens.set(user, own)
    if (own.length === 0 || (shows === 'fresh' && !this.world.isGood(own.at(-1)?.ticket))) {
      const mustChange = user.status === 3
      const text = await tokens.sign({ ...claims, needChangePassword: mustChange })
      own.push({ ticket: { user, era: user.era, mustChange }, text })
    }
    const held = shows === 'first' ? own[0] : own.at(-1)
    assert.ok(held)
    return { ticket: held.ticket, headers: bearer(held.text) }
  }

  /** Which ids and tokens there are since this answer. */
  async #learnFrom(operation: Operation, reply: Reply, data: unknown): Promise<void> {
    const { store } = this.#manager
    const { users, roles, strategies } = this.world
    if (reply.code !== undefined) return
    if (operation === 'login') {
      const ticket = reply.data as Exclude<Ticket, string | Assertion>
      const own = this.#tokens.get(ticket.user) ?? []
      own.push({ ticket, text: (data as { token: string }).token })
      this.#tokens.set(ticket.user, own)
    } else if (operation === 'createUser') {
      const user = users.at(-1) as User
      this.#learn(user, (await store.users.findOne({ username: user.name }))?._id)
    } else if (operation === 'createRole') {
      const role = roles.at(-1) as Role
      this.#learn(role, (await store.roles.findOne({ name: role.name }))?._id)
    } else if (operation === 'createStrategy' || operation === 'updateStrategy') {
      const { id } = data as { id: string }
      const { strategy } = reply.data as { strategy: Strategy }
      if (strategies.at(-1) === strategy && !this.#ids.has(strategy)) this.#ids.set(strategy, id)
      const made = this.world.intents.filter((intent) => intent.strategy === strategy && !this.#ids.has(intent))
      if (made.length === 0) return
      const stored = await store.intents
        .find({ strategyID: new ObjectId(id) })
        .sort({ _id: 1 })
        .toArray()
      for (const intent of made) this.#learn(intent, stored.find(({ podName }) => podName === intent.pod.name)?._id)
    }
  }

  #learn(thing: Thing, id: ObjectId | undefined): void {
    assert.ok(id, 'what was made is stored')
    this.#ids.set(thing, id.toHexString())
  }

  /** Holds what is stored, and what schedulers know, against the model. */
  async end(): Promise<void> {
    await sameIsStored(this.#manager.store, this.world, this)
    const sorted = (told: ReadonlyMap<string, readonly string[]>) => [...told].sort(([a], [b]) => (a < b ? -1 : 1))
    assert.deepEqual(sorted(this.#told), sorted(this.world.told), 'schedulers know their nodes’ whole sets')
  }
}

const viewOf = ({ name, namespace, labels, command, node, account = 'default' }: Pod) =>
  podView({ name, namespace, labels, command, nodeName: node, serviceAccount: account })

function roleDoc(name: string, policies: RoleDoc['policies']): RoleDoc {
  const time = Long.fromNumber(Date.now())
  const _id = new ObjectId()
  return {
    ...{ _id, name, description: '', policies, version: new Int32(1) },
    ...{ createdTime: time, updatedTime: time, creatorID: _id, updaterID: _id },
  }
}
