import { send } from '@bulkhead/service-kit'
import type { App } from '../routes.js'
import type { Board, Status } from '../status/board.js'
import { readAssets } from './assets.js'
import { secureData, securePage } from './headers.js'
import { renderPage } from './page.js'

const KEEP = 'public, max-age=31536000, immutable'

/**
 * GET / and what it refers to.
 * @param port what the page says that it runs on
 */
export function pageRoutes(app: App, board: Board, port: () => number): void {
  const { styles, icon } = readAssets()
  const rendered = new WeakMap<Status, string>()

  app.get('/', async (_request, response) => {
    const status = await board.current()
    let page = rendered.get(status)
    if (page === undefined) {
      page = renderPage(status, { port: port(), styles: styles.path, icon: icon.path })
      rendered.set(status, page)
    }
    securePage(response)
    // Always 200: the page is there, whatever it has to tell.
    send(response, 200, 'text/html; charset=utf-8', page)
  })

  for (const { path, type, body } of [styles, icon]) {
    app.get(path, (_request, response) => {
      secureData(response, KEEP)
      send(response, 200, type, body)
    })
  }
}
