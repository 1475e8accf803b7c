import { setTimeout as sleep } from 'node:timers/promises'
import { readConfig } from '../config/read-config.js'
import { address, integer, secret, text } from '../config/settings.js'
import { discardBody, hasBody } from '../http/read-body.js'
import { closeOnSignal, main, shutdownSettings } from '../lifecycle/run.js'
import { createLog, logSettings } from '../log/logger.js'
import { createService } from '../service.js'

// A whole service, as a process of its own, for the tests of how a process starts and ends.
await main(async () => {
  const { values, effective } = readConfig({
    LISTEN_ADDR: address('127.0.0.1:0'),
    RETRIES: integer('1', { min: 0 }),
    TOKEN: secret(text('none')),
    ...logSettings,
    ...shutdownSettings,
  })
  const log = createLog({ name: 'demo', level: values.LOG_LEVEL, format: values.LOG_FORMAT })
  log.log.info({ config: effective }, 'starting')
  const service = createService({
    log,
    routes: (app) => {
      app.all('/slow/:ms', async (req, res) => {
        if (hasBody(req)) await discardBody(req, 1_000)
        await sleep(Number(req.params.ms))
        res.json({ slept: req.params.ms })
      })
      app.get('/hang', () => {})
      app.get('/crash', (_req, res) => {
        res.json('soon')
        setImmediate(() => {
          throw new Error('nobody catches this')
        })
      })
    },
  })
  service.onClose('first', () => log.log.info('closed first'))
  service.onClose('failing', () => Promise.reject(new Error('cannot')))
  service.onClose('last', () => log.log.info('closed last'))
  closeOnSignal(service, log, { delayMs: values.SHUTDOWN_DELAY, timeoutMs: values.SHUTDOWN_TIMEOUT })
  await service.listen(values.LISTEN_ADDR)
})
