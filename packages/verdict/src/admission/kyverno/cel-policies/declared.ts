import { admissionRoots } from '../../cel/roots.js'
import type { Declarations } from '../../cel/scope.js'

/** Libraries of Kyverno that ask the network, the clock or chance, or that policies of pods have no use for. */
const foreign = new Set([
  'globalContext',
  'gzip',
  'hash',
  'http',
  'image',
  'images',
  'json',
  'random',
  'resource',
  'time',
  'transform',
  'x509',
  'yaml',
])

/** What expressions of policies of policies.kyverno.io may name. */
export const kyvernoDeclared: Omit<Declarations, 'variables'> = {
  roots: new Map([...admissionRoots, ['exceptions', 'dyn']]),
  foreign,
  looseOrValue: true,
  // What makes objects is there for generating policies alone.
  absent: new Set(['generator']),
}

/** A mutating policy's make objects, whose lists and maps hold values of several types. */
export const mutatingDeclared: Omit<Declarations, 'variables'> = { ...kyvernoDeclared, mixed: true }
export const generatingDeclared: Omit<Declarations, 'variables'> = { ...mutatingDeclared, absent: new Set() }
