import { closeOnSignal, createLog, main } from '@bulkhead/service-kit'
import { createApp } from './app.js'
import { readChainConfig } from './config.js'

await main(async () => {
  const { config, effective, ignored } = readChainConfig()
  const log = createLog({ name: config.NAME, level: config.LOG_LEVEL, format: config.LOG_FORMAT })
  log.log.info({ config: effective }, 'starting')
  if (ignored.length > 0)
    log.log.warn({ variables: ignored }, 'these variables are set, and change nothing in this service')
  const service = createApp({ config, log })
  closeOnSignal(service, log, { delayMs: config.SHUTDOWN_DELAY, timeoutMs: config.SHUTDOWN_TIMEOUT })
  await service.listen(config.LISTEN_ADDR)
})
