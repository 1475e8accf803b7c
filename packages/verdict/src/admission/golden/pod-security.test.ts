import assert from 'node:assert/strict'
import { test } from 'node:test'
import { violations, violationText } from '../psa/controls.js'
import type { LevelVersion } from '../psa/labels.js'
import { type Fields, viewPod } from '../psa/pod.js'

/*
 * Pod Security's controls by the values of Kubernetes' own tests (pod-security-admission/policy/check_*_test.go): what
 * is broken, in the API server's words.
 */

const container = (name: string, securityContext?: Fields, more: Fields = {}): Fields => ({
  name,
  ...(securityContext && { securityContext }),
  ...more,
})
const spec = (fields: Fields): Fields => ({ spec: fields })
const containers = (...list: readonly Fields[]): Fields => spec({ containers: list })
const onPod = (securityContext: Fields, ...list: readonly Fields[]): Fields =>
  spec({ securityContext, containers: list })

function said(pod: Fields, level: LevelVersion['level'], minor?: number): string[] {
  return violations(viewPod(pod), { level, ...(minor !== undefined && { minor }) }).map(
    (one) => `${one.reason} (${one.detail})`,
  )
}

/** Of restricted, only what is said of one control. */
function only(pod: Fields, reason: string, minor?: number): string[] {
  return said(pod, 'restricted', minor).filter((text) => text.startsWith(reason))
}

const baselineRows: readonly (readonly [name: string, pod: Fields, said: readonly string[], minor?: number])[] = [
  ['nothing at all', containers(container('a')), []],
  [
    'AppArmor of the pod',
    onPod({ appArmorProfile: { type: 'Unconfined' } }, container('a')),
    ['forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")'],
  ],
  [
    'AppArmor of an init container',
    spec({
      securityContext: { appArmorProfile: { type: 'RuntimeDefault' } },
      containers: [container('foo')],
      initContainers: [container('bar', { appArmorProfile: { type: 'Unconfined' } })],
    }),
    ['forbidden AppArmor profile (container "bar" must not set AppArmor profile type to "Unconfined")'],
  ],
  [
    'AppArmor by annotations',
    {
      metadata: {
        annotations: {
          'container.apparmor.security.beta.kubernetes.io/': 'bogus',
          'container.apparmor.security.beta.kubernetes.io/a': '',
          'container.apparmor.security.beta.kubernetes.io/b': 'runtime/default',
          'container.apparmor.security.beta.kubernetes.io/c': 'localhost/',
          'container.apparmor.security.beta.kubernetes.io/d': 'localhost/foo',
          'container.apparmor.security.beta.kubernetes.io/e': 'unconfined',
        },
      },
      spec: {},
    },
    [
      'forbidden AppArmor profiles (annotations must not set AppArmor profile type to "container.apparmor.security.beta.kubernetes.io/="bogus"", "container.apparmor.security.beta.kubernetes.io/e="unconfined"")',
    ],
  ],
  [
    'added capabilities',
    containers(
      container('a', { capabilities: { add: ['FOO', 'BAR'] } }),
      container('b', { capabilities: { add: ['BAR', 'BAZ'] } }),
      container('c', { capabilities: { add: ['NET_BIND_SERVICE', 'CHOWN', 'SETGID'] } }),
    ),
    [
      'non-default capabilities (containers "a", "b" must not include "BAR", "BAZ", "FOO" in securityContext.capabilities.add)',
    ],
  ],
  [
    'host namespaces',
    spec({ hostNetwork: true, hostPID: true, hostIPC: true, containers: [container('a')] }),
    ['host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)'],
  ],
  [
    'hostPath volumes',
    spec({
      volumes: [
        { name: 'a', hostPath: {} },
        { name: 'b', hostPath: { path: '/' } },
        { name: 'c', emptyDir: {} },
      ],
    }),
    ['hostPath volumes (volumes "a", "b")'],
  ],
  [
    'host ports',
    containers(
      container('a', undefined, { ports: [{ containerPort: 10 }, { hostPort: 0 }] }),
      container('b', undefined, { ports: [{ hostPort: 10 }, { hostPort: 20 }] }),
      container('c', undefined, { ports: [{ hostPort: 30 }, { hostPort: 10 }] }),
    ),
    ['hostPort (containers "b", "c" use hostPorts 10, 20, 30)'],
  ],
  [
    'one host port',
    containers(container('b', undefined, { ports: [{ hostPort: 20 }] })),
    ['hostPort (container "b" uses hostPort 20)'],
  ],
  [
    'hosts of probes',
    containers(
      container('a', undefined, {
        livenessProbe: { httpGet: { host: 'localhost' } },
        readinessProbe: { httpGet: { host: '127.0.0.1' } },
        startupProbe: { tcpSocket: { host: '::1' } },
      }),
    ),
    ['probe or lifecycle host (container "a" uses probe or lifecycle hosts "127.0.0.1", "::1", "localhost")'],
  ],
  [
    'hosts of lifecycle handlers',
    containers(
      container('invalid1', undefined, { lifecycle: { postStart: { tcpSocket: { host: 'b.com' } } } }),
      container('invalid2', undefined, { lifecycle: { preStop: { httpGet: { host: 'a.com' } } } }),
    ),
    ['probe or lifecycle host (containers "invalid1", "invalid2" use probe or lifecycle hosts "a.com", "b.com")'],
  ],
  [
    'hosts of probes, before 1.34',
    containers(container('a', undefined, { livenessProbe: { httpGet: { host: 'x' } } })),
    [],
    33,
  ],
  [
    'privileged',
    containers(
      container('a'),
      container('b', {}),
      container('c', { privileged: false }),
      container('d', { privileged: true }),
      container('e', { privileged: true }),
    ),
    ['privileged (containers "d", "e" must not set securityContext.privileged=true)'],
  ],
  [
    'procMount',
    containers(
      container('c', { procMount: 'Default' }),
      container('d', { procMount: 'Unmasked' }),
      container('e', { procMount: 'other' }),
    ),
    ['procMount (containers "d", "e" must not set securityContext.procMount to "Unmasked", "other")'],
  ],
  [
    'procMount in a user namespace, since 1.35',
    spec({ hostUsers: false, containers: [container('d', { procMount: 'Unmasked' })] }),
    [],
  ],
  [
    'procMount in a user namespace, before',
    spec({ hostUsers: false, containers: [container('d', { procMount: 'Unmasked' })] }),
    ['procMount (container "d" must not set securityContext.procMount to "Unmasked")'],
    34,
  ],
  [
    'SELinux of pod and containers',
    onPod(
      { seLinuxOptions: { type: 'foo', user: 'bar', role: 'baz' } },
      container('a', { seLinuxOptions: { type: 'container_t' } }),
      container('d', { seLinuxOptions: { type: 'container_engine_t' } }),
      container('e', { seLinuxOptions: { type: 'bar' } }),
      container('f', { seLinuxOptions: { user: 'bar' } }),
      container('g', { seLinuxOptions: { role: 'baz' } }),
    ),
    [
      'seLinuxOptions (pod and containers "e", "f", "g" set forbidden securityContext.seLinuxOptions: types "bar", "foo"; user may not be set; role may not be set)',
    ],
  ],
  [
    'container_engine_t, before 1.31',
    onPod({ seLinuxOptions: { type: 'container_engine_t' } }),
    ['seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "container_engine_t")'],
    30,
  ],
  [
    'seccomp of pod and containers',
    onPod(
      { seccompProfile: { type: 'Unconfined' } },
      container('a'),
      container('b', { seccompProfile: { type: 'Localhost' } }),
      container('c', { seccompProfile: { type: 'Unconfined' } }),
      container('d', { seccompProfile: { type: 'Unconfined' } }),
    ),
    ['seccompProfile (pod and containers "c", "d" must not set securityContext.seccompProfile.type to "Unconfined")'],
  ],
  [
    'seccomp by annotations, before 1.19',
    {
      metadata: {
        annotations: {
          'seccomp.security.alpha.kubernetes.io/pod': 'unconfined',
          'container.seccomp.security.alpha.kubernetes.io/a': 'unconfined',
          'container.seccomp.security.alpha.kubernetes.io/b': 'unknown',
          'container.seccomp.security.alpha.kubernetes.io/nobody': 'unconfined',
        },
      },
      spec: { containers: [container('a'), container('b')] },
    },
    [
      'seccompProfile (forbidden annotations container.seccomp.security.alpha.kubernetes.io/a="unconfined", container.seccomp.security.alpha.kubernetes.io/b="unknown", seccomp.security.alpha.kubernetes.io/pod="unconfined")',
    ],
    18,
  ],
  [
    'sysctls',
    onPod({ sysctls: [{ name: 'a' }, { name: 'b' }, { name: 'net.ipv4.tcp_rmem' }] }),
    ['forbidden sysctls (a, b)'],
  ],
  [
    'a sysctl of 1.32, before',
    onPod({ sysctls: [{ name: 'net.ipv4.tcp_rmem' }] }),
    ['forbidden sysctls (net.ipv4.tcp_rmem)'],
    31,
  ],
  [
    'a sysctl of 1.29, before',
    onPod({ sysctls: [{ name: 'net.ipv4.tcp_fin_timeout' }] }),
    ['forbidden sysctls (net.ipv4.tcp_fin_timeout)'],
    28,
  ],
  [
    'host processes of Windows',
    onPod(
      { windowsOptions: { hostProcess: true } },
      container('d', { windowsOptions: { hostProcess: false } }),
      container('e', { windowsOptions: { hostProcess: true } }),
      container('f', { windowsOptions: { hostProcess: true } }),
    ),
    ['hostProcess (pod and containers "e", "f" must not set securityContext.windowsOptions.hostProcess=true)'],
  ],
]

for (const [name, pod, expected, minor] of baselineRows) {
  test(`baseline: ${name}`, () => {
    assert.deepEqual(said(pod, 'baseline', minor), expected)
    assert.deepEqual(said(pod, 'privileged', minor), [])
  })
}

const caps = 'unrestricted capabilities'
const restrictedRows: readonly (readonly [pod: Fields, reason: string, said: readonly string[], minor?: number])[] = [
  [
    containers(
      container('a'),
      container('b', { allowPrivilegeEscalation: true }),
      container('c', {}),
      container('d', { allowPrivilegeEscalation: false }),
    ),
    'allowPrivilegeEscalation',
    [
      'allowPrivilegeEscalation != false (containers "a", "b", "c" must set securityContext.allowPrivilegeEscalation=false)',
    ],
  ],
  [spec({ os: { name: 'windows' }, containers: [container('a')] }), 'allowPrivilegeEscalation', []],
  [
    spec({ os: { name: 'windows' }, containers: [container('a')] }),
    'allowPrivilegeEscalation',
    ['allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)'],
    24,
  ],
  [spec({ os: { name: 'windows' }, containers: [container('a')] }), 'allowPrivilegeEscalation', [], 25],
  [containers(container('a')), 'allowPrivilegeEscalation', [], 7],
  [
    containers(
      container('a', { capabilities: { add: ['FOO', 'BAR'] } }),
      container('b', { capabilities: { add: ['BAR', 'BAZ'] } }),
      container('c', { capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE', 'CHOWN'] } }),
    ),
    caps,
    [
      `${caps} (containers "a", "b" must set securityContext.capabilities.drop=["ALL"]; containers "a", "b", "c" must not include "BAR", "BAZ", "CHOWN", "FOO" in securityContext.capabilities.add)`,
    ],
  ],
  [containers(container('a', { capabilities: { drop: ['ALL', 'X'], add: ['NET_BIND_SERVICE'] } })), caps, []],
  [
    spec({
      volumes: [
        { name: 'a', nfs: {} },
        { name: 'b', hostPath: {} },
        { name: 'c', secret: {} },
        { name: 'd' },
        { name: 'e', odd: {} },
      ],
    }),
    'restricted volume types',
    ['restricted volume types (volumes "a", "b", "e" use restricted volume types "hostPath", "nfs", "unknown")'],
  ],
  [
    onPod({ runAsNonRoot: false }, container('a', { runAsNonRoot: true })),
    'runAsNonRoot',
    ['runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)'],
  ],
  [
    onPod(
      { runAsNonRoot: true },
      container('a'),
      container('c', { runAsNonRoot: false }),
      container('d', { runAsNonRoot: false }),
    ),
    'runAsNonRoot',
    ['runAsNonRoot != true (containers "c", "d" must not set securityContext.runAsNonRoot=false)'],
  ],
  [
    containers(container('a'), container('b'), container('c', { runAsNonRoot: true })),
    'runAsNonRoot',
    ['runAsNonRoot != true (pod or containers "a", "b" must set securityContext.runAsNonRoot=true)'],
  ],
  [spec({ hostUsers: false, containers: [container('a', { runAsUser: 0 })] }), 'runAs', []],
  [
    onPod({ runAsUser: 0, runAsNonRoot: true }, container('a')),
    'runAsUser',
    ['runAsUser=0 (pod must not set runAsUser=0)'],
  ],
  [
    onPod({ runAsUser: 1, runAsNonRoot: true }, container('c', { runAsUser: 0 }), container('d', { runAsUser: 0 })),
    'runAsUser',
    ['runAsUser=0 (containers "c", "d" must not set runAsUser=0)'],
  ],
  [onPod({ runAsUser: 0, runAsNonRoot: true }, container('a')), 'runAsUser', [], 22],
  [
    containers(container('a'), container('b', {}), container('c', { seccompProfile: { type: 'Localhost' } })),
    'seccompProfile',
    [
      'seccompProfile (pod or containers "a", "b" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ],
  ],
  [
    onPod({ seccompProfile: { type: 'Unconfined' } }, container('a', { seccompProfile: { type: 'RuntimeDefault' } })),
    'seccompProfile',
    ['seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")'],
  ],
  [onPod({ seccompProfile: { type: 'RuntimeDefault' } }, container('a')), 'seccompProfile', []],
]

for (const [index, [pod, reason, expected, minor]] of restrictedRows.entries()) {
  test(`restricted ${index}: ${reason}${minor === undefined ? '' : ` in 1.${minor}`}`, () => {
    assert.deepEqual(only(pod, reason, minor), expected)
  })
}

test('several violations stand in the order of the control names, baseline before restricted, replaced ones once', () => {
  const pod = spec({
    hostPID: true,
    volumes: [{ name: 'v', hostPath: {} }],
    initContainers: [container('init', { privileged: true })],
    containers: [container('c', { capabilities: { add: ['NET_RAW'] }, procMount: 'Unmasked' })],
    ephemeralContainers: [container('debug')],
  })
  assert.equal(
    violationText(violations(viewPod(pod), { level: 'restricted' })),
    [
      'host namespaces (hostPID=true)',
      'privileged (container "init" must not set securityContext.privileged=true)',
      'allowPrivilegeEscalation != false (containers "init", "c", "debug" must set securityContext.allowPrivilegeEscalation=false)',
      'unrestricted capabilities (containers "init", "c", "debug" must set securityContext.capabilities.drop=["ALL"]; container "c" must not include "NET_RAW" in securityContext.capabilities.add)',
      'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
      'restricted volume types (volume "v" uses restricted volume type "hostPath")',
      'runAsNonRoot != true (pod or containers "init", "c", "debug" must set securityContext.runAsNonRoot=true)',
      'seccompProfile (pod or containers "init", "c", "debug" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ].join(', '),
  )
})

test('on its node network every port of a pod is the node port, and of a template only what it says', () => {
  const pod = spec({ hostNetwork: true, containers: [container('a', undefined, { ports: [{ containerPort: 80 }] })] })
  const reasons = (isPod: boolean): string[] =>
    violations(viewPod(pod, isPod), { level: 'baseline' }).map(({ reason }) => reason)
  assert.deepEqual(reasons(true), ['host namespaces', 'hostPort'])
  assert.deepEqual(reasons(false), ['host namespaces'])
})
