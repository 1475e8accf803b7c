import type { Review } from '../../../types.js'
import { type Dict, field, isDict, isList, textOf } from '../data.js'
import type { Roles } from '../types.js'
import { parseImage } from '../values/image.js'
import type { Entry } from './context.js'

/*
 * What every rule knows of the request: request.object, request.userInfo, serviceAccountName, images ...
 */

export function requestData(
  { request, resource, namespace }: Review,
  object: Dict | null,
  oldObject: Dict | null,
  operation: string,
  roles: Roles,
): Dict {
  const { apiVersion, kind } = request.object.object
  const slash = apiVersion.indexOf('/')
  const [group, version] = [apiVersion.slice(0, Math.max(0, slash)), apiVersion.slice(slash + 1)]
  const { username, groups, uid } = request.user
  return {
    request: {
      kind: { group, version, kind },
      resource: { group, version, resource },
      ...(request.subResource !== undefined && { subResource: request.subResource }),
      name: request.object.name,
      ...(namespace !== undefined && { namespace }),
      operation,
      userInfo: { username, ...(uid !== undefined && { uid }), groups },
      roles: roles.roles,
      clusterRoles: roles.clusterRoles,
      object,
      oldObject,
    },
    ...serviceAccount(username),
  }
}

function serviceAccount(username: string): Dict {
  const [, , namespace = '', name = ''] = username.startsWith('system:serviceaccount:') ? username.split(':') : []
  return { serviceAccountName: name, serviceAccountNamespace: name === '' ? '' : namespace }
}

const podSpecs: Readonly<Record<string, readonly string[]>> = {
  Pod: ['spec'],
  Deployment: ['spec', 'template', 'spec'],
  DaemonSet: ['spec', 'template', 'spec'],
  StatefulSet: ['spec', 'template', 'spec'],
  ReplicaSet: ['spec', 'template', 'spec'],
  ReplicationController: ['spec', 'template', 'spec'],
  Job: ['spec', 'template', 'spec'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
}

/** `images.containers.<name>.registry` and its like; without containers there are no `images`. */
export function imagesEntry(kind: string, object: Dict | null): Entry[] {
  const path = podSpecs[kind]
  const spec = path === undefined ? undefined : field(object, ...path)
  if (path === undefined || !isDict(spec)) return []
  const lists = ['initContainers', 'containers', 'ephemeralContainers'].filter((list) => {
    const containers = spec[list]
    return isList(containers) && containers.length > 0
  })
  if (lists.length === 0) return []
  return [
    {
      name: 'images',
      load: () => Object.fromEntries(lists.map((list) => [list, imagesOf(spec[list], [...path, list])])),
    },
  ]
}

function imagesOf(containers: unknown, path: readonly string[]): Dict {
  const made: [string, unknown][] = []
  for (const [index, container] of (isList(containers) ? containers : []).entries()) {
    const [name, image] = [textOf(field(container, 'name')), textOf(field(container, 'image'))]
    const parsed = image === undefined ? undefined : parseImage(image)
    if (name === undefined || parsed === undefined) continue
    made.push([name, { ...parsed, jsonPointer: `/${[...path, index, 'image'].join('/')}` }])
  }
  return Object.fromEntries(made)
}
