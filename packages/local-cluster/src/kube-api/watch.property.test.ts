import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { readList } from './list.js'
import { Store } from './store.js'
import type { ApiObject, ResourceRequest } from './types.js'
import { readWatch } from './watch.js'

/** An answer whose lines are read at once. */
class Answer extends PassThrough {
  readonly lines: { readonly type: string; readonly object: Known & { readonly code?: number } }[] = []

  override write(chunk: unknown): boolean {
    this.lines.push(JSON.parse(String(chunk)))
    return true
  }

  writeHead(): this {
    return this
  }

  flushHeaders(): void {}
}

interface Known {
  readonly metadata: {
    readonly name: string
    readonly resourceVersion: string
    readonly labels: { readonly app: string }
  }
}

/** Follows pods as a controller does: a list, then a watch from there, and another list when it is told 410. */
class Follower {
  readonly #store: Store
  readonly #query: Readonly<Record<string, string>>
  readonly #request: ResourceRequest
  readonly known = new Map<string, Known>()
  #version = ''
  #answer: Answer | undefined
  #leave: () => void = () => undefined

  constructor(store: Store, labelSelector: string) {
    this.#store = store
    this.#query = labelSelector === '' ? {} : { labelSelector }
    this.#request = { kind: 'resource', verb: 'list', group: '', version: 'v1', resource: 'pods', namespace: 'shop' }
  }

  #list(): void {
    const list = JSON.parse(readList(this.#store, this.#request, new URLSearchParams(this.#query))) as {
      readonly metadata: { readonly resourceVersion: string }
      readonly items: readonly Known[]
    }
    this.known.clear()
    for (const item of list.items) this.known.set(item.metadata.name, item)
    this.#version = list.metadata.resourceVersion
  }

  connect(): void {
    if (this.#answer !== undefined) return
    if (this.#version === '') this.#list()
    const query = new URLSearchParams({
      ...this.#query,
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#version,
    })
    const answer = new Answer()
    const request = { ...this.#request, verb: 'watch' }
    const end = readWatch({ store: this.#store, request, query, bookmarkMs: 3_600_000 }).begin(
      answer as unknown as ServerResponse,
    )
    this.#answer = answer
    this.#leave = () => {
      end()
      answer.emit('close')
    }
    this.read()
  }

  disconnect(): void {
    this.#leave()
    this.read()
    this.#answer = undefined
    this.#leave = () => undefined
  }

  read(): void {
    for (const { type, object } of this.#answer?.lines.splice(0) ?? []) {
      if (type === 'ERROR') {
        assert.equal(object.code, 410)
        this.#version = ''
        this.disconnect()
        this.connect()
        return
      }
      const { name, resourceVersion } = object.metadata
      assert.ok(Number(resourceVersion) > Number(this.#version) || type === 'BOOKMARK', 'versions go up')
      this.#version = resourceVersion
      // An ADDED of what is known, or the end of what is not, would be a mistake that a controller does not see.
      if (type !== 'BOOKMARK') assert.equal(this.known.has(name), type !== 'ADDED', `${type} ${name}`)
      if (type === 'DELETED') this.known.delete(name)
      else if (type !== 'BOOKMARK') this.known.set(name, object)
    }
  }
}

const step = fc.oneof(
  fc.record({
    do: fc.constant('put' as const),
    name: fc.integer({ min: 0, max: 4 }),
    app: fc.constantFrom('web', 'db'),
  }),
  fc.record({
    do: fc.constant('renew' as const),
    name: fc.integer({ min: 0, max: 4 }),
    app: fc.constantFrom('web', 'db'),
  }),
  fc.record({ do: fc.constant('remove' as const), name: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ do: fc.constant('link' as const), on: fc.boolean() }),
)

test('whoever lists and then watches knows in the end what there is, however often he was away', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom('', 'app=web'),
      fc.integer({ min: 1, max: 6 }),
      (steps, selector, kept) => {
        const store = new Store({ kept, firstVersion: 1000 })
        const pods = new Map<string, ApiObject>()
        const follower = new Follower(store, selector)
        let uids = 0
        const put = (name: string, uid: string, app: string) =>
          pods.set(`shop/${name}`, {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name, namespace: 'shop', uid, creationTimestamp: '', labels: { app } },
            spec: {},
            status: {},
          })
        for (const one of steps) {
          if (one.do === 'link') {
            if (one.on) follower.connect()
            else follower.disconnect()
          } else {
            const name = `p${one.name}`
            const known = pods.get(`shop/${name}`)
            if (one.do === 'remove') pods.delete(`shop/${name}`)
            else put(name, (one.do === 'put' ? known?.metadata.uid : undefined) ?? `u${uids++}`, one.app)
            store.put('pods', pods)
            follower.read()
          }
        }
        follower.connect()
        follower.read()
        const there = store
          .page('pods')
          .items.map(({ object }) => object)
          .filter(({ metadata }) => selector === '' || metadata.labels?.app === 'web')
        assert.deepEqual(
          [...follower.known.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
          there,
        )
        follower.disconnect()
      },
    ),
    { numRuns: 300 },
  )
})
