import { send } from '@bulkhead/service-kit'
import { secure } from '../page/headers.js'
import type { App } from '../routes.js'
import type { Board, Status } from './board.js'
import { statusJson } from './json.js'

/** GET /api/status. 200 whatever it tells: the answer is there, and `ok` says the rest. */
export function statusRoutes(app: App, board: Board): void {
  const written = new WeakMap<Status, string>()
  app.get('/api/status', async (_request, response) => {
    const status = board.fresh() ?? (await board.current())
    let body = written.get(status)
    if (body === undefined) {
      body = JSON.stringify(statusJson(status))
      written.set(status, body)
    }
    secure(response, 'no-store')
    send(response, 200, 'application/json; charset=utf-8', body)
  })
}
