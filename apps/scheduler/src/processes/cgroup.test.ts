import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyText } from '@bulkhead/testing/text'
import fc from 'fast-check'
import { readCgroup } from './cgroup.js'

const UID = '4a5b6c7d-1111-2222-3333-444455556666'
const LOW = UID.replaceAll('-', '_')
const STATIC = '0123456789abcdef0123456789abcdef'
const ID = 'ab'.repeat(32)

const places: readonly (readonly [string, string, object | undefined])[] = [
  // cgroup v2
  [
    'systemd and containerd, as most clusters',
    `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${LOW}.slice/cri-containerd-${ID}.scope`,
    { podUid: UID, containerId: ID },
  ],
  [
    'a guaranteed pod has no class in its path',
    `0::/kubepods.slice/kubepods-pod${LOW}.slice/cri-containerd-${ID}.scope`,
    { podUid: UID, containerId: ID },
  ],
  [
    'contract 1.17.14: kind, kubelet-kubepods-pod',
    `0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${LOW}.slice/cri-containerd-${ID}.scope`,
    { podUid: UID, containerId: ID },
  ],
  [
    'contract 1.17.14: kind, kubelet-kubepods-besteffort-pod',
    `0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod${LOW}.slice/cri-containerd-${ID}.scope`,
    { podUid: UID, containerId: ID },
  ],
  [
    'CRI-O',
    `0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${LOW}.slice/crio-${ID}.scope`,
    { podUid: UID, containerId: ID },
  ],
  [
    'CRI-O’s monitor is no process of the pod',
    `0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${LOW}.slice/crio-conmon-${ID}.scope`,
    undefined,
  ],
  [
    'Docker',
    `0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${LOW}.slice/docker-${ID}.scope`,
    { podUid: UID, containerId: ID },
  ],
  ['cgroupfs', `0::/kubepods/burstable/pod${UID}/${ID}`, { podUid: UID, containerId: ID }],
  ['cgroupfs, guaranteed', `0::/kubepods/pod${UID}/${ID}`, { podUid: UID, containerId: ID }],
  [
    'D6: the drivers disagree, and the path has colons',
    `0::/system.slice/containerd.service/kubepods-burstable-pod${LOW}.slice:cri-containerd:${ID}`,
    { podUid: UID, containerId: ID },
  ],
  [
    'a systemd within the container',
    `0::/kubepods.slice/kubepods-pod${LOW}.slice/cri-containerd-${ID}.scope/init.scope`,
    { podUid: UID, containerId: ID },
  ],
  ['in the pod’s cgroup itself', `0::/kubepods/burstable/pod${UID}`, { podUid: UID }],
  ['a static pod', `0::/kubepods/burstable/pod${STATIC}/${ID}`, { podUid: STATIC, containerId: ID }],
  // Read from a container that has a cgroup namespace of its own.
  [
    'from within, another class',
    `0::/../../../kubepods-burstable.slice/kubepods-burstable-pod${LOW}.slice/cri-containerd-${ID}.scope`,
    { podUid: UID, containerId: ID },
  ],
  [
    'from within, a neighbour',
    `0::/../../kubepods-besteffort-pod${LOW}.slice/cri-containerd-${ID}.scope`,
    { podUid: UID, containerId: ID },
  ],
  ['from within, cgroupfs', `0::/../../pod${UID}/${ID}`, { podUid: UID, containerId: ID }],
  ['from within, itself', '0::/', undefined],
  ['from within, the node', '0::/../../../../system.slice/containerd.service', undefined],
  // cgroup v1
  [
    'D6: v1 says it once for each controller',
    `12:memory:/kubepods/burstable/pod${UID}/${ID}\n11:cpu,cpuacct:/kubepods/burstable/pod${UID}/${ID}\n1:name=systemd:/kubepods/burstable/pod${UID}/${ID}\n0::/`,
    { podUid: UID, containerId: ID },
  ],
  [
    'v1 beside v2, where only some controllers say it',
    `3:cpuset:/\n2:name=systemd:/kubepods.slice/kubepods-pod${LOW}.slice/crio-${ID}.scope\n0::/`,
    { podUid: UID, containerId: ID },
  ],
  // Others
  ['a service of the node', '0::/system.slice/ssh.service', undefined],
  ['the kubelet', '0::/kubepods.slice', undefined],
  ['a container that is in no pod', `0::/system.slice/docker-${ID}.scope`, undefined],
  ['podman is no pod', '0::/user.slice/user-1000.slice/podman-123.scope/podman', undefined],
  ['a UID that is none', '0::/kubepods/burstable/podx/y', undefined],
  [
    'a cgroup that a container has made itself',
    `0::/kubepods/burstable/pod${UID}/${ID}/kubepods/pod99999999-1111-2222-3333-444455556666/${ID}`,
    { podUid: UID, containerId: ID },
  ],
  ['a user’s slice of such a name', `0::/user.slice/kubepods-pod${LOW}.slice.d/x`, undefined],
  ['nothing', '', undefined],
  ['no cgroup at all', 'hello\n:\n::\n0:\n', undefined],
]
for (const [what, text, place] of places) {
  test(`2.2, D6: ${what}`, () => {
    assert.deepEqual(readCgroup(text), place)
    assert.deepEqual(readCgroup(`${text}\n`), place)
  })
}

test('whatever there stands, it is read in no time to speak of', () => {
  const parts = fc.constantFrom(
    '0::',
    '/',
    ':',
    '\n',
    'pod',
    LOW,
    UID,
    '.slice',
    'kubepods-',
    'cri-containerd-',
    ID,
    'a-',
    '_',
  )
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 200 }), anyText(), (some, other) => {
      readCgroup(some.join('') + other)
    }),
  )
  // An expression that goes back would be here for as long as the universe.
  readCgroup(`0::/${'a-'.repeat(8_000)}kubepods-pod`)
  readCgroup(`0::/${'kubepods-'.repeat(1_800)}`)
})
