import { createService, type Service, type ServiceLog } from '@bulkhead/service-kit'
import type { GeneratorConfig } from './config.js'
import { imageRule } from './description/image.js'
import { infoRoutes } from './info/routes.js'
import { renderError } from './manifests/envelope.js'
import { manifestRoutes } from './manifests/routes.js'

export interface AppDeps {
  readonly config: Pick<GeneratorConfig, 'ALLOWED_IMAGES'>
  readonly log: ServiceLog
}

/** Builds the service; main.ts makes it listen. */
export function createApp({ config, log }: AppDeps): Service {
  return createService({
    log,
    renderError,
    routes: (app) => {
      manifestRoutes(app, imageRule(config.ALLOWED_IMAGES))
      infoRoutes(app, config.ALLOWED_IMAGES)
    },
  })
}
