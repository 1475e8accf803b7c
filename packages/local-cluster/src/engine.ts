import type { Explanation, PolicyDiff } from '@bulkhead/analysis'
import type { MeshApi, MeshOptions, OutsideOptions, RunningOutside } from '@bulkhead/mesh'
import type { LoadResult, Resource } from '@bulkhead/resources'
import type { Compile, Flow, Judge, Snapshot } from '@bulkhead/verdict'
import type { AdmissionPolicies, Admit } from '@bulkhead/verdict/admission'

/** What the local target is made of. Tests put small stand-ins in their place. */
export interface Engine {
  /** Positions name files relative to `relativeTo`. */
  load(folders: readonly string[], relativeTo: string): Promise<LoadResult>
  /** Throws for text with a mistake in it. */
  parse(text: string, file: string): readonly Resource[]
  readonly compile: Compile
  readonly judge: Judge
  /** Throws CompileError, or rejects with it, for a policy that a cluster would refuse. */
  compileAdmission(resources: readonly Resource[]): AdmissionPolicies | Promise<AdmissionPolicies>
  readonly admit: Admit
  /** What istiod creates for the Gateways among the objects. */
  made(resources: readonly Resource[]): readonly Resource[]
  explain(flow: Flow, snapshot: Snapshot): Explanation
  /** What the change from one to the other opens and closes. */
  diff(before: Snapshot, after: Snapshot): PolicyDiff
  startMesh(options: MeshOptions): Promise<MeshApi>
  startOutside(options: OutsideOptions): Promise<RunningOutside>
}
