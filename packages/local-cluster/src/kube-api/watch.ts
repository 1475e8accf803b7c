import type { ServerResponse } from 'node:http'
import { kinds, numberOf, selection } from './list.js'
import { isTrue } from './request.js'
import type { Matches } from './selectors.js'
import { ApiStatus, tooNew, tooOld } from './status.js'
import type { Change, Store } from './store.js'
import type { ResourceRequest, Served, Stored } from './types.js'

/** What a watch has not been read of; one that is further behind is cut, and begins again with a list. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024
const MIN_DEFAULT_MS = 30 * 60_000
export const bookmarkEveryMs = 60_000

export interface WatchOptions {
  readonly store: Store
  readonly request: ResourceRequest
  readonly query: URLSearchParams
  readonly bookmarkMs: number
}

/** A watch that has been asked for rightly and has not begun. */
export interface Watch {
  /** Writes what has changed, and what changes, until its time is over or nobody reads it. Returns the way to end it. */
  begin(response: ServerResponse): () => void
}

const invalid = (why: string): ApiStatus =>
  new ApiStatus(422, 'Invalid', `ListOptions.meta.k8s.io "" is invalid: ${why}`, {
    group: 'meta.k8s.io',
    kind: 'ListOptions',
  })

/** @throws ApiStatus 400, 422, 504 */
export function readWatch({ store, request, query, bookmarkMs }: WatchOptions): Watch {
  const resource = request.resource as Served
  const matches = selection(request, query)
  const from = numberOf(query, 'resourceVersion') ?? 0
  const seconds = numberOf(query, 'timeoutSeconds') ?? 0
  const timeoutMs = seconds === 0 ? MIN_DEFAULT_MS * (1 + Math.random()) : Math.min(seconds * 1000, 2 * MIN_DEFAULT_MS)
  const bookmarks = isTrue(query.get('allowWatchBookmarks'))
  if (isTrue(query.get('sendInitialEvents')))
    throw invalid(
      'sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
    )
  if (query.has('resourceVersionMatch'))
    throw invalid(
      'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    )
  if (from > store.version) throw tooNew(from, store.version)
  return {
    begin(response) {
      const send = (line: string) => {
        if (response.destroyed) return
        response.write(line)
        if (response.writableLength > MAX_UNREAD_BYTES) response.destroy()
      }
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' })
      response.flushHeaders()
      const missed = from === 0 ? undefined : store.since(from)
      if (from !== 0 && missed === undefined) {
        send(eventLine('ERROR', JSON.stringify(tooOld(from, store.oldest))))
        response.end()
        return () => undefined
      }
      if (from === 0)
        for (const one of store.page(resource).items) if (matches(one.object)) send(eventLine('ADDED', one.json))
      const tell = (change: Change) => {
        const line = change.stored.resource === resource ? changeLine(change, matches) : undefined
        if (line !== undefined) send(line)
      }
      for (const change of missed ?? []) tell(change)
      const bookmark = () => send(bookmarkLine(resource, store.version))
      const ignore = store.onChange(tell)
      const ticking = bookmarks ? setInterval(bookmark, bookmarkMs) : undefined
      const over = () => {
        clearInterval(ticking)
        clearTimeout(ending)
        ignore()
      }
      const end = () => {
        over()
        if (bookmarks) bookmark()
        response.end()
      }
      const ending = setTimeout(end, timeoutMs)
      response.once('close', over)
      return end
    },
  }
}

const eventLine = (type: string, json: string): string => `{"type":"${type}","object":${json}}\n`

/** What a change is to a watch that sees only some objects: one that comes into its sight is new to it. */
function changeLine({ type, stored, before }: Change, matches: Matches): string | undefined {
  const now = type !== 'DELETED' && matches(stored.object)
  const was = before !== undefined && matches(before.object)
  if (now) return eventLine(was ? 'MODIFIED' : 'ADDED', stored.json)
  if (!was) return undefined
  return eventLine('DELETED', type === 'DELETED' ? stored.json : lastSeen(before, stored))
}

/** As it was seen last, with the version at which it went out of sight. */
function lastSeen({ object }: Stored, { object: now }: Stored): string {
  const { resourceVersion } = now.metadata
  return JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion } })
}

function bookmarkLine(resource: Served, version: number): string {
  const metadata = { resourceVersion: String(version), creationTimestamp: null }
  return eventLine(
    'BOOKMARK',
    JSON.stringify({ kind: kinds[resource], apiVersion: 'v1', metadata, spec: {}, status: {} }),
  )
}
