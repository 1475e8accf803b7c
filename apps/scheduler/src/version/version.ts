/** Of the API, as /version and the OpenAPI document say it. */
export const API_VERSION = '1.0.0'

/** What the original signs its tokens as. */
export const SERVICE_NAME = 'decision-maker-service'
