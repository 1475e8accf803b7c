/** Of the API, as /version and the OpenAPI document say it. */
export const API_VERSION = '1.0.0'

/** What the original calls itself in /health and /version: clients may look for it. */
export const SERVICE_NAME = 'BSS Metrics API Server'
