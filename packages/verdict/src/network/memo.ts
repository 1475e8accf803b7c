import type { Snapshot } from '../api.js'
import { parseAddress } from '../model/addresses.js'
import { internalsOf } from '../model/internals.js'
import type { CniVerdict, NodeModel, Pod } from '../types.js'
import type { DirectionRules } from './compile-network.js'
import { type Candidates, candidatesFor } from './match.js'
import { nodeParty, worldParty } from './parties.js'
import type { Party } from './types.js'

/*
 * What has been found out about a snapshot, so that a warm question costs a few look-ups. Bounded: addresses and ports
 * are for anybody to choose.
 */

const most = 10_000

interface Memo {
  /** By address, or by the node and the name of what is on its network; one for each node that may be the own. */
  readonly parties: Map<string, Party>
  readonly podParties: WeakMap<Pod, Party>
}

const memos = new WeakMap<Snapshot, Memo>()

function memoOf(snapshot: Snapshot): Memo {
  let memo = memos.get(snapshot)
  if (memo === undefined) {
    memo = { parties: new Map(), podParties: new WeakMap() }
    memos.set(snapshot, memo)
  }
  return memo
}

/** The other end of a packet, as seen from that pod. */
export function partyOf(subject: Pod, peer: Pod | { readonly ip: string }, snapshot: Snapshot): Party {
  const memo = memoOf(snapshot)
  if ('key' in peer) return peer.hostNetwork ? hostParty(subject, peer, snapshot) : ofPod(peer, snapshot)
  return remembered(memo.parties, `${subject.node} ${peer.ip}`, () => byAddress(subject, peer.ip, snapshot))
}

function remembered<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    if (map.size >= most) map.clear()
    map.set(key, value)
  }
  return value
}

function hostParty(subject: Pod, { workload, node, ip }: Pod, snapshot: Snapshot): Party {
  const own = node === subject.node
  return remembered(memoOf(snapshot).parties, `${own} ${node} ${workload}`, () =>
    nodeParty(workload, { name: node, ip }, own, snapshot),
  )
}

function ofPod(pod: Pod, snapshot: Snapshot): Party {
  const { policiesOf, network } = internalsOf(snapshot)
  const { party } = policiesOf(pod).network
  // By the API a block of addresses may mean some pods of a class and not others.
  if (network.options.reader !== 'api') return party
  const { podParties } = memoOf(snapshot)
  let own = podParties.get(pod)
  if (own === undefined) {
    own = { ...party, address: parseAddress(pod.ip) }
    podParties.set(pod, own)
  }
  return own
}

function byAddress(subject: Pod, ip: string, snapshot: Snapshot): Party {
  const address = parseAddress(ip)?.toString() ?? ip
  const { dns, istiod, controlPlane } = snapshot.platform
  const pod = snapshot.podByIp(address) ?? [dns, istiod].find((one) => one.ip === address)
  if (pod !== undefined && !pod.hostNetwork) return ofPod(pod, snapshot)
  const node: NodeModel | undefined = [...snapshot.nodes, controlPlane].find((one) => one.ip === address)
  return node === undefined
    ? worldParty(ip)
    : nodeParty(`node ${node.name}`, node, node.name === subject.node, snapshot)
}

/** The rules that may speak of a party, and what they said of its ports. */
export interface Pairing {
  readonly candidates: Candidates
  readonly verdicts: Map<number, CniVerdict>
}

const pairings = new WeakMap<DirectionRules, WeakMap<Party, Pairing>>()

export function pairingOf(rules: DirectionRules, party: Party): Pairing {
  let ofRules = pairings.get(rules)
  if (ofRules === undefined) {
    ofRules = new WeakMap()
    pairings.set(rules, ofRules)
  }
  let pairing = ofRules.get(party)
  if (pairing === undefined) {
    pairing = { candidates: candidatesFor(rules, party), verdicts: new Map() }
    ofRules.set(party, pairing)
  }
  return pairing
}

const mostPorts = 1000

export function remember({ verdicts }: Pairing, key: number, verdict: CniVerdict): CniVerdict {
  if (verdicts.size >= mostPorts) verdicts.clear()
  verdicts.set(key, verdict)
  return verdict
}
