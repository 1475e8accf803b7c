import { type Html, html } from '@bulkhead/service-kit'

export interface PageOptions {
  readonly images: readonly string[]
  readonly styles: string
  readonly icon: string
  readonly script: string
  /** What the script asks for by itself, so that both are fetched at once. */
  readonly modules: readonly string[]
}

interface Field {
  readonly name: string
  readonly label: string
  readonly hint: string
  readonly required?: boolean
  readonly numeric?: boolean
}

const required = html` <span class="must">(required)</span>`

const label = ({ name, label: words, required: must = false }: Field): Html =>
  html`<label for="${name}">${words}${must ? required : undefined}</label>`

const after = ({ name, hint }: Field): Html =>
  html`<p class="hint" id="${name}-hint">${hint}</p><p class="wrong" id="${name}-wrong"></p>`

/** An attribute that is there or is not stands in the template: values are text. */
function input(field: Field): Html {
  const { name, numeric = false, required: must = false } = field
  const mode = numeric ? 'numeric' : 'text'
  const control = must
    ? html`<input id="${name}" name="${name}" inputmode="${mode}" aria-required="true" autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby="${name}-wrong ${name}-hint">`
    : html`<input id="${name}" name="${name}" inputmode="${mode}" autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby="${name}-wrong ${name}-hint">`
  return html`<div class="field">${label(field)}${control}${after(field)}</div>
`
}

const area = (field: Field): Html =>
  html`<div class="field wide">${label(field)}<textarea id="${field.name}" name="${field.name}" rows="3" autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby="${field.name}-wrong ${field.name}-hint"></textarea>${after(field)}</div>
`

/** An allowed name may be a repository, and then its tag is for whoever writes: a list to choose from, and not to be kept to. */
const image = (images: readonly string[]): Html => {
  const field = {
    name: 'image',
    label: 'Image',
    hint: 'With a tag, or a digest. Only images from the list may be run.',
    required: true,
  }
  return html`<div class="field wide">${label(field)}<input id="image" name="image" list="images" aria-required="true" autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby="image-wrong image-hint"><datalist id="images">${images.map((name) => html`<option value="${name}"></option>`)}</datalist>${after(field)}</div>
`
}

/** The page: a form, and a script of this service that sends it and shows what comes of it. */
export const renderPage = ({ images, styles, icon, script, modules }: PageOptions): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Manifests for a new workload</title>
<link rel="icon" href="${icon}" type="image/svg+xml">
<link rel="stylesheet" href="${styles}">
${modules.map((path) => html`<link rel="modulepreload" href="${path}">`)}
<script type="module" src="${script}"></script>
</head>
<body>
<header>
<h1>Manifests for a new workload</h1>
<p>What it is, who may call it, and what it may call: here is its hardened set, with every wall before it and behind it.</p>
</header>
<main>
<noscript><p class="failure">This form needs JavaScript. Without it: <code>curl -H 'content-type: application/json' -d @description.json /v1/manifests?format=yaml</code>, as <a href="/openapi.json">its description</a> has it.</p></noscript>
<div id="failure" class="failure" role="alert" tabindex="-1" hidden></div>
<form id="form" novalidate>
<fieldset>
<legend>What it is</legend>
${input({ name: 'name', label: 'Name', hint: 'Its Deployment, Service and ServiceAccount have it, as in worker-app.', required: true })}${input({ name: 'namespace', label: 'Namespace', hint: 'As in demo.', required: true })}<div class="field check"><input type="checkbox" id="newNamespace" name="newNamespace" aria-describedby="newNamespace-wrong"><label for="newNamespace">Make this namespace, too</label><p class="wrong" id="newNamespace-wrong"></p></div>
${image(images)}${input({ name: 'port', label: 'Port', hint: 'Where it listens. Empty: nowhere, and nobody may call it.', numeric: true })}${input({ name: 'replicas', label: 'Replicas', hint: 'Empty: one.', numeric: true })}${area({ name: 'args', label: 'Arguments', hint: 'One a line, as the container gets it. The probe image: listen, then http:8080.' })}${area({ name: 'env', label: 'Environment', hint: 'A variable a line: NAME=value.' })}</fieldset>
<fieldset>
<legend>Who may call whom</legend>
${area({ name: 'callers', label: 'Who may call it', hint: 'One a line: shop/sleep. With what may be asked: shop/sleep GET,HEAD /api/*. That puts a waypoint before it.' })}${area({ name: 'calls', label: 'What it may call', hint: 'One a line, with the container’s port: demo/postgres:5432. Behind a waypoint: shop/web-api:8080 via waypoint GET /.' })}${area({ name: 'hosts', label: 'Hosts outside', hint: 'One a line: api.github.com, by TLS. Only where the namespace is made too.' })}${input({ name: 'waypoint', label: 'Waypoint', hint: 'One that the namespace has already. Empty: its own, where callers have methods or paths.' })}</fieldset>
<p><button type="submit" id="make">Make the manifests</button></p>
</form>
<section id="result" aria-labelledby="made" tabindex="-1" hidden>
<h2 id="made">Its manifests</h2>
<p><span id="said"></span> <a id="download" href="/">Download</a></p>
<pre id="pre" tabindex="0" role="region" aria-label="The manifests as YAML"><code id="yaml"></code></pre>
</section>
</main>
<footer><p><a href="/openapi.json">For programs</a></p></footer>
</body>
</html>
`.toString()
