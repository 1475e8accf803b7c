import { type Html, html } from '@bulkhead/service-kit'
import type { Status } from '../status/board.js'
import { type CheckJson, checkJson } from '../status/json.js'

export interface PageOptions {
  readonly port: number
  readonly styles: string
  readonly icon: string
}

/** The words of the pill, and with them its colour: never the colour alone. */
const PILLS = {
  connected: { text: 'Connected', class: 'success' },
  limited: { text: 'Connected, limited', class: 'success limited' },
  unreachable: { text: 'Unreachable', class: 'error' },
} as const

const GREETING = 'Hello from PostgreSQL'

/** The page: one document, no script, no inline style; whatever comes from elsewhere is escaped by the template. */
export function renderPage(status: Status, { port, styles, icon }: PageOptions): string {
  const checks = status.reports.map(checkJson)
  const inside = checks.filter(({ kind }) => kind === 'database')
  const outside = checks.filter(({ kind }) => kind === 'outside')
  const reached = checks.filter(({ state }) => state !== 'unreachable').length
  const checkedAt = status.checkedAt.toISOString()
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Cilium Istio Lab</title>
<link rel="icon" href="${icon}" type="image/svg+xml">
<link rel="stylesheet" href="${styles}">
</head>
<body>
<header>
<h1>Cilium Istio Lab</h1>
<p class="subtitle">Flask Application with Network Policy Demo</p>
<p class="summary ${reached === checks.length ? 'all' : 'some'}"><strong>${reached} of ${checks.length}</strong> can be reached from this pod</p>
</header>
<main>
<section aria-labelledby="application">
<h2 id="application">Application</h2>
<article class="card">
<div class="top"><h3>hello-app</h3><span class="pill success">Running</span></div>
<p class="says">Hello from Flask!</p>
</article>
</section>
<section aria-labelledby="internal">
<h2 id="internal">Internal Services</h2>
${inside.map(card)}
</section>
<section aria-labelledby="external">
<h2 id="external">External Services (Egress)</h2>
<div class="cards">
${outside.map(card)}
</div>
</section>
</main>
<footer>
<p>Running on port ${port}</p>
<p>Checked at <time datetime="${checkedAt}">${checkedAt.slice(11, 19)} UTC</time> · <a href="/">Check again</a> · <a href="/api/status">As JSON</a></p>
</footer>
</body>
</html>
`.toString()
}

function card(check: CheckJson): Html {
  const pill = PILLS[check.state]
  const text = check.kind === 'database' && check.state === 'unreachable' ? 'Disconnected' : pill.text
  return html`<article class="card" id="${check.id}">
<div class="top"><h3>${check.name}</h3><span class="pill ${pill.class}">${text}</span></div>
${check.kind === 'outside' ? html`<p class="target"><code>${check.target}</code></p>` : undefined}
<p class="says">${said(check)}</p>
${check.hint === undefined ? undefined : html`<p class="hint">${check.hint}</p>`}
${check.walls.length === 0 ? undefined : html`<p class="walls">Looks like <span class="list">${check.walls.map(wall)}</span></p>`}
<p class="small"><code>${check.code}</code>${check.status === undefined ? undefined : html` · HTTP ${check.status}`} · ${check.ms} ms</p>
</article>
`
}

function said({ kind, state, says }: CheckJson): string {
  return kind === 'database' && state === 'connected' ? GREETING : says
}

const wall = (name: string, index: number): Html => html`${index === 0 ? '' : ' or '}<code class="wall">${name}</code>`
