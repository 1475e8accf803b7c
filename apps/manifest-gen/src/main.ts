import { closeOnSignal, createLog, main } from '@bulkhead/service-kit'
import { createApp } from './app.js'
import { readGeneratorConfig } from './config.js'

await main(async () => {
  const { values: config, effective } = readGeneratorConfig()
  const log = createLog({ name: 'manifest-gen', level: config.LOG_LEVEL, format: config.LOG_FORMAT })
  log.log.info({ config: effective }, 'starting')
  const service = createApp({ config, log })
  closeOnSignal(service, log, { delayMs: config.SHUTDOWN_DELAY, timeoutMs: config.SHUTDOWN_TIMEOUT })
  await service.listen(config.LISTEN_ADDR)
})
