import assert from 'node:assert/strict'
import { imageRule } from '../description/image.js'
import { InvalidDescription } from '../description/problems.js'
import { readDescription } from '../description/read.js'
import { smallest } from './app.js'

export const allowed = imageRule(['localhost/bulkhead/probe', 'docker.io/library/postgres:18.6'])
export const listening = { ...smallest, port: 8080 }

/** `field: message` of all that is wrong. */
export function wrong(raw: unknown): readonly string[] {
  try {
    readDescription(raw, allowed)
    return []
  } catch (error) {
    assert.ok(error instanceof InvalidDescription, String(error))
    assert.equal(error.status, 422)
    return error.fields.map(({ field, message }) => `${field}: ${message}`)
  }
}
