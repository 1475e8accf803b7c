import type { ServiceOptions } from '@bulkhead/service-kit'

/** The Express application that routes are added to. */
export type App = Parameters<ServiceOptions['routes']>[0]
