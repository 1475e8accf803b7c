/** The names of the collections, as the database has them. */
export const collections = {
  users: 'users',
  roles: 'roles',
  permissions: 'permissions',
  strategies: 'schedule_strategies',
  intents: 'schedule_intents',
  audit: 'audit_logs',
  idempotency: 'idempotency_keys',
  schedulers: 'schedulers',
  setVersions: 'set_versions',
  leases: 'leases',
} as const
