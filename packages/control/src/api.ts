import type { ClusterStatus, LayersSwitched, ManifestsEvent } from '@bulkhead/local-cluster'
import type { KubernetesObject } from '@bulkhead/resources'
import type { LayerState } from '@bulkhead/scenarios'
import type { Admission } from '@bulkhead/verdict/admission'

/*
 * The running target's API, version 1: JSON over HTTP on 127.0.0.1, a bearer token in every request but `GET /`.
 * Streams are server-sent events. A failure is `{"error":{"code","message"}}` with a status of 400 or more, or, in a
 * stream that has begun, an event named `error` with the same data.
 */

/** `GET /v1/status` */
export type Status = ClusterStatus

/** `PUT /v1/layers` */
export interface LayersChanged extends LayersSwitched {
  readonly layers: readonly LayerState[]
}

/** `GET /v1/events`, event `manifests`: each save as it is in force, or refused; from when the stream has begun. */
export type ManifestsTold = ManifestsEvent

/** `POST /v1/exec`, event `grant`. It holds until the stream is closed. */
export interface ExecStarted {
  readonly run: string
  readonly pod: string
  readonly env: Readonly<Record<string, string>>
}

/** `POST /v1/admit`: an object, and where what it was read from begins. A Secret's values are not among it. */
export interface ObjectTold {
  readonly id: string
  readonly layer?: string
  readonly object: KubernetesObject
  /** `file:line` */
  readonly at: string
}

/** `POST /v1/admit`, and in the envelope of an error `refused`. */
export interface AdmissionTold extends Omit<Admission, 'object' | 'generated' | 'pod'> {
  readonly object: ObjectTold
  readonly generated: readonly ObjectTold[]
  readonly pod?: AdmissionTold
}

/** `PUT /v1/changes/:name` */
export interface ChangeApplied {
  /** What kubectl prints after `Warning: `. */
  readonly warnings: readonly string[]
}

/** `GET /v1/logs` */
export interface LogTail {
  readonly logs: readonly { readonly pod: string; readonly text: string }[]
}

/** `GET /v1/logs?follow=1`, event `log`. */
export interface LogPart {
  readonly pod: string
  readonly text: string
}

export interface ErrorEnvelope {
  readonly error: {
    readonly code: string
    readonly message: string
    /** Of `refused`: what was said of each object of the change, in order. */
    readonly admissions?: readonly AdmissionTold[]
  }
}

/** A JSON body may have this many bytes: manifests of a change are the largest. */
export const maxBodyBytes = 1024 * 1024
