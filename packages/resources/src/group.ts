/** The API group of an apiVersion: `security.istio.io` of `security.istio.io/v1`, and '' for Kubernetes' first kinds (`v1`). */
export function apiGroup(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.lastIndexOf('/')) : ''
}
