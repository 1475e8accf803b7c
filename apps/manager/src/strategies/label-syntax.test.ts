import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLabelKey, isLabelValue, isNamespaceName } from './label-syntax.js'

const long = (length: number): string => 'a'.repeat(length)

test('contract M12: keys of labels', () => {
  for (const key of [
    'app',
    'A',
    '0',
    'a_b.c-d',
    'app.kubernetes.io/name',
    'x/y',
    long(63),
    `${long(63)}.b/c`,
    'constructor',
  ]) {
    assert.equal(isLabelKey(key), true, key)
  }
  for (const key of [
    '',
    '/',
    'a/',
    '/a',
    'a/b/c',
    '-a',
    'a-',
    '_a',
    'a b',
    'é',
    'A.b/c',
    'a..b/c',
    '.a/b',
    long(64),
    '$where',
    'a\n',
    '__proto__',
    `${`${long(62)}.`.repeat(5)}/a`,
  ]) {
    assert.equal(isLabelKey(key), false, key)
  }
})

test('contract M12: values of labels', () => {
  for (const value of ['', 'web', 'V1.2_3-x', long(63)]) assert.equal(isLabelValue(value), true, value)
  for (const value of ['a/b', '-', 'a-', ' ', '{"$ne":""}', 'ü', long(64), 'a\n', '\u0000']) {
    assert.equal(isLabelValue(value), false, value)
  }
})

test('contract M12: names of namespaces', () => {
  for (const name of ['default', 'kube-system', '0', long(63)]) assert.equal(isNamespaceName(name), true, name)
  for (const name of ['', 'Default', 'a.b', 'a_b', '-a', 'a-', long(64), 'a\n', '*'])
    assert.equal(isNamespaceName(name), false, name)
})
