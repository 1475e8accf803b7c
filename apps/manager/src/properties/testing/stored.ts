import assert from 'node:assert/strict'
import type { Store } from '../../store/types.js'
import type { World } from './model/world.js'
import { hashOf } from './quick-service.js'
import type { Ids } from './requests.js'

/** Holds what is stored against the model: everything but times. */
export async function sameIsStored(store: Store, world: World, ids: Ids): Promise<void> {
  const { users, roles, strategies, intents, audit, kept } = world
  const [storedUsers, storedRoles, storedStrategies, storedIntents] = await Promise.all([
    store.users.find().sort({ _id: 1 }).toArray(),
    store.roles.find().sort({ _id: 1 }).toArray(),
    store.strategies.find().sort({ _id: 1 }).toArray(),
    store.intents.find().sort({ _id: 1 }).toArray(),
  ])
  assert.deepEqual(
    storedUsers.map(({ _id, username, password, status, roleIds, version, tokenVersion }) => [
      ...[_id.toHexString(), username, password, Number(status), roleIds.map(String)],
      ...[Number(version), Number(tokenVersion)],
    ]),
    users.map((user) => [
      ...[ids.of(user), user.name, hashOf(user.password), user.status, user.roles.map((role) => ids.of(role))],
      ...[user.version, user.era],
    ]),
  )
  const left = roles.filter(({ gone }) => !gone).sort((a, b) => (ids.of(a) < ids.of(b) ? -1 : 1))
  assert.deepEqual(
    storedRoles.map(({ _id, name, description, policies, version }) => [
      ...[_id.toHexString(), name, description, policies, Number(version)],
    ]),
    left.map((role) => [ids.of(role), role.name, role.description, role.policies, role.version]),
  )
  assert.deepEqual(
    storedStrategies.map(({ _id, creatorID, version }) => [String(_id), String(creatorID), Number(version)]),
    strategies.filter(({ gone }) => !gone).map((each) => [ids.of(each), ids.of(each.owner), each.version]),
  )
  assert.deepEqual(
    storedIntents.map(({ _id, strategyID, podName, state }) => [
      String(_id),
      String(strategyID),
      podName,
      Number(state),
    ]),
    intents.filter(({ gone }) => !gone).map((each) => [ids.of(each), ids.of(each.strategy), each.pod.name, each.state]),
  )
  assert.equal(await store.audit.countDocuments(), audit.length)
  assert.equal(await store.idempotency.countDocuments(), kept.length)
}
