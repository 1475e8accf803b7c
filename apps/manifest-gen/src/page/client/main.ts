import { descriptionOf, type Fields, fieldOf } from './lines.js'

interface Failure {
  readonly message: string
  readonly fields?: readonly { readonly field: string; readonly message: string }[]
}

const found = <T extends HTMLElement>(id: string, type: new () => T): T => {
  const element = document.getElementById(id)
  if (!(element instanceof type)) throw new TypeError(`the page has no ${id}`)
  return element
}

const form = found('form', HTMLFormElement)
const button = found('make', HTMLButtonElement)
const failure = found('failure', HTMLElement)
const result = found('result', HTMLElement)
const output = found('yaml', HTMLElement)
const download = found('download', HTMLAnchorElement)
const said = found('said', HTMLElement)

let last = ''

form.addEventListener('submit', (event) => {
  event.preventDefault()
  void make()
})

async function make(): Promise<void> {
  button.setAttribute('aria-disabled', 'true')
  clear()
  try {
    const response = await fetch('/v1/manifests?format=yaml', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(descriptionOf(fields())),
    })
    if (response.ok) show(await response.text())
    else tell(failureOf(await response.json()))
  } catch {
    tell({ message: 'The service does not answer. Try again in a moment.' })
  } finally {
    button.removeAttribute('aria-disabled')
  }
}

/** Every field by its name. */
function fields(): Fields {
  const read: Record<string, string | boolean> = {}
  for (const element of form.elements) {
    if (element instanceof HTMLInputElement && element.type === 'checkbox') read[element.name] = element.checked
    else if (
      element instanceof HTMLInputElement ||
      element instanceof HTMLTextAreaElement ||
      element instanceof HTMLSelectElement
    )
      read[element.name] = element.value
  }
  return read
}

function clear(): void {
  failure.replaceChildren()
  failure.hidden = true
  for (const element of form.querySelectorAll('[aria-invalid]')) element.removeAttribute('aria-invalid')
  for (const place of form.querySelectorAll('.wrong')) place.replaceChildren()
}

function show(yaml: string): void {
  output.textContent = yaml
  if (last !== '') URL.revokeObjectURL(last)
  last = URL.createObjectURL(new Blob([yaml], { type: 'application/yaml' }))
  download.href = last
  download.download = `${String(fields().name).trim()}.yaml`
  result.hidden = false
  const objects = yaml.split('\n---\n').length
  said.textContent = `${objects} objects.`
  result.focus()
}

/** Beside each field what is wrong with it, and all of it together where the page begins. */
function tell({ message, fields: wrong = [] }: Failure): void {
  result.hidden = true
  failure.hidden = false
  const first = document.createElement('p')
  first.textContent = message
  failure.append(first)
  const loose: string[] = []
  for (const { field, message: words } of wrong) {
    const name = fieldOf(field)
    const place = document.getElementById(`${name}-wrong`)
    const element = form.elements.namedItem(name)
    if (place === null || !(element instanceof HTMLElement)) {
      loose.push(`${field}: ${words}`)
      continue
    }
    element.setAttribute('aria-invalid', 'true')
    const line = document.createElement('span')
    line.textContent = field === name ? `${words}. ` : `${field}: ${words}. `
    place.append(line)
  }
  for (const words of loose) {
    const line = document.createElement('p')
    line.textContent = words
    failure.append(line)
  }
  const invalid = form.querySelector('[aria-invalid]')
  if (invalid instanceof HTMLElement) invalid.focus()
  else failure.focus()
}

function failureOf(body: unknown): Failure {
  const { error } = body as { readonly error?: Failure }
  return error ?? { message: 'The service answered in a way that this page does not know.' }
}
