import { managerErrors } from '../http/errors.js'
import type { Route } from '../http/route.js'
import { refusalsOf } from './refusals.js'

/** The document as a page to be read: plain HTML, nothing to load and nothing that runs. */
export function apiPage(routes: readonly Route[]): string {
  const sections = routes.map(section).join('')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bulkhead manager API</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { font: 600 1rem ui-monospace, monospace; margin: 2rem 0 0; overflow-wrap: anywhere }
p { margin: .25rem 0 }
table { border-collapse: collapse }
td { padding: .1rem 1rem .1rem 0; vertical-align: top }
</style>
</head>
<body>
<main>
<h1>Bulkhead manager API</h1>
<p>For programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1), with every field of every request and answer.</p>
${sections}</main>
</body>
</html>
`
}

function section({ method, path, operationId, summary, permission, ...rest }: Route): string {
  const who =
    permission === 'none' ? 'for anybody' : permission === 'token' ? 'for whoever is logged in' : `needs ${permission}`
  const rows = [...refusalsOf({ method, path, operationId, summary, permission, ...rest })].map(
    ([status, codes]) =>
      `<tr><td>${status}</td><td>${codes.map((code) => escapeHtml(worded(code))).join('<br>')}</td></tr>`,
  )
  return `<section id="${escapeHtml(operationId)}">
<h2>${method} ${escapeHtml(path)}</h2>
<p>${escapeHtml(summary)}; ${escapeHtml(who)}.</p>
<table>${rows.join('')}</table>
</section>
`
}

const messages: Readonly<Record<string, { readonly message: string }>> = managerErrors.table

const worded = (code: string): string => (messages[code] === undefined ? code : `${code}: ${messages[code].message}`)

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => escapes[character] as string)
