import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../../parse.js'
import { problems } from '../../testing.js'

const route = (spec: string) =>
  `apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: { name: r, namespace: shop }\nspec:\n  ${spec}`
const rule = (text: string) => route(`rules: [{ ${text} }]`)
const match = (text: string) => rule(`matches: [{ ${text} }]`)
const path = (value: string, type = 'PathPrefix') => match(`path: { type: ${type}, value: "${value}" }`)
const filter = (text: string, more = '') => rule(`filters: [{ ${text} }]${more}`)
const redirect = (text: string) => filter(`type: RequestRedirect, requestRedirect: { ${text} }`)
const backend = (text: string) => rule(`backendRefs: [{ ${text} }]`)
const parents = (...refs: string[]) => route(`parentRefs: [${refs.map((ref) => `{ ${ref} }`).join(', ')}]`)
const codes = (text: string) => problems(text).map((problem) => problem.replace(/ \d+:\d+$/, ''))

test('routes that the API server takes', () => {
  const valid = [
    route('parentRefs: [{ name: front }]'),
    parents('name: front, sectionName: a', 'name: front, sectionName: b', 'name: other'),
    parents('name: front', 'name: front, namespace: other', 'name: front, kind: Service, group: ""'),
    route('hostnames: [shop.example, "*.shop.example"]'),
    path('/'),
    path('/a/'),
    path('/a%20b', 'Exact'),
    path('.*', 'RegularExpression'),
    match('headers: [{ name: Version, value: one }, { name: x, type: RegularExpression, value: "a|b" }]'),
    match('queryParams: [{ name: q, value: v }], method: PATCH'),
    rule('backendRefs: [{ name: a, port: 80, weight: 0 }, { name: b, port: 80, weight: 1000000 }]'),
    rule('timeouts: { request: 10s, backendRequest: 500ms }'),
    rule('timeouts: { request: 0s, backendRequest: 1h }'),
    redirect('scheme: https, statusCode: 308'),
    redirect('path: { type: ReplacePrefixMatch, replacePrefixMatch: /b }'),
    rule(
      'matches: [{ path: { value: /a } }], filters: [{ type: URLRewrite, urlRewrite: { path: { type: ReplacePrefixMatch, replacePrefixMatch: "" } } }]',
    ),
    filter('type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: a, value: b }], remove: [c] }'),
    filter('type: RequestMirror, requestMirror: { backendRef: { name: a, port: 80 }, percent: 10 }'),
    filter('type: CORS, cors: { allowOrigins: ["https://*.example.org"], allowMethods: ["*"] }'),
    filter('type: ExtensionRef, extensionRef: { group: example.org, kind: Thing, name: a }'),
    backend('name: a, kind: Thing, group: example.org'),
  ]
  for (const text of valid) assert.deepEqual(problems(text), [], text)
})

test('what the API server refuses is an error', () => {
  const times = (count: number, text: string) => Array(count).fill(text).join(', ')
  const set = 'requestHeaderModifier: { set: [{ name: a, value: b }] }'
  const table: [string, string][] = [
    [route('rules: []'), 'field.too-few'],
    [route(`rules: [${times(17, '{}')}]`), 'field.too-many'],
    [route(`rules: [${times(3, `{ matches: [${times(43, '{}')}] }`)}]`), 'rules.matches'],
    [route('hostnames: ["*"]'), 'field.value'],
    [route('hostnames: ["shop.example:80"]'), 'field.value'],
    [route('hostname: shop.example'), 'field.unknown'],
    [parents('name: front', 'name: front'), 'parent.repeated'],
    [parents('name: front', 'name: front, sectionName: a'), 'parent.repeated'],
    [parents('name: front, sectionName: a', 'name: front, sectionName: a, kind: Gateway'), 'parent.repeated'],
    [parents('namespace: shop'), 'field.missing'],
    [path('a'), 'path.form'],
    [path('/a//b'), 'path.form'],
    [path('/a/./b', 'Exact'), 'path.form'],
    [path('/a/../b'), 'path.form'],
    [path('/a/..'), 'path.form'],
    [path('/a/.'), 'path.form'],
    [path('/a%2Fb'), 'path.form'],
    [path('/a?b=c'), 'path.form'],
    [path('/a b'), 'path.form'],
    [path('/a', 'Prefix'), 'field.value'],
    [match('method: get'), 'field.value'],
    [match('headers: [{ name: a, value: "" }]'), 'field.value'],
    [match('headers: [{ name: "a b", value: c }]'), 'field.value'],
    [match('headers: [{ name: a, value: b }, { name: a, value: c }]'), 'field.repeated'],
    [match('queryParams: [{ name: a, type: Prefix, value: b }]'), 'field.value'],
    [backend('name: a, port: 80, weight: -1'), 'field.value'],
    [backend('name: a, port: 80, weight: 1000001'), 'field.value'],
    [backend('name: a'), 'backend.port'],
    [backend('port: 80'), 'field.missing'],
    [rule('timeouts: { request: 1.5s }'), 'field.value'],
    [rule('timeouts: { request: 10 }'), 'field.type'],
    [rule('timeouts: { request: 1s, backendRequest: 2s }'), 'timeouts.order'],
    [rule('retry: { attempts: 2 }'), 'field.unknown'],
    [filter('type: RequestRedirect'), 'filter.type'],
    [filter(`type: RequestRedirect, requestRedirect: {}, ${set}`), 'filter.type'],
    [filter('type: Redirect'), 'field.value'],
    [filter(`type: RequestHeaderModifier, ${set} }, { type: RequestHeaderModifier, ${set}`), 'filter.repeated'],
    [filter('type: RequestRedirect, requestRedirect: {} }, { type: URLRewrite, urlRewrite: {}'), 'filter.combination'],
    [filter('type: RequestRedirect, requestRedirect: {}', ', backendRefs: [{ name: a, port: 80 }]'), 'rule.redirect'],
    [redirect('statusCode: 300'), 'field.value'],
    [redirect('scheme: ftp'), 'field.value'],
    [redirect('hostname: "*.example"'), 'field.value'],
    [redirect('path: { type: ReplaceFullPath }'), 'filter.path'],
    [redirect('path: { type: ReplaceFullPath, replaceFullPath: /a, replacePrefixMatch: /b }'), 'filter.path'],
    [
      rule(
        'matches: [{ path: { type: Exact, value: /a } }], filters: [{ type: URLRewrite, urlRewrite: { path: { type: ReplacePrefixMatch, replacePrefixMatch: /b } } }]',
      ),
      'rule.prefix',
    ],
    [
      rule(
        'matches: [{}, {}], filters: [{ type: RequestRedirect, requestRedirect: { path: { type: ReplacePrefixMatch, replacePrefixMatch: /b } } }]',
      ),
      'rule.prefix',
    ],
    [
      rule(
        'matches: [{}, {}], backendRefs: [{ name: a, port: 80, filters: [{ type: URLRewrite, urlRewrite: { path: { type: ReplacePrefixMatch, replacePrefixMatch: /b } } }] }]',
      ),
      'rule.prefix',
    ],
    [
      filter(
        'type: RequestMirror, requestMirror: { backendRef: { name: a, port: 80 }, percent: 1, fraction: { numerator: 1 } }',
      ),
      'filter.mirror',
    ],
    [
      filter('type: RequestMirror, requestMirror: { backendRef: { name: a, port: 80 }, fraction: { numerator: 101 } }'),
      'filter.mirror',
    ],
    [filter('type: CORS, cors: { allowOrigins: ["*", "https://a.example"] }'), 'filter.cors'],
    [filter('type: CORS, cors: { allowOrigins: [a.example] }'), 'field.value'],
    [filter('type: CORS, cors: { maxAge: 0 }'), 'field.value'],
  ]
  for (const [text, code] of table) assert.deepEqual(codes(text), [`error ${code}`], text)
})

test('an error has the exact place, quotes the value and guesses what was meant', () => {
  const { diagnostics } = parseManifests(
    route('rules:\n    - backendRefs:\n        - name: a\n          port: 80\n          wieght: 1\n'),
    'r.yaml',
  )
  assert.deepEqual(diagnostics, [
    {
      severity: 'error',
      code: 'field.unknown',
      message: 'HTTPRoute/shop/r: unknown field "wieght" in spec.rules[0].backendRefs[0]; did you mean "weight"?',
      at: { file: 'r.yaml', line: 9, column: 11 },
    },
  ])
  assert.match(
    parseManifests(path('/a?b=c'), 'r.yaml').diagnostics[0]?.message ?? '',
    /spec\.rules\[0\]\.matches\[0\]\.path\.value: the path "\/a\?b=c" holds a character .*; a query is matched by queryParams/,
  )
})
