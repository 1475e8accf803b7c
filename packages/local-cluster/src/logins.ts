import type { Resource, Secret } from '@bulkhead/resources'
import { generateAnnotation, keysIn, tellOnceAnnotation } from '@bulkhead/resources/secrets'
import type { PublishedPort } from './cluster-types.js'
import { secretFile } from './secrets.js'

/**
 * The door with whom to log in as behind it: the account of its namespace whose password was made here and told once. The
 * password itself is in no answer, and where it is kept is said.
 */
export function withLogin(door: PublishedPort, resources: readonly Resource[], stateDir: string): PublishedPort {
  const [namespace = ''] = door.service.split('/')
  for (const resource of resources) {
    if (resource.kind !== 'Secret' || resource.namespace !== namespace) continue
    const made = keysIn(resource, generateAnnotation)
    const told = keysIn(resource, tellOnceAnnotation)
    const { stringData = {} } = resource.object as Secret
    const user = told.filter((key) => !made.includes(key)).map((key) => stringData[key])[0]
    if (user !== undefined && told.some((key) => made.includes(key)))
      return { ...door, login: { user, file: secretFile(stateDir, namespace, resource.name) } }
  }
  return door
}
