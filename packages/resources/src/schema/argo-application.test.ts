import assert from 'node:assert/strict'
import { test } from 'node:test'
import { only, problems } from '../testing.js'

const head = (kind = 'Application', annotations = '') =>
  `apiVersion: argoproj.io/v1alpha1\nkind: ${kind}\nmetadata: { name: a, namespace: argocd${annotations} }\nspec:\n`
const destination = '  destination: { server: https://kubernetes.default.svc, namespace: shop }\n'
const project = '  project: default\n'
const folder = '  source: { repoURL: https://git.example/a.git, path: k8s }\n'
const application = (text: string) => problems(head() + text)

test('an application of a folder and one of a chart are taken', () => {
  assert.equal(only(head() + destination + project + folder).id, 'Application/argocd/a')
  const chart =
    '{ repoURL: https://charts.example, chart: c, targetRevision: 1.2.3, helm: { valueFiles: [$values/v.yaml] } }'
  const values = '{ repoURL: https://git.example/a.git, ref: values, targetRevision: main }'
  const sync =
    '  syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: [ServerSideApply=true], retry: { limit: 5, backoff: { duration: 5s, factor: 2 } } }\n'
  assert.deepEqual(application(`${destination}${project}  sources: [${chart}, ${values}]\n${sync}`), [])
})

test('what Argo CD could not sync is refused', () => {
  const rows: [string, string[]][] = [
    [destination + folder, ['error field.missing 4:1']],
    [project + folder, ['error field.missing 4:1']],
    [destination + project, ['error application.source 4:1']],
    [`${destination}${project}${folder}  sources: []\n`, ['error application.source 4:1']],
    [
      `${destination}${project}  source: { repoURL: a, path: b, chart: c, targetRevision: d }\n`,
      ['error application.source 7:25'],
    ],
    [`${destination}${project}  source: { repoURL: a }\n`, ['error application.source 7:3']],
    [`${destination}${project}  source: { repoURL: a, chart: b }\n`, ['error application.source 7:3']],
    [`  destination: { namespace: shop }\n${project}${folder}`, ['error application.destination 5:3']],
    [
      `${destination}${project}${folder}  syncPolicy: { syncOptions: [ServerSideApply] }\n`,
      ['error application.option 8:31'],
    ],
    [`${destination}${project}${folder}  syncpolicy: {}\n`, ['error field.unknown 8:3']],
  ]
  for (const [text, expected] of rows) assert.deepEqual(application(text), expected, text)
  const wave = head('Application', ', annotations: { argocd.argoproj.io/sync-wave: first }')
  assert.deepEqual(problems(wave + destination + project + folder), ['error application.wave 3:56'])
})

test('a project is taken, and an unknown field or kind of the group is not', () => {
  const repos = '  sourceRepos: ["https://git.example/a.git"]\n  destinations: [{ server: "*", namespace: shop }]\n'
  assert.deepEqual(problems(head('AppProject') + repos), [])
  assert.deepEqual(problems(`${head('AppProject')}  sourceRepo: []\n`), ['error field.unknown 5:3'])
  assert.deepEqual(problems(head('Applicaton') + destination + project + folder), ['error kind.unknown 2:1'])
})
