// An Express route that makes the same driver calls as the manager's, and nothing else: nobody is let in or kept out, nothing is read, held
// against a schema, expanded, noted in a log or answered in an envelope.
import express from 'express'
import { Int32, Long, MongoClient, ObjectId } from 'mongodb'
import { migrate } from '../../apps/manager/dist/store/migrations/run.js'

process.once('message', async ({ rootUri }) => {
  const client = new MongoClient(rootUri, {
    maxPoolSize: 32,
    writeConcern: { w: 'majority', journal: true },
    readConcern: { level: 'majority' },
  })
  const db = client.db('bare')
  await migrate(db, { owner: 'bench', waitMs: 1_000 })
  const [users, roles, strategies, intents, audit] = [
    'users',
    'roles',
    'schedule_strategies',
    'schedule_intents',
    'audit_logs',
  ].map((name) => db.collection(name))
  const stamp = () => ({
    createdTime: Long.fromNumber(Date.now()),
    updatedTime: Long.fromNumber(Date.now()),
    version: new Int32(1),
  })
  const admin = await roles.findOne({ name: 'admin' })
  const planner = async () => {
    const _id = new ObjectId()
    const by = { creatorID: _id, updaterID: _id }
    await users.insertOne({
      _id,
      username: String(_id),
      password: 'x',
      status: new Int32(1),
      roleIds: [admin._id],
      tokenVersion: new Int32(1),
      ...by,
      ...stamp(),
    })
    return { id: String(_id), token: String(_id) }
  }
  const app = express()
  app.use(express.json())
  const letIn = async (request) => {
    const _id = new ObjectId(request.headers.authorization.slice('Bearer '.length))
    const user = await users.findOne({ _id }, { projection: { username: 1, status: 1, roleIds: 1, tokenVersion: 1 } })
    await roles.find({ _id: { $in: user.roleIds } }).toArray()
    return user
  }
  let next = 0
  app.post('/api/v1/strategies', async (request, response) => {
    const user = await letIn(request)
    const by = { creatorID: user._id, updaterID: user._id }
    const _id = new ObjectId()
    const node = `node-${next++ % 2_000}`
    const schedule = {
      strategyNamespace: '',
      commandRegex: '',
      priority: new Int32(10),
      executionTime: Long.fromNumber(20_000_000),
    }
    const session = client.startSession()
    session.startTransaction()
    await strategies.insertOne(
      { _id, ...schedule, labelSelectors: request.body.labelSelectors, k8sNamespace: [], ...by, ...stamp() },
      { session },
    )
    const intent = {
      strategyID: _id,
      podID: node,
      podName: node,
      nodeID: node,
      k8sNamespace: 'default',
      ...schedule,
      podLabels: { app: node, tier: 'bench' },
    }
    await intents.insertMany([{ _id: new ObjectId(), ...intent, state: new Int32(1), ...by, ...stamp() }], { session })
    await session.commitTransaction()
    await session.endSession()
    const known = await intents.find({ nodeID: node }).toArray()
    const fresh = known.filter(({ state }) => state !== 2).map((each) => each._id)
    await intents.updateMany(
      { _id: { $in: fresh } },
      { $set: { state: new Int32(2), updatedTime: Long.fromNumber(Date.now()) } },
    )
    await audit.insertOne({
      _id: new ObjectId(),
      timestamp: Long.fromNumber(Date.now()),
      userID: user._id,
      username: user.username,
      action: 'strategy.create',
      target: `strategies/${_id}`,
      outcome: 'ok',
      requestID: 'bench',
      ip: '127.0.0.1',
      expiresAt: new Date(Date.now() + 90 * 24 * 60 * 60 * 1_000),
    })
    response.status(201).json({ id: _id, intents: 1, pushed: 1, pending: 0 })
  })
  app.get('/api/v1/strategies/self', async (request, response) => {
    const user = await letIn(request)
    response.json({ strategies: await strategies.find({ creatorID: user._id }).sort({ _id: 1 }).limit(51).toArray() })
  })
  const server = app.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }))
  process.on('message', async (what) => {
    if (what === 'cpu') process.send(process.cpuUsage())
    else if (what === 'planner') process.send(await planner())
    else {
      server.closeAllConnections()
      server.close()
      await client.close()
      process.disconnect()
    }
  })
})
