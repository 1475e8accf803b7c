import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { authorizationPolicy } from '../../testing/objects.js'
import { compileHttpRule } from '../http/rules.js'
import { type HttpSubject, httpSubject } from '../http/subject.js'
import { closest } from './closest.js'
import { authorizationPolicies } from './policies.js'
import type { Rule } from './rule.js'
import { RuleSet } from './rule-set.js'
import { readIdentity } from './subject.js'

/* The set against the plain reading of each rule alone: every clause, in each any entry, in it every attribute. */

const principals = ['cluster.local/ns/a/sa/x', 'cluster.local/ns/b/sa/x', 'cluster.local/ns/a/sa/y']
const texts = fc.constantFrom('/a', '/a/b', '/b', '/a*', '*b', '*', '/{*}', '/a/{**}', '/*/b')
const names = fc.constantFrom('GET', 'POST', 'G*', '*T', '*')
const some = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 1, maxLength: 3 })
const source = fc.record(
  {
    principals: some(fc.constantFrom(...principals, '*', 'cluster.local/*', '*/sa/x')),
    notPrincipals: some(fc.constantFrom(...principals, '*/sa/y')),
    namespaces: some(fc.constantFrom('a', 'b*', '*')),
    ipBlocks: some(fc.constantFrom('10.0.0.0/8', '10.0.0.1', '192.168.0.0/16')),
  },
  { requiredKeys: [] },
)
const operation = fc.record(
  { paths: some(texts), notPaths: some(texts), methods: some(names), ports: some(fc.constantFrom('80', '81', 'x')) },
  { requiredKeys: [] },
)
const condition = fc.record(
  {
    key: fc.constantFrom('request.headers[x-a]', 'request.headers[x-b]', 'source.namespace', 'made.up'),
    values: some(names),
  },
  { requiredKeys: ['key', 'values'] },
)
const rule = fc.record(
  {
    from: fc.array(fc.record({ source }), { maxLength: 2 }),
    to: fc.array(fc.record({ operation }), { maxLength: 2 }),
    when: fc.array(condition, { maxLength: 2 }),
  },
  { requiredKeys: [] },
)
const subject: fc.Arbitrary<HttpSubject> = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'PUT'),
    path: fc.constantFrom('/a', '/a/b', '/b', '/c/b'),
    header: fc.constantFrom(undefined, '', 'GET', 'PUT'),
    caller: fc.constantFrom(undefined, ...principals),
    ip: fc.constantFrom('10.0.0.1', '192.168.3.4', 'fd00::1'),
    port: fc.constantFrom(80, 81),
  })
  .map(({ method, path, header, caller, ip, port }) => {
    const identity = caller === undefined ? undefined : readIdentity(`spiffe://${caller}`)
    const headers: Record<string, string> = header === undefined ? {} : { 'x-a': header }
    return httpSubject({ ip, port, destinationIp: '10.0.0.9', caller: identity }, { method, host: 'h', path, headers })
  })

const matches = ({ omittedFor, notModelled, clauses }: Rule<HttpSubject>, of: HttpSubject): boolean =>
  omittedFor.length + notModelled.length === 0 &&
  clauses.every(({ entries }) => entries.some((entry) => entry.length > 0 && entry.every((one) => one.holds(of))))

test('the first rule that matches is found, and without one the first of those that lack the least', () => {
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 6 }),
      fc.array(subject, { minLength: 1, maxLength: 4 }),
      (rules, subjects) => {
        const [resource = assert.fail()] = authorizationPolicies([authorizationPolicy('app/p', { rules })])
        const context = { requestAuthentications: [], topology: false, tcp: false, trustDomain: 'cluster.local' }
        const read = rules.map((one, index) => compileHttpRule(resource, one, index, context))
        const set = new RuleSet([{ rules: read }])
        for (const of of subjects) {
          const { matched, nearest } = set.ask(of)
          assert.equal(
            matched,
            read.find((one) => matches(one, of)),
          )
          if (matched !== undefined) continue
          const readable = read.filter(({ notModelled }) => notModelled.length === 0)
          const lacks = readable.map((one) => closest(one, of).lacks.length)
          assert.equal(nearest, readable[lacks.indexOf(Math.min(...lacks))])
        }
      },
    ),
    { numRuns: 400 },
  )
})
