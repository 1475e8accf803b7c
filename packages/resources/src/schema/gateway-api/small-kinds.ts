import { objectMeta } from '../metadata.js'
import { list, object, open, string } from '../schema.js'
import { anyObject, apiGroupName, controllerName, kindName, namespaceName, objectName } from './forms.js'

/* gateway.networking.k8s.io GatewayClass and ReferenceGrant. Source: their CustomResourceDefinitions. */

const kind = { apiVersion: string(), kind: string(), metadata: objectMeta }

/** `parametersRef` may name an object of a namespace, or one of the whole cluster. */
export const gatewayClass = object(
  {
    ...kind,
    spec: object(
      { controllerName, description: string({ maxLength: 64 }), parametersRef: anyObject },
      { required: ['controllerName'] },
    ),
    status: open,
  },
  { required: ['spec'] },
)

const from = object(
  { group: apiGroupName, kind: kindName, namespace: namespaceName },
  { required: ['group', 'kind', 'namespace'] },
)
const to = object({ group: apiGroupName, kind: kindName, name: objectName }, { required: ['group', 'kind'] })

export const referenceGrant = object(
  {
    ...kind,
    spec: object(
      { from: list(from, { minItems: 1, maxItems: 16 }), to: list(to, { minItems: 1, maxItems: 16 }) },
      { required: ['from', 'to'] },
    ),
  },
  { required: ['spec'] },
)
