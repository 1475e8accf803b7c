import type { FieldPath } from '@bulkhead/resources'
import { at } from '../../../../model/kinds.js'
import { field, isList } from '../data.js'
import { readCel } from '../rules/cel.js'
import type { Policy } from '../types.js'

/*
 * What of a policy is not modelled, whatever object it is asked about.
 */

const places: readonly (readonly [path: FieldPath, what: string])[] = [
  [['verifyImages'], 'verifyImages'],
  [['validate', 'manifests'], 'validate.manifests'],
  [['validate', 'assert'], 'validate.assert'],
  [['mutate', 'targets'], 'mutate.targets'],
  [['generate', 'cloneList'], 'generate.cloneList'],
]

export function notModelled(
  policy: Policy,
): readonly { readonly id: string; readonly what: string; readonly at: string }[] {
  const { resource } = policy
  return policy.families.flatMap(({ own }) => {
    const told = (path: FieldPath, what: string) => ({
      id: resource.id,
      what,
      at: at(resource, [...own.path, ...path]),
    })
    const { context } = own.body
    const cel = field(own.body, 'validate', 'cel') === undefined ? [] : readCel(own, policy).notModelled
    return [
      ...places.flatMap(([path, what]) => (field(own.body, ...path) === undefined ? [] : [told(path, what)])),
      ...(isList(context) ? context : []).flatMap((entry, index) =>
        ['imageRegistry', 'globalReference']
          .filter((kind) => field(entry, kind) !== undefined)
          .map((kind) => told(['context', index, kind], `context.${kind}`)),
      ),
      ...cel.map((what) => told(['validate', 'cel'], what)),
    ]
  })
}
