/** npm runs scripts in the project's folder; the files that a person names lie where npm was called. */

/** Makes relative paths begin in the folder where `npm run NAME` was called; without npm nothing changes. */
export function enterCallersFolder(name: string, environment: Readonly<Record<string, string | undefined>>): void {
  const folder = environment['INIT_CWD'];
  if (environment['npm_lifecycle_event'] === name && folder !== undefined) process.chdir(folder);
}
