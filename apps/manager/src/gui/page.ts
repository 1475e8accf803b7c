import { createHash } from 'node:crypto'
import type { Assets } from './assets.js'

export interface Page {
  readonly html: string
  /** The Content-Security-Policy that goes with it. */
  readonly policy: string
}

/** The one page: everything else is drawn by its script, which asks the API. Every value in it is a path that this service has made. */
export function renderPage({ main, modules, styles, icon, imports }: Assets): Page {
  // `<` cannot end the script: none of the paths has one.
  const map = JSON.stringify({ imports })
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Bulkhead manager</title>
<link rel="icon" href="${icon}" type="image/svg+xml">
${styles.map((path) => `<link rel="stylesheet" href="${path}">`).join('\n')}
<script type="importmap">${map}</script>
${modules.map((path) => `<link rel="modulepreload" href="${path}">`).join('\n')}
<script type="module" src="${main}"></script>
</head>
<body>
<div id="app"></div>
<noscript><p class="noscript">This page needs JavaScript. Without it, the API can be used from a terminal: <a href="/swagger/index.html">its description</a>.</p></noscript>
</body>
</html>
`
  return { html, policy: policyOf(map) }
}

/**
 * Only what this service itself serves is loaded and asked; nothing that stands in the page runs but the import map, known by its digest; no text
 * ever becomes markup; nobody frames it, and no form leads anywhere.
 */
const policyOf = (map: string): string =>
  [
    "default-src 'none'",
    `script-src 'self' 'sha256-${createHash('sha256').update(map).digest('base64')}'`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
