#!/usr/bin/env node
// The versions of k8s/platform/versions.yaml for a shell, a line `NAME=value` each: of the tools those to install.
//   eval "$(node scripts/pins.mjs)"; echo "$KIND"
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { Failure, tell } from './lib/failure.mjs'
import { inRoot } from './lib/root.mjs'

try {
  for (const [name, value] of Object.entries(versions())) {
    // It goes into a shell.
    if (!/^\d+(\.\d+){1,2}$/.test(value))
      throw new Failure(`k8s/platform/versions.yaml: ${name} is ${value}, which is no version.`)
    console.log(`${name}=${value}`)
  }
} catch (error) {
  tell(error)
}

function versions() {
  const pins = parse(readFileSync(inRoot('k8s/platform/versions.yaml'), 'utf8'))
  return {
    KUBERNETES: pins.kubernetes,
    KIND: pins.kind.version,
    HELM: pins.tools.helm.version,
    CILIUM_CLI: pins.tools.cilium.version,
    ISTIO: pins.istio,
    NODE: pins.node.version,
  }
}
