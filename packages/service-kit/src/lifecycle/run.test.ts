import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '../config/read-config.js'
import { startProblem } from './run.js'

test('what kept a service from starting is one sentence, and says what to do', () => {
  const fail = (fields: object) => startProblem(Object.assign(new Error('in its own words'), fields))
  assert.match(fail({ code: 'ENOTFOUND', hostname: 'nowhere' }), /^cannot listen on nowhere: no such host is known; /)
  assert.match(fail({ code: 'EAI_AGAIN', hostname: 'nowhere' }), /^cannot listen on nowhere: no such host is known; /)
  assert.match(
    fail({ code: 'EACCES', address: '0.0.0.0', port: 80 }),
    /^cannot listen on 0\.0\.0\.0:80: permission denied; /,
  )
  assert.match(fail({ code: 'EADDRNOTAVAIL', address: '10.9.8.7', port: 80 }), /this machine has no such address$/)
  assert.equal(fail({}), 'cannot start: in its own words')
  assert.equal(startProblem(new ConfigError(['a', 'b'])), 'a\nb')
  assert.equal(startProblem('thrown'), 'cannot start: thrown')
})
