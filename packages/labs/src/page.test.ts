import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPage } from './page.js'
import { LabError } from './types.js'

const file = 'docs/labs/01-doors/README.md'
const page = `<!-- lab
minutes: 5
needs: [curl]
start:
  layers-off: [40-mtls]
  without: [AuthorizationPolicy/shop/x]
-->

# Lab 01: Doors

Hello.

## 1. Look \`here\`

Some prose.

\`\`\`console
$ npx bulkhead flows
one
  two

$ echo a \\
    b; echo c
...
\`\`\`

- a list with a block

  \`\`\`console
  $ in a list
  \`\`\`

<details>

\`\`\`sh
kubectl apply -f x
\`\`\`

</details>

<!-- check
in-force: [PeerAuthentication/shop/default]
refused:
  - Pod/shop/x by ValidatingPolicy/no
tried:
  - outside -> shop/gw:80 GET /x host h.example sees rbac-403
now:
  - shop/a -> shop/b:8080 sees reset by authz.no-rule-allows
  - shop/a -> shop/b:8080 sees ok 500
-->

## Remarks
`

test('a page is read as steps, commands, outputs and checks', () => {
  const lab = readPage(page, file)
  assert.deepEqual(
    [lab.id, lab.name, lab.language, lab.title, lab.minutes, lab.needs],
    ['01', '01-doors', 'en', 'Lab 01: Doors', 5, ['curl']],
  )
  assert.deepEqual(lab.start, { layersOff: ['40-mtls'], without: ['AuthorizationPolicy/shop/x'] })
  const [look, remarks] = lab.steps
  assert.equal(look?.heading, '1. Look here')
  assert.deepEqual(look.commands, [
    { line: 'npx bulkhead flows', output: ['one', '  two', ''], at: 18 },
    { line: 'echo a b; echo c', output: ['...'], at: 22 },
  ])
  assert.match(look.prose, /Some prose\.[\s\S]*kubectl/)
  assert.doesNotMatch(look.prose, /in-force/)
  assert.deepEqual(look.check?.inForce, ['PeerAuthentication/shop/default'])
  assert.deepEqual(look.check?.refused, [{ id: 'Pod/shop/x', policy: 'ValidatingPolicy/no' }])
  assert.deepEqual(look.check?.tried, [
    {
      text: 'outside -> shop/gw:80 GET /x host h.example sees rbac-403',
      from: 'outside',
      to: 'shop/gw:80',
      attempt: {
        kind: 'http',
        to: { service: 'shop/gw' },
        port: 80,
        http: { method: 'GET', path: '/x', headers: { host: 'h.example' } },
      },
      asks: true,
      sees: 'rbac-403',
    },
  ])
  assert.deepEqual(
    look.check?.now.map(({ sees, status, code }) => [sees, status, code]),
    [
      ['reset', undefined, 'authz.no-rule-allows'],
      ['ok', 500, undefined],
    ],
  )
  assert.deepEqual([remarks?.heading, remarks?.check, remarks?.commands], ['Remarks', undefined, []])
})

test('what is different on a cluster is a quote in a step, or before all, and is not typed', () => {
  const note = '> **On a cluster:** wait `10 s`,\n> and read:\n>\n> ```console\n> $ rm -r k8s\n> ```\n\n'
  const head = '> **On a cluster:** nothing else in steps **3** and **12**.\n\n'
  const said = page
    .replace('Hello.', `Hello.\n\n> Somebody\n\n${head}`)
    .replace('<details>', `> A quote.\n\n${note}<details>`)
  const { steps, onCluster } = readPage(said, file)
  assert.deepEqual(onCluster, { text: 'nothing else in steps **3** and **12**.', same: ['3', '12'] })
  assert.equal(steps[0]?.onCluster, 'wait `10 s`,\nand read:\n\n```console\n$ rm -r k8s\n```')
  assert.deepEqual(
    steps[0]?.commands,
    readPage(page, file).steps[0]?.commands.map((one) => ({ ...one, at: one.at + 6 })),
  )
  assert.equal(steps[1]?.onCluster, undefined)
  const chinese = said.replaceAll('**On a cluster:**', '**在叢集上**：')
  assert.equal(readPage(chinese, 'docs/labs/01-doors/README.zh-TW.md').onCluster?.same.length, 2)
  assert.equal(readPage(chinese, file).onCluster, undefined)
  assert.ok(problemsOf(() => said.replace(note, note + note.replace('>', '\n>\n\n>'))).includes('a second time'))
})

test('a page in another language says so by its name', () => {
  assert.equal(readPage(page, 'docs/labs/01-doors/README.zh-TW.md').language, 'zh-TW')
})

/** What is said of a page with one thing changed. */
function problemsOf(change: (text: string) => string, name = file): string {
  try {
    readPage(change(page), name)
  } catch (error) {
    assert.ok(error instanceof LabError)
    return error.message
  }
  return 'nothing'
}

test('what is wrong with a page is told with its line', () => {
  for (const [change, said] of [
    [(text: string) => text.replace('minutes: 5', 'minutes: soon'), `${file}:2: minutes: `],
    [(text: string) => text.replace('minutes: 5', 'hours: 5'), `${file}:2: `],
    [(text: string) => text.replace('# Lab 01: Doors', ''), `${file}:1: the page has no title`],
    [(text: string) => text.replace('<!-- lab', '<!-- lap'), `${file}:1: the page has no <!-- lab`],
    [(text: string) => text.replace('$ npx bulkhead flows\n', ''), `${file}:18: the block begins with "one"`],
    [(text: string) => text.replace('sees rbac-403', 'sees red'), 'tried.0: "red" is no symptom'],
    [(text: string) => text.replace('by authz.no-rule-allows', 'by luck'), 'now.0: "luck" is no reason code'],
    [
      (text: string) => text.replace('shop/a -> shop/b:8080 sees ok 500', 'a to b'),
      'now.1: "a to b" is no call; write ',
    ],
    [
      (text: string) => text.replace('/x by ', '/x '),
      'refused.0: "Pod/shop/x ValidatingPolicy/no" is no refusal; write ',
    ],
    [(text: string) => text.replace('in-force: [Peer', 'in-force: [peer'), 'in-force.0: write Kind/namespace/name'],
    [(text: string) => text.replace('in-force: [', 'in-force: ['.repeat(2)), ': not valid YAML'],
    [(text: string) => text.replace('## Remarks', '<!-- check\n-->'), 'a step has one <!-- check ... -->'],
    [(text: string) => text.replaceAll('## ', '### '), 'the page has no steps'],
    [() => '', 'no title'],
  ] as const)
    assert.ok(problemsOf(change).includes(said), `${said}: ${problemsOf(change)}`)
  assert.ok(problemsOf((text) => text, 'docs/labs/doors.md').includes("a lab's page is NN-name/README.md"))
  assert.ok(problemsOf((text) => text, 'docs/labs/01-doors/README.fr.md').includes('en, zh-TW'))
})
