import { adoptCluster, checkOurs, makeSecrets, readRecord, readSecrets } from '@bulkhead/kind-cluster'
import { CliError, type Io, note } from '../io.js'
import type { StateOption } from '../options.js'
import { type ClusterTools, clusterTools, workloadsOf } from './place.js'

/** Prints the values that no file holds, as manifests for `kubectl apply --server-side -f -`. What the cluster has already stays. */
export async function secrets(options: StateOption, io: Io, given?: ClusterTools): Promise<void> {
  if ((io.stdout as { readonly isTTY?: boolean }).isTTY === true)
    throw new CliError(
      'this prints passwords and keys, and your terminal keeps what it shows. Pass them on, as `npx bulkhead cluster up --plan` has it: `npx bulkhead cluster secrets | kubectl ... apply --server-side --field-manager bulkhead-secrets -f -`.',
    )
  const { place, tools } = given ?? clusterTools(io, options)
  const run = { signal: io.signal }
  const record = readRecord(place)
  if (record?.uid === undefined) {
    await adoptCluster(tools, place, new Date(), run)
    note(io, 'The cluster was made by hand: from now on it counts as ours.')
  } else await checkOurs(tools, place, record, run)
  const resources = await workloadsOf(place)
  const { text, fresh } = makeSecrets(resources, await readSecrets(tools, place, resources, run))
  note(io, fresh.length === 0 ? 'Every value is there already.' : `Values were made for ${fresh.join(', ')}.`)
  io.stdout.write(text)
}
