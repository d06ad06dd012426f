// Words of commands.

/** A text as one word of a shell. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** What a command about a workload says of its namespace. */
export function inNamespace(namespace: string | null | undefined): string {
  return namespace && namespace !== 'default' ? ` -n ${quoted(namespace)}` : '';
}

interface RoutesOf {
  workload: string;
  namespace: string | null | undefined;
  from: string | undefined;
}

/** The routes of a workload; `flags` are those of the page's time. */
export function routesCommand({ workload, namespace, from }: RoutesOf, flags: string): string {
  const asker = from ? ` --from ${quoted(from)}` : '';
  return `clew routes ${quoted(workload)}${asker}${inNamespace(namespace)}${flags}`;
}
