import { createService, type Service, type ServiceLog } from '@bulkhead/service-kit'
import type { GeneratorConfig } from './config.js'
import { imageRule } from './description/image.js'
import { serviceInfo } from './info/info.js'
import { MAX_BODY_BYTES } from './manifests/body.js'
import { renderError } from './manifests/envelope.js'
import { manifestRoutes } from './manifests/routes.js'
import { openApiRoutes } from './openapi/routes.js'
import { pageRoutes } from './page/routes.js'

export interface AppDeps {
  readonly config: Pick<GeneratorConfig, 'ALLOWED_IMAGES'>
  readonly log: ServiceLog
}

/** Builds the service; main.ts makes it listen. */
export function createApp({ config, log }: AppDeps): Service {
  return createService({
    log,
    renderError,
    limits: { maxBodyBytes: MAX_BODY_BYTES },
    routes: (app) => {
      manifestRoutes(app, imageRule(config.ALLOWED_IMAGES))
      pageRoutes(app, config.ALLOWED_IMAGES, serviceInfo(config.ALLOWED_IMAGES))
      openApiRoutes(app)
    },
  })
}
