import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { loadManifests } from '@bulkhead/resources'
import { compile, judge, outsideAddress, type Snapshot, type Verdict } from '@bulkhead/verdict'
import { admit, compileAdmission } from '@bulkhead/verdict/admission'
import { parseDestination, parseRequest, parseSource } from '../endpoints.js'
import { repository } from '../golden.js'
import { explainNamed } from './explain.js'

/*
 * What the header of a policy says under `Prove it`, where that is an `explain`: with all walls on, but for those that it takes down first, what is
 * shown has to be of that file and no other, and as its answer says. Where it is an `admit`, the file has a word in it on each object that makes pods.
 */

const k8s = path.join(repository, 'k8s')
const { resources } = await loadManifests([path.join(k8s, 'workloads'), path.join(k8s, 'layers')], {
  relativeTo: repository,
})
const snapshots = new Map<string, Snapshot>()

function without(off: string): Snapshot {
  const known = snapshots.get(off) ?? compile(resources.filter(({ layer }) => layer === undefined || layer !== off))
  snapshots.set(off, known)
  return known
}

async function shown(words: readonly string[], snapshot: Snapshot): Promise<Verdict> {
  const [from = '', to = '', method, target] = words
  const source = parseSource(from)
  const destination = parseDestination(to)
  const { url, port } = destination
  const http = parseRequest({ method, path: target, url, host: undefined, headers: undefined })
  const gateway = [...snapshot.gateways.values()].find(({ listeners }) =>
    listeners.some(({ hosts }) => url !== undefined && hosts.includes(url.host)),
  )
  const asked =
    gateway === undefined ? destination : { ...destination, candidates: [{ service: gateway.workload }] as const }
  const { verdict } = await explainNamed(
    { explain: async (flow) => ({ verdict: judge(flow, snapshot) }) },
    asked,
    (where) => ({
      from: source === 'outside' ? { external: outsideAddress } : source,
      to: where,
      port,
      ...(destination.protocol !== undefined && { protocol: destination.protocol }),
      ...(destination.sni !== undefined && { tls: { sni: destination.sni } }),
      ...(http !== undefined && { http }),
    }),
  )
  return verdict
}

const files = readdirSync(path.join(k8s, 'layers'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name !== 'kustomization.yaml')
  .map((entry) => path.relative(repository, path.join(entry.parentPath, entry.name)))
  .sort()

describe('the headers of k8s/layers', () => {
  let proved = 0
  for (const file of files) {
    const text = readFileSync(path.join(repository, file), 'utf8')
    const [, off = '', words = ''] =
      /^# Prove it +(?:npx bulkhead layer off (\S+) && )?npx bulkhead explain (.+)$/m.exec(text) ?? []
    if (words === '') continue
    proved++

    it(`${file}: ${words}`, async () => {
      const verdict = await shown(words.split(' '), without(off))
      assert.ok(JSON.stringify(verdict).includes(`"${file}:`), `nothing of it is of this file:\n${verdict.text}`)
      const [, answer] = /^# Answer +(Yes|No)\b/m.exec(text) ?? []
      if (answer !== undefined) assert.equal(verdict.outcome, answer === 'Yes' ? 'allow' : 'deny', verdict.text)
    })
  }

  it('have such a proof in most of the files', () => assert.ok(proved >= 70, `${proved} of ${files.length}`))
})

describe('the headers of k8s/layers/10-admission', () => {
  const policies = compileAdmission(resources)
  const before = new Map(resources.map((resource) => [resource.id, resource.object]))
  let proved = 0
  for (const file of files) {
    const text = readFileSync(path.join(repository, file), 'utf8')
    const [, named = ''] = /^# Prove it +npx bulkhead admit -f (\S+)$/m.exec(text) ?? []
    if (named === '') continue
    proved++

    it(`${file}: ${named}`, async () => {
      const asked = await loadManifests([path.join(repository, named)], { relativeTo: repository })
      const shown = asked.resources.map((object) => {
        const oldObject = before.get(object.id)
        return admit({ operation: oldObject ? 'UPDATE' : 'CREATE', object, ...(oldObject && { oldObject }) }, policies)
      })
      const words = shown.map(({ steps, pod }) =>
        [...steps, ...(pod?.steps ?? [])].filter(({ at = '', exception }) =>
          `${exception?.at ?? at}:`.startsWith(`${file}:`),
        ),
      )
      assert.ok(
        words.some((steps) => steps.length > 0),
        'nothing of it is of this file',
      )
      if (!named.endsWith('/bad.yaml')) return
      for (const [index, steps] of words.entries())
        assert.ok(
          steps.some(({ outcome }) => outcome === 'deny'),
          asked.resources[index]?.id,
        )
    })
  }

  it('have such a proof in every policy', () => assert.ok(proved >= 17, `${proved}`))
})
