import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { CiliumRule, Resource } from '@bulkhead/resources'
import fc from 'fast-check'
import type { NetworkOptions } from '../api.js'
import {
  kubernetesSpec,
  networkOptions,
  networkPolicy,
  networkResources,
  networkSet,
  type RandomNetworkPolicy,
} from '../testing/arbitrary-network.js'
import { packet, packetOf, type RandomPacket } from '../testing/arbitrary-packets.js'
import { naiveIsolated } from '../testing/naive-network.js'
import { askEngine, naivePacket } from '../testing/network-ask.js'
import { cnp, netpol } from '../testing/network-objects.js'
import { asCilium } from '../testing/network-translate.js'
import { naiveWorld, relabelled, snapshotOf } from '../testing/network-world.js'
import type { CniVerdict } from '../types.js'

/*
 * What must hold of the network layers whatever the policies are: 200 random sets for each law, 3,000 with
 * BULKHEAD_LONG=1. BULKHEAD_SEED repeats a run.
 */

const numRuns = process.env.BULKHEAD_LONG === '1' ? 3000 : 200
const seed = Number(process.env.BULKHEAD_SEED ?? Date.now() % 2 ** 31)
const packets = fc.array(packet, { minLength: 10, maxLength: 10 })

function answers(resources: readonly Resource[], network: NetworkOptions, some: readonly RandomPacket[]): CniVerdict[] {
  const snapshot = snapshotOf(resources, network)
  return some.map((one) => askEngine(packetOf(one), snapshot))
}

/** How often a law had something to say, and that it did. */
function counter(t: TestContext): { count(what: string): void; atLeast(times: number, ...what: string[]): void } {
  const counts = new Map<string, number>()
  t.diagnostic(`seed ${seed}, ${numRuns} sets`)
  return {
    count: (what) => void counts.set(what, (counts.get(what) ?? 0) + 1),
    atLeast: (times, ...whats) => {
      t.diagnostic([...counts].map(([what, count]) => `${what} ${count}`).join(', '))
      for (const what of whats) assert.ok((counts.get(what) ?? 0) >= times, `${what}: hardly ever`)
    },
  }
}

/** The policy's allow rules alone, as its own words have them. */
function allowsOf(policy: RandomNetworkPolicy, change: (spec: CiliumRule) => CiliumRule): RandomNetworkPolicy {
  return policy.kind === 'NetworkPolicy' ? policy : { ...policy, specs: policy.specs.map(change) }
}

/** Without what narrows: server names (B.7), and a demand for authentication (B.8). */
function plainAllows({ ingressDeny: _in, egressDeny: _out, ingress, egress, ...rest }: CiliumRule): CiliumRule {
  const widening = (rules: CiliumRule['egress']): CiliumRule['egress'] =>
    rules
      ?.map(({ authentication: _authentication, ...rule }) => rule)
      .filter(({ toPorts = [] }) => toPorts.every(({ serverNames }) => serverNames === undefined))
  return { ...rest, ingress: widening(ingress) ?? [], egress: widening(egress) ?? [] } as CiliumRule
}

test('an allow rule closes nothing in a direction in which the pod is isolated already', (t) => {
  const seen = counter(t)
  fc.assert(
    fc.property(networkSet, networkPolicy(), networkOptions, packets, (set, added, network, some) => {
      const [before, after] = [networkResources(set), networkResources([...set, allowsOf(added, plainAllows)])]
      const world = naiveWorld(before, network)
      const then = answers(before, network, some)
      answers(after, network, some).forEach((now, index) => {
        const one = some[index]
        if (one === undefined || then[index]?.outcome !== 'allow') {
          if (then[index]?.outcome === 'deny' && now.outcome === 'allow') seen.count('opens')
          return
        }
        if (naiveIsolated(world, naivePacket(packetOf(one)))) {
          seen.count('stays open')
          assert.equal(now.outcome, 'allow', JSON.stringify(one))
        } else if (now.outcome === 'deny') {
          // The first policy that selects a pod is what starts to close.
          seen.count('starts isolation')
        }
      })
    }),
    { numRuns, seed, includeErrorInReport: true },
  )
  seen.atLeast(10, 'stays open', 'starts isolation', 'opens')
})

test('a list of server names closes what does not name one of them, at its own peers and port, and nothing else', (t) => {
  const seen = counter(t)
  const https = { ports: [{ port: '443', protocol: 'TCP' as const }] }
  const open = cnp('a/open', { endpointSelector: {}, egress: [{ toPorts: [https] }] })
  const named = cnp('a/named', {
    endpointSelector: {},
    egress: [{ toPorts: [{ ...https, serverNames: ['api.partner.example'] }] }],
  })
  fc.assert(
    fc.property(networkSet, networkOptions, packets, (set, network, some) => {
      const before = [...networkResources(set), open]
      const then = answers(before, network, some)
      answers([...before, named], network, some).forEach(({ outcome, steps: [step] }, index) => {
        const one = some[index]
        if (one === undefined || then[index]?.outcome !== 'allow' || outcome === 'allow') return
        seen.count(outcome)
        const code = outcome === 'deny' ? 'cni.sni-denied' : 'not-modelled'
        assert.deepEqual([one.direction, one.port, one.protocol, step?.code], ['egress', 443, 'TCP', code])
        assert.ok(one.payload?.kind !== 'tls' || one.payload.sni !== 'api.partner.example')
      })
    }),
    { numRuns, seed, includeErrorInReport: true },
  )
  seen.atLeast(3, 'deny')
})

test('an allow rule that keeps the default closes nothing at all', (t) => {
  const seen = counter(t)
  const open = (spec: CiliumRule): CiliumRule => ({
    ...plainAllows(spec),
    enableDefaultDeny: { ingress: false, egress: false },
  })
  const added = networkPolicy().filter(({ kind }) => kind !== 'NetworkPolicy')
  fc.assert(
    fc.property(networkSet, added, networkOptions, packets, (set, more, network, some) => {
      const then = answers(networkResources(set), network, some)
      const now = answers(networkResources([...set, allowsOf(more, open)]), network, some)
      now.forEach(({ outcome }, index) => {
        seen.count(`${then[index]?.outcome} then ${outcome}`)
        if (then[index]?.outcome === 'allow') assert.equal(outcome, 'allow', JSON.stringify(some[index]))
      })
    }),
    { numRuns, seed, includeErrorInReport: true },
  )
  seen.atLeast(10, 'allow then allow', 'deny then deny')
  // Of the packets of one set many have one answer: what is rare comes in heaps, or hardly.
  seen.atLeast(2, 'deny then allow')
})

test('a deny rule opens nothing', (t) => {
  const seen = counter(t)
  const denies = ({ ingress: _in, egress: _out, ...rest }: CiliumRule): CiliumRule => rest
  const added = networkPolicy().filter(
    (policy) => policy.kind !== 'NetworkPolicy' && policy.specs.some((spec) => spec.ingressDeny ?? spec.egressDeny),
  )
  fc.assert(
    fc.property(networkSet, added, networkOptions, packets, (set, more, network, some) => {
      const then = answers(networkResources(set), network, some)
      const now = answers(networkResources([...set, allowsOf(more, denies)]), network, some)
      now.forEach(({ outcome }, index) => {
        seen.count(`${then[index]?.outcome} then ${outcome}`)
        if (then[index]?.outcome === 'deny') assert.equal(outcome, 'deny', JSON.stringify(some[index]))
        if (then[index]?.outcome === 'unknown') assert.notEqual(outcome, 'allow', JSON.stringify(some[index]))
      })
    }),
    { numRuns, seed, includeErrorInReport: true },
  )
  seen.atLeast(10, 'deny then deny', 'allow then deny', 'allow then allow')
})

test('the order of the documents never matters', () => {
  const dice = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }))
  fc.assert(
    fc.property(networkSet, networkOptions, packets, dice, (set, network, some, roll) => {
      const resources = networkResources(set)
      const shuffled = resources
        .map((resource) => ({ resource, at: roll.next().value }))
        .sort((a, b) => a.at - b.at)
        .map(({ resource }) => resource)
      assert.deepEqual(answers(shuffled, network, some), answers(resources, network, some))
    }),
    { numRuns, seed, includeErrorInReport: true },
  )
})

test('a label that no selector mentions never matters', () => {
  fc.assert(
    fc.property(networkSet, networkOptions, packets, (set, network, some) => {
      const resources = networkResources(set)
      const other = relabelled(resources, network)
      assert.ok([...other.pods.values()].every(({ labels }) => labels.unmentioned === 'yes'))
      const podOf = (workload: string): ReturnType<typeof packetOf>['pod'] | undefined =>
        [...other.pods.values()].find((pod) => pod.workload === workload)
      const now = some.map((one) => {
        const asked = packetOf(one)
        const peer = 'key' in asked.peer ? (podOf(asked.peer.workload) ?? asked.peer) : asked.peer
        return askEngine({ ...asked, pod: podOf(one.pod) ?? asked.pod, peer }, other)
      })
      assert.deepEqual(now, answers(resources, network, some))
    }),
    { numRuns, seed, includeErrorInReport: true },
  )
})

test('a NetworkPolicy and what Cilium makes of it say the same', (t) => {
  const seen = counter(t)
  const policies = fc.array(fc.record({ namespace: fc.constantFrom('a', 'a', 'b'), spec: kubernetesSpec }), {
    minLength: 1,
    maxLength: 4,
  })
  const said = ({ outcome, steps: [step], reads }: CniVerdict): unknown => [
    outcome,
    step?.code,
    step?.policy?.replace(/^\w+\//, ''),
    step?.isolatedBy?.map(({ policy }) => policy.replace(/^\w+\//, '')),
    reads,
  ]
  fc.assert(
    fc.property(policies, packets, (list, some) => {
      const plain = list.map(({ namespace, spec }, index) => netpol(`${namespace}/p${index}`, spec))
      const own = list.map(({ namespace, spec }, index) => ({ key: `${namespace}/p${index}`, rule: asCilium(spec) }))
      // One that isolates nothing has no translation: Cilium refuses what is empty.
      const translated = own
        .filter(({ rule }) => rule.ingress !== undefined || rule.egress !== undefined)
        .map(({ key, rule }) => cnp(key, rule))
      const now = answers(translated, {}, some)
      answers(plain, {}, some).forEach((verdict, index) => {
        seen.count(`${verdict.outcome} ${verdict.steps[0]?.code}`)
        assert.deepEqual(said(now[index] ?? verdict), said(verdict), JSON.stringify(some[index]))
      })
    }),
    { numRuns, seed, includeErrorInReport: true },
  )
  seen.atLeast(10, 'allow cni.rule-allows', 'deny cni.default-deny', 'allow network.no-policy')
})

test('what the API keeps out, Cilium keeps out: its blocks of addresses hold less', (t) => {
  const seen = counter(t)
  fc.assert(
    fc.property(networkSet, packets, (set, some) => {
      const resources = networkResources(set)
      const cilium = answers(resources, { reader: 'cilium' }, some)
      answers(resources, { reader: 'api' }, some).forEach(({ outcome }, index) => {
        seen.count(`${outcome} and ${cilium[index]?.outcome}`)
        if (outcome === 'deny') assert.equal(cilium[index]?.outcome, 'deny', JSON.stringify(some[index]))
      })
    }),
    { numRuns, seed, includeErrorInReport: true },
  )
  seen.atLeast(5, 'allow and allow', 'deny and deny')
  seen.atLeast(2, 'allow and deny')
})

test('mode never opens all, and mode always closes no less than the default', (t) => {
  const seen = counter(t)
  fc.assert(
    fc.property(networkSet, packets, (set, some) => {
      const resources = networkResources(set)
      const [never, always] = [
        answers(resources, { enforcement: 'never' }, some),
        answers(resources, { enforcement: 'always' }, some),
      ]
      answers(resources, {}, some).forEach(({ outcome }, index) => {
        seen.count(`${outcome} and ${always[index]?.outcome}`)
        assert.equal(never[index]?.outcome, 'allow')
        // What is not read may not matter any more.
        if (outcome === 'unknown') assert.notEqual(always[index]?.outcome, 'allow', JSON.stringify(some[index]))
        if (outcome === 'deny') assert.equal(always[index]?.outcome, 'deny', JSON.stringify(some[index]))
      })
    }),
    { numRuns, seed, includeErrorInReport: true },
  )
  seen.atLeast(10, 'allow and deny', 'allow and allow', 'deny and deny')
})
