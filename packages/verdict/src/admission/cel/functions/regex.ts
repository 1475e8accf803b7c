import { RE2JS } from 're2js'
import { CelError } from '../errors.js'
import type { Frame } from '../frame.js'
import { define } from '../registry.js'
import { none, Optional } from '../values.js'

/* RE2, as Go's regexp reads it: linear in the text, whatever the pattern. Kubernetes' regex library and ext.Regex. */

const KEPT = 500
const compiled = new Map<string, RE2JS>()

function pattern(source: string, frame: Frame, text: string): RE2JS {
  // Kubernetes' own estimate of what a search costs: both lengths, multiplied.
  frame.budget.spend(Math.ceil(text.length * 0.1) * Math.ceil(source.length * 0.25))
  const known = compiled.get(source)
  if (known !== undefined) return known
  frame.budget.spend(source.length * 10)
  let made: RE2JS
  try {
    made = RE2JS.compile(source)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new CelError(`error parsing regexp: ${why.replace('error parsing regexp: ', '')}`)
  }
  if (compiled.size >= KEPT) compiled.clear()
  compiled.set(source, made)
  return made
}

for (const name of ['matches', '.matches']) {
  define(name, ['string', 'string'], 'bool', ([text, source], frame) =>
    pattern(source, frame, text).matcher(text).find(),
  )
}

function findAll(text: string, source: string, most: number, frame: Frame): readonly string[] {
  const matcher = pattern(source, frame, text).matcher(text)
  const found: string[] = []
  while (found.length !== most && matcher.find()) {
    frame.budget.spend(1)
    found.push(matcher.group() ?? '')
  }
  return found
}

define('.find', ['string', 'string'], 'string', ([text, source], frame) => findAll(text, source, 1, frame)[0] ?? '')
define('.findAll', ['string', 'string'], 'list', ([text, source], frame) => findAll(text, source, -1, frame))
define('.findAll', ['string', 'string', 'int'], 'list', ([text, source, most], frame) =>
  findAll(text, source, most < 0n ? -1 : Number(most), frame),
)

define('regex.extract', ['string', 'string'], 'optional_type', ([text, source], frame) => {
  const matcher = pattern(source, frame, text).matcher(text)
  if (!matcher.find()) return none
  if (matcher.groupCount() > 1) throw new CelError(`regular expression has more than one capturing group: ${source}`)
  const found = matcher.group(matcher.groupCount())
  return found === null || found === undefined ? none : new Optional(found)
})
