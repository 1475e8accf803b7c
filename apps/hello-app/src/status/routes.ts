import type { ServerResponse } from 'node:http'
import { secureData, send } from '@bulkhead/service-kit'
import type { App } from '../routes.js'
import type { Board, Status } from './board.js'
import { statusJson } from './json.js'

/** GET /api/status. 200 whatever it tells: the answer is there, and `ok` says the rest. */
export function statusRoutes(app: App, board: Board): void {
  let last: Status | undefined
  let body = ''

  function answer(status: Status, response: ServerResponse): void {
    if (status !== last) {
      last = status
      body = JSON.stringify(statusJson(status))
    }
    secureData(response, 'no-store')
    send(response, 200, 'application/json; charset=utf-8', body)
  }

  app.get('/api/status', (_request, response) => {
    const fresh = board.fresh()
    // Nearly every call is this one, and a promise would be a good part of what it costs.
    if (fresh !== undefined) return answer(fresh, response)
    return board.current().then((status) => answer(status, response))
  })
}
