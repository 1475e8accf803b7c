import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { nextStep, type RunningPod, type WantedPod } from './rollout.js'

const wanted = (...keys: string[]): WantedPod[] => keys.map((key) => ({ key, fingerprint: 'new' }))
/** `a` is ready, `a?` is not yet, `a!` is ending; `a=old` was made after another template. */
const running = (...words: string[]): RunningPod[] =>
  words.map((word) => {
    const [, key = '', state, fingerprint = 'new'] = /^(\w+)([?!]?)(?:=(\w+))?$/.exec(word) ?? []
    return { key, fingerprint, ready: state === '', ending: state === '!' }
  })

describe('a Deployment', () => {
  const step = (want: string[], ...run: string[]) => nextStep('Deployment', wanted(...want), running(...run))

  test('starts one more than it has, and ends an old pod when a new one is ready', () => {
    assert.deepEqual(step(['n1'], 'o1'), { start: ['n1'], end: [] })
    assert.deepEqual(step(['n1'], 'o1', 'n1?'), { start: [], end: [] })
    assert.deepEqual(step(['n1'], 'o1', 'n1'), { start: [], end: ['o1'] })
    assert.deepEqual(step(['n1'], 'o1!', 'n1'), { start: [], end: [] })
    assert.deepEqual(step(['n1', 'n2', 'n3'], 'o1', 'o2', 'o3'), { start: ['n1'], end: [] })
    assert.deepEqual(step(['n1', 'n2', 'n3'], 'o1', 'o2', 'o3', 'n1'), { start: [], end: ['o1'] })
    assert.deepEqual(step(['n1', 'n2', 'n3'], 'o1!', 'o2', 'o3', 'n1'), { start: ['n2'], end: [] })
  })

  test('keeps what serves while what is new is not ready', () => {
    assert.deepEqual(step(['n1', 'n2'], 'o1', 'o2', 'n1?'), { start: [], end: [] })
    // An old pod that serves nobody makes room once that costs nothing.
    assert.deepEqual(step(['n1', 'n2'], 'o1', 'o2?', 'n1'), { start: [], end: ['o2'] })
  })

  test('starts all at once where there was nothing, and ends all at once where nothing is wanted', () => {
    assert.deepEqual(step(['n1', 'n2', 'n3']), { start: ['n1', 'n2', 'n3'], end: [] })
    assert.deepEqual(step([], 'o1', 'o2?'), { start: [], end: ['o2', 'o1'] })
  })

  test('scales down at once', () => {
    assert.deepEqual(step(['n1'], 'n1', 'n2', 'n3'), { start: [], end: ['n2', 'n3'] })
  })

  test('turned back half-way, it keeps the old pod and ends the new one', () => {
    assert.deepEqual(step(['o1'], 'o1', 'n1?'), { start: [], end: ['n1'] })
  })

  test('waits for a pod that is going before it makes one of the same name', () => {
    assert.deepEqual(step(['o1'], 'o1!', 'n1'), { start: [], end: [] })
  })

  test('however pods come and go, none that is ready ends below the count, and it gets where it wants to', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 0, max: 5 }),
        fc.infiniteStream(fc.nat()),
        (before, after, dice) => {
          const want = Array.from({ length: after }, (_, index) => `n${index}`)
          let pods: RunningPod[] = running(...Array.from({ length: before }, (_, index) => `o${index}`))
          const least = Math.min(before, after)
          for (let turn = 0; turn < 100; turn++) {
            const { start, end } = nextStep('Deployment', wanted(...want), pods)
            pods = pods.map((pod) => (end.includes(pod.key) ? { ...pod, ready: false, ending: true } : pod))
            pods.push(...running(...start.map((key) => `${key}?`)))
            assert.ok(pods.filter(({ ready }) => ready).length >= least, 'too few are ready')
            assert.ok(pods.filter(({ ending }) => !ending).length <= Math.max(before, after + 1), 'too many are there')
            const moving = pods.filter(({ ready }) => !ready)
            if (moving.length === 0) {
              assert.deepEqual(pods.map(({ key }) => key).sort(), [...want].sort())
              return
            }
            const lucky = moving[(dice.next().value ?? 0) % moving.length]
            pods = pods.flatMap((pod) => (pod !== lucky ? [pod] : pod.ending ? [] : [{ ...pod, ready: true }]))
          }
          assert.fail('it does not come to an end')
        },
      ),
      { numRuns: 300 },
    )
  })
})

test('a StatefulSet goes one by one: up from the lowest, anew and down from the highest', () => {
  const step = (want: string[], ...run: string[]) => nextStep('StatefulSet', wanted(...want), running(...run))
  assert.deepEqual(step(['s0', 's1']), { start: ['s0'], end: [] })
  assert.deepEqual(step(['s0', 's1'], 's0?'), { start: [], end: [] })
  assert.deepEqual(step(['s0', 's1'], 's0'), { start: ['s1'], end: [] })
  assert.deepEqual(step(['s0', 's1'], 's0=old', 's1=old'), { start: [], end: ['s1'] })
  assert.deepEqual(step(['s0', 's1'], 's0=old', 's1!=old'), { start: [], end: [] })
  assert.deepEqual(step(['s0', 's1'], 's0=old'), { start: ['s1'], end: [] })
  assert.deepEqual(step(['s0', 's1'], 's0=old', 's1?'), { start: [], end: [] })
  assert.deepEqual(step(['s0', 's1'], 's0=old', 's1'), { start: [], end: ['s0'] })
  assert.deepEqual(step(['s0'], 's0', 's1', 's2'), { start: [], end: ['s2'] })
})

test('a DaemonSet replaces one node’s pod after the other, the old one first', () => {
  const step = (want: string[], ...run: string[]) => nextStep('DaemonSet', wanted(...want), running(...run))
  assert.deepEqual(step(['d0', 'd1'], 'd0=old', 'd1=old'), { start: [], end: ['d0'] })
  assert.deepEqual(step(['d0', 'd1'], 'd0!=old', 'd1=old'), { start: [], end: [] })
  assert.deepEqual(step(['d0', 'd1'], 'd1=old'), { start: ['d0'], end: [] })
  assert.deepEqual(step(['d0', 'd1'], 'd0?', 'd1=old'), { start: [], end: [] })
  assert.deepEqual(step(['d0', 'd1'], 'd0', 'd1=old'), { start: [], end: ['d1'] })
  assert.deepEqual(step(['d0', 'd1'], 'd0=old', 'd1?=old'), { start: [], end: ['d1'] })
})

test('a bare Pod is made anew at once', () => {
  assert.deepEqual(nextStep('Pod', wanted('p'), running('p=old')), { start: [], end: ['p'] })
  assert.deepEqual(nextStep('Pod', wanted('p'), running('p!=old')), { start: [], end: [] })
  assert.deepEqual(nextStep('Pod', wanted('p'), []), { start: ['p'], end: [] })
})
