/**
 * What is made into images: the apps whose programs run on a cluster. `programs` are what a container may start,
 * `folders` what is read as files and not imported (`assets` of any app beside them).
 */
export const apps = {
  'chain-service': { programs: ['dist/main.js'], folders: [] },
  'hello-app': { programs: ['dist/main.js'], folders: [] },
  manager: { programs: ['dist/main.js', 'dist/migrate.js'], folders: ['dist/gui/client'] },
  'manifest-gen': { programs: ['dist/main.js'], folders: ['dist/page/client'] },
  probe: { programs: ['dist/main.js'], folders: [] },
  scheduler: { programs: ['dist/main.js'], folders: [] },
}
