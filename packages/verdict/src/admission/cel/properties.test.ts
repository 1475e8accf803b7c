import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { said } from '../../testing/cel.js'
import { pointer } from '../match/pointer.js'
import { fieldThatFails } from './blame.js'
import { type Activation, Budget, CelError, CelSyntaxError, compileCel } from './index.js'
import { parse } from './parse.js'

/** Text that looks like an expression now and then. */
const noise = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'object',
        '.',
        '?',
        '{',
        '}',
        '[',
        ']',
        '(',
        ')',
        "'",
        '"',
        '`',
        ',',
        ':',
        'in',
        '&&',
        '||',
        '!',
        '-',
        '//',
        '\n',
        ' ',
        '1',
        '.5',
        'b"',
        "r'",
        'all',
        'has',
        'Object',
        '==',
        '\\',
        'é',
        '"""',
        '0x',
        'u',
      ),
      fc.string({ maxLength: 3 }),
    ),
    { maxLength: 25 },
  )
  .map((parts) => parts.join(''))

test('whatever is written: an expression, or a mistake with a place in it', () => {
  fc.assert(
    fc.property(noise, (source) => {
      try {
        parse(source)
      } catch (error) {
        assert.ok(error instanceof CelSyntaxError, String(error))
        assert.ok(error.offset >= 0 && error.offset <= source.length, `${error.offset} of ${source.length}`)
      }
    }),
    { numRuns: 3_000 },
  )
})

test('whatever is asked of whatever object: a value or CEL’s own error', () => {
  const roots = new Map([['object', 'dyn']] as const)
  fc.assert(
    fc.property(noise, fc.jsonValue({ maxDepth: 4 }), (source, object) => {
      try {
        compileCel(source, { roots }).evaluate({ roots: new Map([['object', object]]), budget: new Budget() })
      } catch (error) {
        assert.ok(error instanceof CelError || error instanceof CelSyntaxError, String(error))
      }
    }),
    { numRuns: 3_000 },
  )
})

/** True, false, or an error: what a term of logic may come to. */
type Truth = boolean | 'error'
type Term = { readonly text: string; readonly truth: Truth }

const and = (a: Truth, b: Truth): Truth =>
  a === false || b === false ? false : a === 'error' || b === 'error' ? 'error' : true
const not = (a: Truth): Truth => (a === 'error' ? a : !a)
const or = (a: Truth, b: Truth): Truth => not(and(not(a), not(b)))

const { term } = fc.letrec<{ term: Term }>((tie) => ({
  term: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Term>(
      { text: 'true', truth: true },
      { text: 'false', truth: false },
      { text: '(1 / object.zero == 1)', truth: 'error' },
      { text: '(object.nope)', truth: 'error' },
      { text: '(object.one == 1)', truth: true },
    ),
    fc
      .tuple(tie('term'), tie('term'))
      .map(([a, b]) => ({ text: `(${a.text} && ${b.text})`, truth: and(a.truth, b.truth) })),
    fc
      .tuple(tie('term'), tie('term'))
      .map(([a, b]) => ({ text: `(${a.text} || ${b.text})`, truth: or(a.truth, b.truth) })),
    tie('term').map((a) => ({ text: `!${a.text}`, truth: not(a.truth) })),
    fc.tuple(tie('term'), tie('term'), tie('term')).map(([a, b, c]) => ({
      text: `(${a.text} ? ${b.text} : ${c.text})`,
      truth: a.truth === 'error' ? a.truth : a.truth ? b.truth : c.truth,
    })),
  ),
}))

test('logic with errors in it is what three values make of it', () => {
  fc.assert(
    fc.property(term, ({ text, truth }) => {
      const answer = said(text, { object: { zero: 0, one: 1 } })
      assert.equal(answer.startsWith('error: ') ? 'error' : answer, String(truth), text)
    }),
    { numRuns: 1_000 },
  )
})

test('all is no exists of the opposite, over lists with errors', () => {
  fc.assert(
    fc.property(fc.array(term, { maxLength: 5 }), (terms) => {
      const list = `[${terms.map((_, index) => index).join(', ')}]`
      const body = terms.map(({ text }, index) => `(i == ${index} ? ${text} : true)`).join(' && ') || 'true'
      const object = { zero: 0, one: 1 }
      const all = said(`${list}.all(i, v, ${body})`, { object })
      const exists = said(`!${list}.exists(i, v, !(${body}))`, { object })
      assert.equal(all.startsWith('error') ? 'error' : all, exists.startsWith('error') ? 'error' : exists)
      const truth = terms.map((one) => one.truth).reduce(and, true)
      assert.equal(all.startsWith('error') ? 'error' : all, String(truth))
    }),
    { numRuns: 300 },
  )
})

const flaws = [
  { path: ['securityContext', 'privileged'], value: true, rule: '!c.?securityContext.?privileged.orValue(false)' },
  {
    path: ['securityContext', 'runAsUser'],
    value: 0,
    rule: '!has(c.securityContext) || !has(c.securityContext.runAsUser) || c.securityContext.runAsUser != 0',
  },
  { path: ['image'], value: 'evil', rule: "c.image in ['good', 'better']" },
  { path: ['ports', 0, 'hostPort'], value: 80, rule: 'c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0)' },
  {
    path: ['securityContext', 'capabilities', 'add', 1],
    value: 'NET_RAW',
    rule: "c.?securityContext.?capabilities.?add.orValue([]).all(a, a == 'CHOWN')",
  },
] as const

const lists = ['containers', 'initContainers', 'ephemeralContainers'] as const
const ways = {
  each: (rule: string) => lists.map((list) => `object.spec.?${list}.orValue([]).all(c, ${rule})`).join(' && '),
  together: (rule: string) =>
    `(${lists.map((list) => `object.spec.?${list}.orValue([])`).join(' + ')}).all(c, ${rule})`,
  none: (rule: string) =>
    `!(${lists.map((list) => `object.spec.?${list}.orValue([])`).join(' + ')}).exists(c, !(${rule}))`,
  counted: (rule: string) =>
    `(${lists.map((list) => `object.spec.?${list}.orValue([])`).join(' + ')}).filter(c, !(${rule})).size() == 0`,
  flat: (rule: string) =>
    `[${lists.map((list) => `object.spec.?${list}.orValue([])`).join(', ')}].all(l, l.all(c, ${rule}))`,
} as const

test('of pods with one flaw at a place of chance, the field is that place, however the rule is put', () => {
  const flaw = fc.constantFrom(...flaws)
  const sizes = fc.record({
    containers: fc.integer({ min: 1, max: 4 }),
    initContainers: fc.integer({ min: 0, max: 3 }),
    ephemeralContainers: fc.integer({ min: 0, max: 2 }),
  })
  fc.assert(
    fc.property(
      flaw,
      sizes,
      fc.nat(),
      fc.constantFrom(...Object.values(ways)),
      ({ path, value, rule }, size, chance, way) => {
        const places = lists.flatMap((list) => Array.from({ length: size[list] }, (_, index) => [list, index] as const))
        const [list, index] = places[chance % places.length] ?? ['containers', 0]
        const clean = (name: string) => ({
          name,
          image: 'good',
          ports: [{ containerPort: 80 }],
          securityContext: { capabilities: { add: ['CHOWN', 'CHOWN'] } },
        })
        const spec = Object.fromEntries(
          lists
            .filter((one) => size[one] > 0)
            .map((one) => [one, Array.from({ length: size[one] }, (_, n) => clean(`${one}-${n}`))]),
        )
        const program = compileCel(way(rule), { roots: new Map([['object', 'dyn']]) })
        const activation = (): Activation => ({ roots: new Map([['object', { spec }]]), budget: new Budget() })
        assert.equal(program.evaluate(activation()), true)
        let target: unknown = spec[list]?.[index]
        for (const key of path.slice(0, -1)) target = Reflect.get(Object(target), key)
        Reflect.set(Object(target), path.at(-1) ?? '', value)
        assert.equal(program.evaluate(activation()), false)
        const found = fieldThatFails(program, activation(), () => undefined)
        assert.equal(found && pointer(found), pointer(['spec', list, index, ...path]))
      },
    ),
    { numRuns: 1_000 },
  )
})
