import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { temporaryFolder, wholeSuite } from '@bulkhead/testing'
import { gatewayObjects } from '@bulkhead/verdict'
import { admit, compileAdmission } from '@bulkhead/verdict/admission'
import { root } from './testing/in-force.js'
import { noKubectl } from './testing/kubectl.js'
import { allowedBy, imagesIn, registry, stackOf, writtenDownBy } from './testing/stacks.js'

/*
 * scripts/registry.mjs: one command for every place that names an image of ours.
 */

const run = promisify(execFile)
const folder = temporaryFolder(wholeSuite())

const script = (...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> =>
  run(process.execPath, [join(root, 'scripts/registry.mjs'), ...args])
/** What it says of a mistake, and with which code it ends. */
const mistake = (...args: readonly string[]): Promise<readonly [code: unknown, first: string | undefined]> =>
  script(...args).then(
    () => assert.fail('it took that'),
    (error: { readonly code?: unknown; readonly stderr: string }) => [error.code, error.stderr.split('\n')[0]],
  )

describe('scripts/registry.mjs', () => {
  it('has made the component that is committed', async () => {
    const out = join(folder, 'again')
    await script(registry, '--out', out)
    const made = (where: string): string => readFileSync(join(where, 'kustomization.yaml'), 'utf8')
    assert.equal(
      made(join(root, 'k8s/stacks/registry')),
      made(out),
      'run: node scripts/registry.mjs registry.example/bulkhead',
    )
  })

  it('says what is wrong with what it is given, and writes nothing', async () => {
    const digests = join(folder, 'digests')
    const digest = `sha256:${'0'.repeat(64)}`
    assert.deepEqual(await mistake(), [2, '"" is no registry with a folder in it, as in registry.example/bulkhead.'])
    assert.deepEqual(await mistake('Registry.Example/x'), [
      2,
      '"Registry.Example/x" is no registry with a folder in it, as in registry.example/bulkhead.',
    ])
    assert.deepEqual(await mistake('registry.example/x', '--digests', join(folder, 'none')), [
      2,
      `${JSON.stringify(join(folder, 'none'))} cannot be read (ENOENT).`,
    ])
    writeFileSync(digests, `probe ${digest}\n\nprobe\n`)
    assert.deepEqual(await mistake('registry.example/x', '--digests', digests), [
      2,
      `${digests}:3: "probe" is no name and digest, as in chain-service sha256:...`,
    ])
    writeFileSync(digests, `prober ${digest}\n`)
    const [code, first] = await mistake('registry.example/x', '--digests', digests)
    assert.deepEqual([code, first?.startsWith('"prober" is no image of ours: chain-service, ')], [2, true])
    assert.equal((await mistake('registry.example/x', '--digest', digests))[0], 2)
  })
})

describe('a stack from a registry of one’s own', { skip: await noKubectl() }, () => {
  it('runs images by what they hold, and lets in no others', async () => {
    cpSync(join(root, 'k8s'), join(folder, 'k8s'), { recursive: true })
    const names = ['chain-service', 'hello-app', 'manager', 'manifest-gen', 'probe', 'scheduler']
    const digestOf = (index: number): string => `sha256:${String(index).repeat(64)}`
    writeFileSync(join(folder, 'digests'), names.map((name, index) => `${name} ${digestOf(index)}\n`).join(''))
    const own = 'registry.example:5000/team/walls'
    await script(own, '--digests', join(folder, 'digests'), '--out', join(folder, 'k8s/stacks/registry'))

    const stack = await stackOf(join(folder, 'k8s/stacks/gke'))
    const ours = names.map((name, index) => `${own}/${name}@${digestOf(index)}`)
    const allowed = allowedBy(stack)
    assert.deepEqual(
      allowed.filter((image) => !image.startsWith('docker.io/')),
      ours,
    )
    assert.deepEqual(imagesIn([...stack, ...gatewayObjects(stack)]), allowed)
    assert.deepEqual(writtenDownBy(stack), allowed)
    const policies = compileAdmission(stack)
    const refused = stack.filter((object) => {
      const { outcome, pod } = admit({ operation: 'CREATE', object }, policies)
      return outcome !== 'allow' || (pod !== undefined && pod.outcome !== 'allow')
    })
    assert.deepEqual(
      refused.map(({ id }) => id),
      [],
    )
  })
})
