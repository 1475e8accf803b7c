import { KEEP_FOREVER, readAsset, secureData, securePage, send } from '@bulkhead/service-kit'
import type { App } from '../routes.js'
import type { Board, Status } from '../status/board.js'
import { renderPage } from './page.js'

/** Nothing is loaded but this app's own style sheet and icon; nothing runs; nobody frames it; no form leads anywhere. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const asset = (file: string, type: string) => readAsset(new URL(`../../assets/${file}`, import.meta.url), type)

/**
 * GET / and what it refers to.
 * @param port what the page says that it runs on
 */
export function pageRoutes(app: App, board: Board, port: () => number): void {
  const styles = asset('page.css', 'text/css; charset=utf-8')
  const icon = asset('icon.svg', 'image/svg+xml')
  const rendered = new WeakMap<Status, string>()

  app.get('/', async (_request, response) => {
    const status = await board.current()
    let page = rendered.get(status)
    if (page === undefined) {
      page = renderPage(status, { port: port(), styles: styles.path, icon: icon.path })
      rendered.set(status, page)
    }
    securePage(response, PAGE_POLICY)
    // Always 200: the page is there, whatever it has to tell.
    send(response, 200, 'text/html; charset=utf-8', page)
  })

  for (const { path, type, body } of [styles, icon]) {
    app.get(path, (_request, response) => {
      secureData(response, KEEP_FOREVER)
      send(response, 200, type, body)
    })
  }
}
