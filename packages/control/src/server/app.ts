import { follow, type LocalCluster, tail } from '@bulkhead/local-cluster'
import { nodeOf, outside } from '@bulkhead/scenarios'
import express, { type Express, type NextFunction, type Request, type Response, Router } from 'express'
import { type ChangeApplied, maxBodyBytes } from '../api.js'
import { admissionTold } from './admission.js'
import { envelope, RequestError } from './errors.js'
import { onlyOwnHost, onlyWithToken } from './guard.js'
import {
  admitBody,
  attemptBody,
  changeBody,
  execBody,
  flowsQuery,
  judgeBody,
  layersBody,
  logsQuery,
} from './schemas.js'
import { eventStream } from './sse.js'

/** What the API needs of a target. */
export type Served = Pick<
  LocalCluster,
  | 'status'
  | 'predict'
  | 'explain'
  | 'admit'
  | 'flows'
  | 'onFlow'
  | 'onManifests'
  | 'logs'
  | 'layers'
  | 'setLayers'
  | 'standing'
  | 'objects'
  | 'put'
  | 'refused'
  | 'withdraw'
  | 'attempt'
  | 'exec'
>

export interface AppParts {
  readonly token: string
  readonly port: () => number
  /** Undefined until the target has started. */
  readonly cluster: () => Served | undefined
  /** Called for a request to end. */
  readonly shutdown: () => void
}

/** The API of a running target; its parts are in ../api.ts. */
export function createApp({ token, port, cluster: current, shutdown }: AppParts): Express {
  const app = express()
  app.disable('x-powered-by').disable('etag')
  app.use(onlyOwnHost(port))
  app.get('/', (_request, response) => {
    response
      .type('text/plain')
      .send(
        "Bulkhead's local target. Its API is under /v1 and needs the token of .bulkhead/control.json; `npx bulkhead --help` speaks it.\n",
      )
  })
  app.use('/v1', onlyWithToken(token), express.json({ limit: maxBodyBytes }), routes(current, shutdown))
  app.use((request: Request) => {
    throw new RequestError(404, 'no-route', `there is nothing at ${request.method} ${request.path}.`)
  })
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error)
    const { status, body } = envelope(error)
    response.status(status).json(body)
  })
  return app
}

function routes(current: AppParts['cluster'], shutdown: () => void): Router {
  const router = Router()
  const cluster = (): Served => {
    const found = current()
    if (found === undefined)
      throw new RequestError(503, 'starting', 'the target is still starting; try again in a second.')
    return found
  }

  router.get('/status', (_request, response) => {
    response.json(cluster().status())
  })

  router.post('/judge', async (request, response) => {
    response.json(await cluster().predict(judgeBody.parse(request.body).flow))
  })
  router.post('/explain', async (request, response) => {
    response.json(await cluster().explain(judgeBody.parse(request.body).flow))
  })

  router.post('/admit', async (request, response) => {
    const { change, user } = admitBody.parse(request.body)
    response.json({ admissions: (await cluster().admit(change, user)).map(admissionTold) })
  })

  router.get('/flows', (request, response) => {
    const { run, follow: following } = flowsQuery.parse(request.query)
    const target = cluster()
    if (following === undefined) {
      response.json({ flows: target.flows(run === undefined ? undefined : { run }) })
      return
    }
    const stream = eventStream(response)
    const stop = target.onFlow((record) => {
      if (run === undefined || record.run === run) stream.send('flow', record)
    })
    stream.signal.addEventListener('abort', stop, { once: true })
  })

  router.get('/events', (_request, response) => {
    const target = cluster()
    const stream = eventStream(response)
    stream.signal.addEventListener(
      'abort',
      target.onManifests((event) => stream.send('manifests', event)),
      { once: true },
    )
  })

  router.get('/logs', async (request, response) => {
    const { workload, tail: lines, follow: following } = logsQuery.parse(request.query)
    const logs = cluster().logs(workload)
    if (following === undefined) {
      response.json({ logs: logs.map(({ pod, file }) => ({ pod, text: tail(file, lines).text })) })
      return
    }
    const stream = eventStream(response)
    await Promise.all(
      logs.map(async ({ pod, file }) => {
        const { text, end } = tail(file, lines)
        if (text !== '') stream.send('log', { pod, text })
        for await (const part of follow(file, end, stream.signal)) stream.send('log', { pod, text: part })
      }),
    )
  })

  router.get('/layers', async (_request, response) => {
    response.json({ layers: await cluster().layers() })
  })

  router.put('/layers', async (request, response) => {
    const { on, off } = layersBody.parse(request.body)
    const target = cluster()
    const changed = await target.setLayers({ ...(on !== undefined && { on }), ...(off !== undefined && { off }) })
    response.json({ layers: await target.layers(), ...changed })
  })

  router.get('/objects', (_request, response) => {
    response.json({ objects: cluster().objects() })
  })

  router.get('/changes', (_request, response) => {
    response.json({ changes: cluster().standing() })
  })
  router.get('/refused', (_request, response) => {
    response.json({ refused: cluster().refused() })
  })

  router.put('/changes/:name', async (request, response) => {
    const { warnings } = await cluster().put(request.params.name, changeBody.parse(request.body))
    response.json({ warnings } satisfies ChangeApplied)
  })

  router.delete('/changes/:name', async (request, response) => {
    await cluster().withdraw(request.params.name)
    response.status(204).end()
  })

  // Refused before the stream begins what can be; from then on failures are events.
  router.post('/attempts', async (request, response) => {
    const { from, attempt } = attemptBody.parse(request.body)
    const target = cluster()
    if (from !== outside && nodeOf(from) === undefined) target.logs(from)
    const stream = eventStream(response)
    try {
      const held = async () => stream.send('held', {})
      stream.send('evidence', await target.attempt(from, attempt, { held, signal: stream.signal }))
      stream.end()
    } catch (error) {
      stream.end(error)
    }
  })

  router.post('/exec', (request, response) => {
    const grant = cluster().exec(execBody.parse(request.body).workload)
    const stream = eventStream(response)
    stream.signal.addEventListener('abort', () => grant.revoke(), { once: true })
    stream.send('grant', { run: grant.run, pod: grant.pod, env: grant.env })
  })

  router.post('/shutdown', (_request, response) => {
    response.status(202).json({})
    response.once('close', shutdown)
  })

  return router
}
