import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type Asset,
  KEEP_FOREVER,
  readAsset,
  type ServiceOptions,
  secureData,
  securePage,
  send,
} from '@bulkhead/service-kit'
import { renderPage } from './page.js'

type App = Parameters<ServiceOptions['routes']>[0]

/** Only what this service serves is loaded and asked; text never becomes markup; nobody frames it, and no form leads anywhere. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const SCRIPT = 'text/javascript; charset=utf-8'

/** Source maps are not served, and modules find each other by the names that they have here. */
const script = (name: string, others: readonly Asset[] = []): Asset =>
  readAsset(new URL(`./client/${name}.js`, import.meta.url), SCRIPT, (text) =>
    others.reduce(
      (edited, other) => edited.replaceAll(`'./${nameOf(other)}.js'`, `'${other.path}'`),
      text.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, '\n'),
    ),
  )

const nameOf = ({ path }: Asset): string => /([a-z]+)\.[0-9a-f]+\.js$/.exec(path)?.[1] ?? ''

/**
 * GET /: the page for who would rather have HTML, `info` for everybody else; and what the page is made of.
 */
export function pageRoutes(app: App, images: readonly string[], info: (response: ServerResponse) => void): void {
  const styles = readAsset(new URL('../../assets/page.css', import.meta.url), 'text/css; charset=utf-8')
  const icon = readAsset(new URL('../../assets/icon.svg', import.meta.url), 'image/svg+xml')
  const lines = script('lines')
  const main = script('main', [lines])
  const page = renderPage({ images, styles: styles.path, icon: icon.path, script: main.path, modules: [lines.path] })

  app.get('/', (request: IncomingMessage & { accepts(types: string[]): string | false }, response: ServerResponse) => {
    response.setHeader('vary', 'accept')
    if (request.accepts(['application/json', 'text/html']) !== 'text/html') {
      secureData(response, 'no-store')
      info(response)
      return
    }
    securePage(response, PAGE_POLICY)
    send(response, 200, 'text/html; charset=utf-8', page)
  })

  for (const { path, type, body } of [styles, icon, lines, main])
    app.get(path, (_request: unknown, response: ServerResponse) => {
      secureData(response, KEEP_FOREVER)
      send(response, 200, type, body)
    })
}
