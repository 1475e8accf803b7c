import type { AutogenName } from './autogen.js'

/*
 * What Kyverno makes of a mutating policy about Pods for the kinds that make pods (pkg/cel/policies/mpol/autogen of
 * Kyverno 1.19). It rewrites conditions and apply configurations, and neither variables nor JSON patches: those still
 * name a Pod's paths.
 */

const templates: Readonly<Record<AutogenName, readonly string[]>> = {
  defaults: ['spec', 'template'],
  cronjobs: ['spec', 'jobTemplate', 'spec', 'template'],
}

/** An expression about a Pod, as it is about a template: `object.spec` and what is around an `Object{...}`. */
export function rewriteMutation(text: string, name: AutogenName): string {
  const way = templates[name]
  const template = way.join('.')
  const rewritten = text
    .replace(/\b(object|oldObject|Object)\.spec/g, `$1.${template}.spec`)
    .replace(/\b(object|oldObject|Object)\.metadata\.labels/g, `$1.${template}.metadata.labels`)
    .replace(/\b(object|oldObject|Object)\.metadata\.annotations/g, `$1.${template}.metadata.annotations`)
  return wrapped(rewritten, way)
}

/** `Object{spec: Object.spec{template: Object.spec.template{ ... }}}` around what stood in `Object{ ... }`. */
function wrapped(text: string, way: readonly string[]): string {
  const root = /^\s*Object[ \t\r\n]*\{/.exec(text)?.[0]
  if (root === undefined) return text
  const body = text.slice(root.length)
  const end = closing(body)
  if (end === undefined) return text
  const opened = way.map((field, index) => `${field}: Object.${way.slice(0, index + 1).join('.')}{`).join('')
  return `Object{${opened}${body.slice(0, end)}${'}'.repeat(way.length + 1)}${body.slice(end + 1)}`
}

/** Braces in strings count too, as Kyverno counts them. An empty object is left as it is. */
function closing(body: string): number | undefined {
  let open = 1
  for (let index = 0; index < body.length; index++) {
    if (body[index] === '{') open += 1
    if (body[index] === '}') open -= 1
    if (open === 0) return index === 0 ? undefined : index
  }
  return undefined
}
