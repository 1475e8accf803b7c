import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { loadManifests, ManifestError, parseManifests, type Resource } from '@bulkhead/resources'
import { refusedIn } from './testing/definitions.js'
import { noKubectl, rendered } from './testing/kubectl.js'

/*
 * `kubectl apply -k` and Bulkhead read the same folders; here both are asked what is in them.
 */

const root = resolve(import.meta.dirname, '../../..')
const textOf = (folder: string): string => readFileSync(join(root, folder, 'kustomization.yaml'), 'utf8')

/** Every folder with a kustomization of its own. A component has no objects, and is rendered where it is used. */
const folders = readdirSync(join(root, 'k8s'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name === 'kustomization.yaml')
  .map((entry) => relative(root, entry.parentPath))
  .filter((folder) => !/^kind: Component$/m.test(textOf(folder)))
  .sort()

/** Told for each test: a suite that is skipped is in no sum. */
const options = { skip: await noKubectl() }

/** What of a kustomization Bulkhead follows; it refuses patches and the like, so those are read as rendered. */
async function followed(folder: string): Promise<readonly Resource[] | undefined> {
  try {
    return (await loadManifests([join(root, folder)], { relativeTo: root })).resources
  } catch (error) {
    if (error instanceof ManifestError && error.diagnostics.every(({ code }) => code === 'kustomization.unsupported'))
      return undefined
    throw error
  }
}

/** What others read and nobody applies: kustomize leaves it out. */
const isLocal = ({ object }: Resource): boolean =>
  object.metadata.annotations?.['config.kubernetes.io/local-config'] === 'true'

const byId = (resources: readonly Resource[]): Readonly<Record<string, object>> =>
  Object.fromEntries(resources.map(({ id, object }) => [id, object]))

describe('kubectl kustomize', () => {
  it('is asked about every layer, every folder of workloads, every stack and what Argo CD syncs', options, () => {
    const parts = ['layers', 'workloads', 'stacks'].flatMap((part) =>
      readdirSync(join(root, 'k8s', part), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => join('k8s', part, name)),
    )
    for (const part of parts) {
      const isThere = folders.includes(part) || /^kind: Component$/m.test(textOf(part))
      assert.ok(isThere, `${part} has no kustomization.yaml`)
    }
    assert.ok(folders.includes('k8s/platform/argocd'))
  })

  for (const folder of folders)
    it(`${folder}: what would be applied is what Bulkhead reads`, options, async () => {
      const text = await rendered(join(root, folder))
      const { resources, diagnostics } = parseManifests(text, `${folder}, rendered`)
      assert.deepEqual(
        diagnostics.filter(({ severity }) => severity === 'error'),
        [],
      )
      assert.deepEqual(refusedIn(text), [])
      assert.equal(Object.keys(byId(resources)).length, resources.length, 'an object twice')
      const own = await followed(folder)
      if (own === undefined) assert.ok(resources.length > 0)
      else assert.deepEqual(byId(resources), byId(own.filter((resource) => !isLocal(resource))))
      assert.doesNotMatch(text, /set-by-kustomize/)
    })

  it('renders the stack for kind into what is in force on a laptop', options, async () => {
    const { resources } = parseManifests(await rendered(join(root, 'k8s/stacks/kind')), 'rendered')
    const inForce = await loadManifests([join(root, 'k8s/workloads'), join(root, 'k8s/layers')], { relativeTo: root })
    assert.deepEqual(byId(resources), byId(inForce.resources))
  })

  it('refuses what does not render: a file that is listed and not there', options, async () => {
    await assert.rejects(rendered(join(root, dirname('k8s/layers/none/kustomization.yaml'))), /none/)
  })
})
