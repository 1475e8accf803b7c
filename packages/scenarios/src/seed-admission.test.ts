import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseManifests, type Resource } from '@bulkhead/resources'
import { admit, compileAdmission } from '@bulkhead/verdict/admission'
import { admissionView } from './admission.js'
import { admitAll } from './testing/admissions.js'
import { broughtBy, root } from './testing/in-force.js'
import { admission, resources } from './testing/repository.js'

/*
 * The seed's policy against pods that run as root, in the place of layer 10: what it refuses, what it lets through, and what it
 * refuses that is as it should be.
 */

const seed = readFileSync(join(root, 'packages/verdict/fixtures/admission/disallow-root-user.yaml'), 'utf8')
const asRun = readFileSync(join(root, 'packages/scenarios/fixtures/seed-admission/hacker-root.yaml'), 'utf8')

function read(text: string): readonly Resource[] {
  const { resources: found, diagnostics } = parseManifests(text, 'test.yaml')
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  )
  return found
}

const others = resources.filter(({ layer }) => layer !== admission)
const ofSeed = compileAdmission([...others, ...read(seed)])
const bySeed = (objects: readonly Resource[]) =>
  admissionView(objects.map((object) => admit({ operation: 'CREATE', object }, ofSeed)))
const attack = (name: string): readonly Resource[] => broughtBy({ given: { manifests: [`k8s/attacks/${name}.yaml`] } })

describe('kubectl run hacker-root --image=nginx', () => {
  it('is refused by the seed, in the words of its policy', () => {
    const view = bySeed(read(asRun))
    assert.deepEqual(
      view?.reason?.policies.map(({ policy }) => policy),
      ['ClusterPolicy/disallow-root-user'],
    )
    assert.match(view?.message ?? '', /Running as root is forbidden/)
  })

  it('is refused by ours, in the same words and for all else that is wrong with it', () => {
    const view = admissionView(admitAll(read(asRun), true))
    assert.deepEqual(
      view?.reason?.policies.map(({ policy }) => policy.replace('ValidatingPolicy/', '')),
      [
        'allowed-images',
        'disallow-capabilities',
        'disallow-privilege-escalation',
        'disallow-root-user',
        'disallow-token',
        'require-limits',
        'require-read-only-root',
        'require-seccomp',
        'service-account-of-its-own',
      ],
    )
    assert.match(view?.message ?? '', /Running as root is forbidden/)
  })

  it('is let in where no policy is: no level of Pod Security is enforced in sandbox', () => {
    assert.equal(admissionView(admitAll(read(asRun), false)), undefined)
  })
})

describe('the seed’s policy', () => {
  it('stops a pod that runs as root, and the Deployment and the CronJob of one', () => {
    for (const name of ['hacker-root', 'hacker-deployment', 'hacker-cronjob']) {
      assert.equal(bySeed(attack(name))?.outcome, 'stopped', name)
    }
  })

  const letBy = [
    'root-init-container',
    'privileged-pod',
    'super-privileged-label',
    'host-path-pod',
    'host-pid-pod',
    'net-raw-pod',
    'escalating-pod',
    'unconfined-pod',
    'writable-root',
    'token-pod',
    'foreign-image',
    'waypoint-thief',
  ]
  for (const name of letBy) {
    it(`lets ${name} by, which ours refuses`, () => {
      assert.equal(bySeed(attack(name)), undefined)
      assert.equal(admissionView(admitAll(attack(name), true))?.outcome, 'stopped')
    })
  }

  it('lets a pod by that says it is not root, and whose container names user 0', () => {
    const [account, pod] = attack('hacker-root')
    assert.ok(account !== undefined && pod !== undefined)
    const text = JSON.stringify(pod.object).replace('"runAsUser":0', '"runAsUser":0,"runAsNonRoot":true')
    const claims = [account, { ...pod, object: JSON.parse(text) as Resource['object'] }]
    assert.equal(bySeed(claims), undefined)
    assert.equal(
      admissionView(admitAll(claims, true))?.reason?.policies[0]?.policy,
      'ValidatingPolicy/disallow-root-user',
    )
  })

  it('refuses a pod whose every container says that it is not root, because the pod itself says nothing', () => {
    const [account, pod] = attack('writable-root')
    assert.ok(account !== undefined && pod !== undefined)
    const text = JSON.stringify(pod.object)
      .replace('"runAsNonRoot":true,', '')
      .replace('"readOnlyRootFilesystem":false', '"readOnlyRootFilesystem":true,"runAsNonRoot":true')
    const sound = [account, { ...pod, object: JSON.parse(text) as Resource['object'] }]
    assert.match(bySeed(sound)?.message ?? '', /failed at path \/spec\/securityContext\//)
    assert.equal(admissionView(admitAll(sound, true)), undefined)
  })

  it('looks away in the namespaces that it leaves out, whoever may create pods there', () => {
    const text = asRun.replace('namespace: sandbox', 'namespace: istio-system')
    assert.equal(bySeed(read(text)), undefined)
    assert.equal(admissionView(admitAll(read(text), true))?.outcome, 'stopped')
  })
})
