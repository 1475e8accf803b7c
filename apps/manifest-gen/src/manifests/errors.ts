import { defineErrors } from '@bulkhead/service-kit'

/** What this service refuses beside what any service does. */
export const generatorErrors = defineErrors({
  INVALID_DESCRIPTION: {
    status: 422,
    message: 'The description is not valid; each field that is wrong is named.',
  },
})
