import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { violations } from '../psa/controls.js'
import { type Fields, viewPod } from '../psa/pod.js'
import { naivePodSecurity } from '../testing/naive-pod-security.js'

/*
 * The engine and a second evaluator, written from the standard alone, say the same of any pod.
 */

const names: readonly (readonly [reason: RegExp, name: string])[] = [
  [/AppArmor/, 'AppArmor'],
  [/^hostPath/, 'hostPath'],
  [/^seccomp/, 'seccomp'],
  [/^seLinux/, 'seLinux'],
  [/sysctls/, 'sysctls'],
  [/^allowPriv/, 'allowPrivilegeEscalation'],
  [/volume types/, 'volume types'],
  [/^runAsNonRoot/, 'runAsNonRoot'],
  [/^runAsUser/, 'runAsUser'],
]

function engine(level: 'baseline' | 'restricted', pod: Fields): string[] {
  return violations(viewPod(pod), { level })
    .map(({ reason }) => names.find(([pattern]) => pattern.test(reason))?.[1] ?? reason)
    .sort()
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })
const bool = maybe(fc.boolean())
const compact = (value: object): Fields =>
  Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined))
const record = (model: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Fields> => fc.record(model).map(compact)
const profile = fc.constantFrom('RuntimeDefault', 'Localhost', 'Unconfined').map((type) => ({ type }))

const shared = {
  runAsNonRoot: bool,
  runAsUser: maybe(fc.constantFrom(0, 1, 1000)),
  seccompProfile: maybe(profile),
  appArmorProfile: maybe(profile),
  seLinuxOptions: maybe(
    record({
      type: maybe(fc.constantFrom('', 'container_t', 'spc_t', 'container_engine_t')),
      user: maybe(fc.constantFrom('', 'u')),
      role: maybe(fc.constantFrom('', 'r')),
    }),
  ),
  windowsOptions: maybe(record({ hostProcess: bool })),
}
const capability = fc.constantFrom('ALL', 'NET_RAW', 'CHOWN', 'NET_BIND_SERVICE', 'SYS_ADMIN')
const containerContext = record({
  ...shared,
  privileged: bool,
  allowPrivilegeEscalation: bool,
  procMount: maybe(fc.constantFrom('Default', 'Unmasked')),
  capabilities: maybe(
    record({ add: maybe(fc.array(capability, { maxLength: 2 })), drop: maybe(fc.array(capability, { maxLength: 2 })) }),
  ),
})
const handler = record({
  httpGet: maybe(record({ host: maybe(fc.constantFrom('', 'h')), port: fc.constant(80) })),
  tcpSocket: maybe(record({ host: maybe(fc.constantFrom('', 'h')) })),
})
const port = record({ containerPort: fc.constant(80), hostPort: maybe(fc.constantFrom(0, 80)) })
const containerList = fc
  .array(
    record({
      securityContext: maybe(containerContext),
      ports: maybe(fc.array(port, { maxLength: 2 })),
      livenessProbe: maybe(handler),
      lifecycle: maybe(record({ preStop: maybe(handler) })),
    }),
    { maxLength: 2 },
  )
  .map((list) => list.map((one, index) => ({ name: `c${index}`, ...one })))

const volume = fc
  .constantFrom('emptyDir', 'configMap', 'hostPath', 'nfs', 'image', 'odd', '')
  .map((type): Fields => ({ name: 'v', ...(type !== '' && { [type]: { path: '/x' } }) }))

const pod = record({
  hostNetwork: bool,
  hostPID: bool,
  hostUsers: bool,
  os: maybe(fc.constantFrom({ name: 'linux' }, { name: 'windows' })),
  securityContext: maybe(
    record({
      ...shared,
      sysctls: maybe(fc.constantFrom([], [{ name: 'net.ipv4.tcp_rmem' }], [{ name: 'kernel.sem' }])),
    }),
  ),
  volumes: maybe(fc.array(volume, { maxLength: 2 })),
  initContainers: maybe(containerList),
  containers: containerList,
  ephemeralContainers: maybe(containerList),
}).map((spec): Fields => ({ spec }))

test('baseline and restricted are the same twice', () => {
  fc.assert(
    fc.property(pod, (one) => {
      for (const level of ['baseline', 'restricted'] as const) {
        assert.deepEqual(engine(level, one), naivePodSecurity(level, one), level)
      }
    }),
    { numRuns: 500 },
  )
})

test('restricted lets nothing in that baseline does not; a version that is not yet out is the newest', () => {
  fc.assert(
    fc.property(pod, fc.integer({ min: 0, max: 60 }), (one, minor) => {
      const view = viewPod(one)
      const [baseline, restricted] = (['baseline', 'restricted'] as const).map(
        (level) => violations(view, { level, minor }).length,
      )
      assert.ok(baseline === 0 || (restricted ?? 0) > 0)
      if (minor > 35)
        assert.deepEqual(violations(view, { level: 'restricted', minor }), violations(view, { level: 'restricted' }))
    }),
  )
})
