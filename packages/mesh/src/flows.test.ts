import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FlowRecord, PointVerdict } from '@bulkhead/verdict'
import { FlowLog, type FlowStart } from './flows.js'

const start = (run?: string): FlowStart => ({
  generation: 3,
  source: { ip: '10.0.0.1' },
  destination: { port: 80 },
  protocol: 'TCP',
  transport: 'plaintext',
  run,
})

const says = (
  point: 'cni-egress' | 'cni-ingress' | 'ztunnel',
  outcome: 'allow' | 'deny' | 'unknown',
): PointVerdict => ({
  point,
  outcome,
  steps: [{ hop: 0, point, engine: 'istio', outcome, code: 'authz.rule-allows' }],
})

const only = (log: FlowLog): FlowRecord => {
  const [record] = log.records()
  assert.ok(record)
  return record
}

describe('flow records', () => {
  it('put the points in path order, whoever spoke first, and name the first deny', () => {
    const log = new FlowLog(10)
    const flow = log.start(start())
    flow.step({ point: 'cni-ingress', engine: 'kubernetes', outcome: 'deny', code: 'network.nothing-listens' })
    flow.judged(says('ztunnel', 'deny'), 4)
    flow.judged(says('cni-ingress', 'unknown'), 4)
    flow.judged(says('cni-egress', 'allow'), 5)
    flow.end()
    const { steps, decidedBy, outcome, generation } = only(log)
    assert.deepEqual(
      steps.map(({ point }) => point),
      ['cni-egress', 'cni-ingress', 'ztunnel', 'cni-ingress'],
    )
    assert.deepEqual([decidedBy, outcome, generation], [2, 'deny', 5])
  })

  it('keep the first failure, and the last word of a point', () => {
    const log = new FlowLog(10)
    const flow = log.start(start())
    flow.judged(says('ztunnel', 'allow'), 1)
    flow.judged(says('ztunnel', 'deny'), 2)
    flow.fail({ flag: 'POLICY_CHANGE', symptom: 'reset', error: 'first' })
    flow.fail({ flag: 'CONNECT', symptom: 'refused', error: 'second' })
    flow.end()
    flow.end()
    const { flag, error, steps, outcome } = only(log)
    assert.deepEqual([flag, error, steps.length, outcome], ['POLICY_CHANGE', 'first', 1, 'deny'])
    assert.equal(log.records().length, 1)
  })

  it('call unknown what no point denies and one cannot say', () => {
    const log = new FlowLog(10)
    const flow = log.start(start())
    flow.judged(says('cni-egress', 'allow'), 1)
    flow.judged(says('ztunnel', 'unknown'), 1)
    flow.end()
    assert.deepEqual([only(log).outcome, only(log).decidedBy], ['unknown', 1])
  })

  it('keep the newest, in order, and can be asked for one run', () => {
    const log = new FlowLog(3)
    for (const run of ['a', 'b', 'a', 'c', 'a']) log.start(start(run)).end()
    assert.deepEqual(
      log.records().map(({ id, run }) => `${id}${run}`),
      ['3a', '4c', '5a'],
    )
    assert.deepEqual(
      log.records({ run: 'a' }).map(({ id }) => id),
      [3, 5],
    )
    assert.deepEqual(log.records({ run: 'b' }), [])
  })

  it('are told to every listener until it stops, whatever another one throws', () => {
    const errors: string[] = []
    const log = new FlowLog(3, { info: () => {}, warn: () => {}, error: (_fields, message) => errors.push(message) })
    const heard: number[] = []
    log.onFlow(() => {
      throw new Error('no')
    })
    const listener = ({ id }: FlowRecord) => heard.push(id)
    const stop = log.onFlow(listener)
    log.onFlow(listener)
    log.start(start()).end()
    stop()
    log.start(start()).end()
    assert.deepEqual(heard, [1, 1, 2])
    assert.equal(errors.length, 2)
  })

  it('refuse a ring of no size', () => {
    assert.throws(() => new FlowLog(0), /flowRing must be a whole number from 1, got 0/)
  })
})
