import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileAdmission } from './compile.js'
import { kubectlAnswer } from './kubectl.js'
import { requesterOf, resourceOf } from './targets.js'
import { asked, objects } from './testing/read.js'

const namespace = (labels: string): string =>
  `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels:\n${labels.replace(/^/gm, '    pod-security.kubernetes.io/')}\n`

const pod = (spec = '', name = 'p'): string => `apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: shop }
spec:
  containers:
    - name: c
      image: nginx
${spec}`

const good = pod(`      securityContext:
        allowPrivilegeEscalation: false
        runAsNonRoot: true
        capabilities: { drop: [ALL] }
        seccompProfile: { type: RuntimeDefault }
`)

const broken = [
  'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)',
  'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"])',
  'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)',
  'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
]

test('Pod Security refuses a pod in the API server’s words, each violation with its field and its label', () => {
  const admission = asked(namespace('enforce: restricted'), pod())
  assert.equal(admission.outcome, 'deny')
  assert.equal(admission.decidedBy, 0)
  assert.deepEqual(admission.refusal, {
    status: 403,
    reason: 'Forbidden',
    message: `pods "p" is forbidden: violates PodSecurity "restricted:latest": ${broken.join(', ')}`,
  })
  assert.deepEqual(
    admission.steps.map(({ message }) => message),
    broken,
  )
  assert.deepEqual(admission.steps[0], {
    engine: 'psa',
    does: 'validate',
    outcome: 'deny',
    code: 'admission.denied',
    policy: 'Namespace/shop',
    rule: 'restricted:latest',
    at: 'file.yaml:6',
    message: broken[0],
    path: '/spec/containers/0/securityContext/allowPrivilegeEscalation',
    objectAt: 'object.yaml:6:7',
    facts: { control: 'allowPrivilegeEscalation', mode: 'enforce' },
  })
  // A refused request carries no warning of the same.
  assert.deepEqual(admission.warnings, [])
  const admitted = asked(namespace('enforce: restricted'), good)
  assert.equal(admitted.outcome, 'allow')
  assert.deepEqual(
    admitted.steps.map(({ outcome, rule }) => [outcome, rule]),
    [['allow', 'restricted:latest']],
  )
})

test('a namespace without labels, and one that is not there, ask nothing; a version asks for what it had', () => {
  for (const inForce of ['', namespace('enforce: privileged'), namespace('enforce-version: v1.25')]) {
    const admission = asked(inForce, pod())
    assert.equal(admission.outcome, 'allow')
    assert.deepEqual(admission.steps, [])
  }
  const old = asked(namespace('enforce: restricted\nenforce-version: v1.20'), pod())
  assert.deepEqual(
    old.steps.map(({ facts }) => facts?.control),
    ['allowPrivilegeEscalation', 'runAsNonRoot', 'seccompProfile_restricted'],
  )
  assert.match(old.refusal?.message ?? '', /violates PodSecurity "restricted:v1\.20"/)
  const defaults = { options: { podSecurity: { enforce: 'baseline' } } }
  assert.equal(asked('', pod('  hostNetwork: true\n'), defaults).outcome, 'deny')
  assert.equal(asked('', pod(), defaults).outcome, 'allow')
})

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: c
          image: nginx
`

test('of a workload Pod Security warns; its pods, asked for by its controller, are refused', () => {
  const admission = asked(namespace('enforce: restricted\naudit: baseline'), deployment)
  assert.equal(admission.outcome, 'allow')
  assert.equal(admission.refusal, undefined)
  assert.deepEqual(admission.warnings, [`would violate PodSecurity "restricted:latest": ${broken.join(', ')}`])
  assert.equal(admission.steps[1]?.path, '/spec/template/spec/containers/0/securityContext/allowPrivilegeEscalation')
  assert.equal(admission.steps[1]?.outcome, 'warn')
  const made = admission.pod
  assert.equal(made?.outcome, 'deny')
  assert.match(made?.object.name ?? '', /^web-[a-z0-9]{10}-[a-z0-9]{5}$/)
  const { labels } = made?.object.object.metadata ?? {}
  assert.equal(labels?.app, 'web')
  assert.equal(`web-${labels?.['pod-template-hash']}`, made?.object.name.replace(/-[a-z0-9]{5}$/, ''))
  // Where the template's field is written, or would be.
  assert.equal(made?.steps[0]?.objectAt, 'object.yaml:10:11')
  assert.match(
    made?.refusal?.message ?? '',
    /^pods "web-[a-z0-9-]+" is forbidden: violates PodSecurity "restricted:latest"/,
  )
})

test('every kind that makes pods is read, with its own controller', () => {
  const template =
    'template: { metadata: { labels: { app: x } }, spec: { containers: [{ name: c, image: i }], restartPolicy: Always } }'
  const job = template.replace('Always', 'Never')
  const selector = 'selector: { matchLabels: { app: x } }'
  const rows = [
    ['apps/v1', 'StatefulSet', `{ serviceName: x, ${selector}, ${template} }`, 'x-0'],
    ['apps/v1', 'DaemonSet', `{ ${selector}, ${template} }`, /^x-[a-z0-9]{5}$/],
    ['apps/v1', 'ReplicaSet', `{ ${selector}, ${template} }`, /^x-[a-z0-9]{5}$/],
    ['batch/v1', 'Job', `{ ${job} }`, /^x-[a-z0-9]{5}$/],
    ['batch/v1', 'CronJob', `{ schedule: "* * * * *", jobTemplate: { spec: { ${job} } } }`, /^x-0-[a-z0-9]{5}$/],
  ] as const
  for (const [apiVersion, kind, spec, name] of rows) {
    const text = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: x, namespace: shop }\nspec: ${spec}\n`
    const admission = asked(namespace('enforce: restricted'), text)
    assert.equal(admission.outcome, 'allow', kind)
    assert.equal(admission.warnings.length, 1, kind)
    assert.equal(admission.pod?.outcome, 'deny', kind)
    if (typeof name === 'string') assert.equal(admission.pod?.object.name, name)
    else assert.match(admission.pod?.object.name ?? '', name, kind)
  }
  assert.equal(
    asked('', 'apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: x, namespace: shop }\n').pod,
    undefined,
  )
})

test('an update of a pod is judged where it changes an image or adds a container, and not where it does not', () => {
  const restricted = namespace('enforce: restricted')
  const image = pod().replace('nginx', 'nginx:2')
  assert.equal(asked(restricted, image, { old: pod() }).outcome, 'deny')
  assert.equal(asked(restricted, pod(), { old: pod() }).outcome, 'allow')
  const debugged = pod('  ephemeralContainers: [{ name: d, image: busybox }]\n')
  assert.equal(asked(restricted, debugged, { old: pod(), subResource: 'ephemeralcontainers' }).outcome, 'deny')
  assert.equal(asked(restricted, debugged, { old: debugged, subResource: 'ephemeralcontainers' }).outcome, 'allow')
  assert.equal(asked(restricted, pod(), { operation: 'DELETE' }).outcome, 'allow')
})

test('wrong labels are refused as the API server does; of pods they are read as strictly as it does', () => {
  const wrong = namespace('enforce: strict\nwarn-version: "1.30"')
  const refused = asked('', wrong)
  assert.equal(refused.outcome, 'deny')
  assert.deepEqual(refused.refusal, {
    status: 422,
    reason: 'Invalid',
    message:
      'Namespace "shop" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.30": must be "latest" or "v1.x"]',
  })
  assert.equal(refused.steps[0]?.objectAt, 'object.yaml:6:5')
  // What was wrong before may stay so.
  assert.equal(asked('', wrong, { old: wrong }).outcome, 'allow')
  assert.match(asked(wrong, pod()).refusal?.message ?? '', /violates PodSecurity "restricted:latest"/)
  assert.equal(asked(namespace('warn: strict'), pod()).outcome, 'allow')
})

test('a stricter label only warns of the pods that are there', () => {
  const two = `${deployment}`.replace('spec:\n  selector', 'spec:\n  replicas: 2\n  selector')
  const inForce = `${namespace('enforce: baseline')}---\n${two}---\n${pod('', 'alone')}---\n${good.replace('name: p,', 'name: good,')}`
  const stricter = namespace('enforce: restricted')
  const admission = asked(inForce, stricter, { old: namespace('enforce: baseline') })
  assert.equal(admission.outcome, 'allow')
  assert.equal(
    admission.warnings[0],
    'existing pods in namespace "shop" violate the new PodSecurity enforce level "restricted:latest"',
  )
  assert.match(
    admission.warnings[1] ?? '',
    /^alone \(and 2 other pods\): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile$/,
  )
  assert.deepEqual(asked(inForce, namespace('enforce: privileged'), { old: stricter }).warnings, [])
  assert.deepEqual(asked(inForce, stricter, { old: stricter }).warnings, [])
})

const clusterPolicy = (
  name: string,
  rule: string,
  message: string,
  pattern: string,
): string => `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: { name: ${name} }
spec:
  rules:
    - name: ${rule}
      match: { any: [{ resources: { kinds: [Pod] } }] }
      validate:
        failureAction: Enforce
        message: "${message}"
        pattern: ${pattern}
`

const validatingPolicy = (name: string, more = ''): string => `apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: { name: ${name} }
spec:
  validationActions: [Deny]
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
${more}  validations:
    - { expression: "has(object.spec.priority)", message: "${name} says no" }
`

test('several policies refuse together: those of CEL in one line, the old form in a table; Pod Security answers first', () => {
  const old = ['b', 'a'].map((name) => clusterPolicy(name, `r-${name}`, `no: ${name}`, '{ spec: { priority: 1 } }'))
  const cel = ['second', 'first'].map((name) => validatingPolicy(name))
  const table = asked(old.join('---\n'), pod())
  assert.deepEqual(table.refusal, {
    status: 400,
    reason: '',
    message: `admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource Pod/shop/p was blocked due to the following policies \n\na:\n  r-a: 'validation error: no: a. rule r-a failed at path /spec/priority/'\nb:\n  r-b: 'validation error: no: b. rule r-b failed at path /spec/priority/'\n`,
  })
  const line = asked([...old, ...cel].join('---\n'), pod())
  assert.equal(
    line.refusal?.message,
    'admission webhook "vpol.validate.kyverno.svc-fail" denied the request: Policy first failed: first says no; Policy second failed: second says no',
  )
  assert.equal(line.steps.filter(({ outcome }) => outcome === 'deny').length, 4)
  const first = asked([namespace('enforce: restricted'), ...old, ...cel].join('---\n'), pod())
  assert.equal(first.refusal?.reason, 'Forbidden')
  const conditions = '  matchConditions: [{ name: all, expression: "true" }]\n'
  assert.match(
    asked(validatingPolicy('own', conditions), pod()).refusal?.message ?? '',
    /^admission webhook "vpol\.validate\.kyverno\.svc-fail-finegrained-own" denied/,
  )
})

test('a table has every policy that may refuse with every rule that minds, also where that rule only reports', () => {
  const refusing = clusterPolicy('b', 'r-b', 'no: b', '{ spec: { priority: 1 } }')
  const [own = '', rule = ''] = clusterPolicy('a', 'r-a', 'no: a', '{ spec: { priority: 1 } }').split(/(?= {4}- name)/)
  const audits = rule.replace('Enforce', 'Audit')
  // Its other rule may refuse, and has nothing against this pod.
  const both = own + audits + rule.replace('r-a', 'r-other').replace('{ spec: { priority: 1 } }', '{ kind: Pod }')
  const said = (policies: readonly string[]) => asked(policies.join('---\n'), pod()).refusal?.message ?? ''
  const table = (...names: readonly string[]) =>
    names
      .map((n) => `${n}:\n  r-${n}: 'validation error: no: ${n}. rule r-${n} failed at path /spec/priority/'\n`)
      .join('')
  assert.ok(said([both, refusing]).endsWith(`policies \n\n${table('a', 'b')}`), said([both, refusing]))
  // One of which no rule may refuse is asked elsewhere.
  assert.ok(said([own + audits, refusing]).endsWith(`policies \n\n${table('b')}`))
  assert.equal(said([both]), '')
})

test('Kyverno is not asked about its own namespace and kube-system; a workload that is refused makes no pods', () => {
  const policy = validatingPolicy('x')
  for (const name of ['kube-system', 'kyverno']) {
    const admission = asked(policy, pod().replace('namespace: shop', `namespace: ${name}`))
    assert.equal(admission.outcome, 'allow')
    assert.equal(admission.steps[0]?.code, 'admission.not-matched')
  }
  const refused = asked(policy, deployment)
  assert.equal(refused.outcome, 'deny')
  assert.equal(refused.steps[0]?.rule, 'autogen-defaults')
  assert.equal(refused.pod, undefined)
})

test('what kubectl prints', () => {
  const file = 'pod.yaml'
  assert.equal(
    kubectlAnswer({ status: 403, reason: 'Forbidden', message: 'pods "p" is forbidden: no' }, file),
    'Error from server (Forbidden): error when creating "pod.yaml": pods "p" is forbidden: no',
  )
  assert.equal(
    kubectlAnswer({ status: 400, reason: '', message: 'admission webhook "w" denied the request: no' }, file),
    'Error from server: error when creating "pod.yaml": admission webhook "w" denied the request: no',
  )
  assert.equal(
    kubectlAnswer({ status: 422, reason: 'Invalid', message: 'deployments.apps "p" is forbidden: no' }, file),
    'The deployments "p" is invalid: : no',
  )
  assert.equal(
    kubectlAnswer({ status: 400, reason: '', message: 'no' }, file, 'UPDATE'),
    'Error from server: error when patching "pod.yaml": no',
  )
})

test('kinds, users, and policies that were not compiled', () => {
  for (const [kind, plural] of [
    ['Pod', 'pods'],
    ['NetworkPolicy', 'networkpolicies'],
    ['Ingress', 'ingresses'],
    ['Endpoints', 'endpoints'],
    ['Gateway', 'gateways'],
    ['StorageClass', 'storageclasses'],
  ] as const) {
    assert.equal(resourceOf(kind), plural)
  }
  assert.deepEqual(requesterOf('system:serviceaccount:shop:sleep').groups, [
    'system:serviceaccounts',
    'system:serviceaccounts:shop',
    'system:authenticated',
  ])
  assert.deepEqual(compileAdmission(objects(pod())).notModelled, [])
})
