import { createPublicKey, type KeyObject } from 'node:crypto'
import { isAbsolute } from 'node:path'
import { readPrivateKey, readPublicKey } from '@bulkhead/intents'
import {
  type Address,
  ConfigError,
  logSettings,
  type ReadConfig,
  readConfig,
  settings,
  shutdownSettings,
  withFiles,
} from '@bulkhead/service-kit'

const { address, httpUrl, optional, secret, setting } = settings

const shape = {
  SCHEDULER_SERVER_HOST: address(':8080'),
  SCHEDULER_MANAGER_URL: httpUrl('http://gthulhu-manager.gthulhu:8080'),
  NODE_NAME: setting(fromPod('spec.nodeName'), ''),
  POD_NAME: setting(fromPod('metadata.name'), ''),
  /** Where the node's /proc is mounted. */
  PROC_ROOT: setting(readFolder, '/proc'),
  /** Signs what this scheduler says of itself; RSA, PKCS#1 or PKCS#8. */
  SCHEDULER_KEY_RSA_PRIVATE_KEY_PEM: secret(setting(readPrivateKey)),
  /** Whom to believe that he is the manager. */
  SCHEDULER_MANAGER_PUBLIC_KEY_PEM: secret(setting(readPublicKey)),
  /** `machine_id` of the metrics, instead of what is in /etc/machine-id. */
  MACHINE_ID: optional((value) => value),
  ...logSettings,
  ...shutdownSettings,
}

/** Variables that may come from a file: `<name>_FILE` names it. */
const fromFiles = ['SCHEDULER_KEY_RSA_PRIVATE_KEY_PEM', 'SCHEDULER_MANAGER_PUBLIC_KEY_PEM'] as const

export interface SchedulerConfig {
  readonly listen: Address
  readonly managerUrl: URL
  readonly node: string
  readonly pod: string
  readonly procRoot: string
  readonly key: KeyObject
  readonly managerKey: KeyObject
  readonly machineId: string | undefined
}

export type ReadSchedulerConfig = ReadConfig<typeof shape> & { readonly config: SchedulerConfig }

/** @throws ConfigError with every bad value */
export function readSchedulerConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
): ReadSchedulerConfig {
  const read = readConfig(shape, withFiles(env, fromFiles))
  const { values } = read
  const key = values.SCHEDULER_KEY_RSA_PRIVATE_KEY_PEM
  const managerKey = values.SCHEDULER_MANAGER_PUBLIC_KEY_PEM
  // As the original ships them: then whoever owns one node is the manager to all (M20).
  if (createPublicKey(key).equals(managerKey))
    throw new ConfigError([
      "invalid env var SCHEDULER_MANAGER_PUBLIC_KEY_PEM (it is the public half of the scheduler's own key; the manager has one of its own)",
    ])
  return {
    ...read,
    config: {
      listen: values.SCHEDULER_SERVER_HOST,
      managerUrl: values.SCHEDULER_MANAGER_URL,
      node: values.NODE_NAME,
      pod: values.POD_NAME,
      procRoot: values.PROC_ROOT,
      key,
      managerKey,
      machineId: values.MACHINE_ID,
    },
  }
}

/** A name that only the pod's own object knows. */
function fromPod(fieldPath: string): (value: string) => string {
  return (value) => {
    if (value === '')
      throw new RangeError(
        `it is not set; in the container's env, take it from the pod: valueFrom.fieldRef.fieldPath ${fieldPath}`,
      )
    if (value.length > 253 || !/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(value))
      throw new RangeError('it is no name of Kubernetes: a-z, 0-9, - and ., at most 253')
    return value
  }
}

function readFolder(value: string): string {
  if (!isAbsolute(value)) throw new RangeError('it must be an absolute path')
  return value
}
