import { closeOnSignal, createLog, main } from '@bulkhead/service-kit'
import { createApp } from './app.js'
import { readSchedulerConfig } from './config.js'
import { machineId } from './metrics/machine-id.js'
import { scanProcesses } from './processes/scan.js'
import { shared } from './processes/shared.js'
import { connectManager } from './report/manager.js'

await main(async () => {
  const { config, values, effective } = readSchedulerConfig()
  const log = createLog({ name: 'scheduler', level: values.LOG_LEVEL, format: values.LOG_FORMAT })
  log.log.info({ config: effective }, 'starting')
  const { service, reporter } = createApp({
    node: config.node,
    pod: config.pod,
    key: config.key,
    managerKey: config.managerKey,
    machineId: machineId(config.machineId),
    processes: shared(() => scanProcesses(config.procRoot)),
    manager: connectManager(config.managerUrl, config.node, config.key),
    log,
  })
  closeOnSignal(service, log, { delayMs: values.SHUTDOWN_DELAY, timeoutMs: values.SHUTDOWN_TIMEOUT })
  await service.listen(config.listen)
  reporter.start()
})
