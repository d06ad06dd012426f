// What a search finds: pages, workloads, traces by their id.

import { PLACES } from './keys';
import { workloadPath } from './url';

export interface Found {
  name: string;
  kind: string;
  path: string;
}

interface Workload {
  workload: string;
  namespace: string;
}

const MAX_FOUND = 12;
const TRACE_ID = /^[0-9a-f]{6,32}$/i;

/** How well a name fits: smaller is better; `undefined`: not at all. All letters in their order fit. */
export function misfit(name: string, text: string): number | undefined {
  const [where, wanted] = [name.toLowerCase(), text.toLowerCase()];
  const at = where.indexOf(wanted);
  if (at >= 0) return at;
  let next = 0;
  for (const letter of wanted) {
    next = where.indexOf(letter, next) + 1;
    if (next === 0) return undefined;
  }
  return 100 + next;
}

export function find(text: string, workloads: readonly Workload[]): Found[] {
  const wanted = text.trim();
  const all: Found[] = [
    ...workloads.map(({ workload, namespace }) => ({
      name: workload,
      kind: `workload in ${namespace}`,
      path: workloadPath(namespace, workload),
    })),
    ...PLACES.map(({ name, path }) => ({ name, kind: 'page', path })),
  ];
  const fitting = all.flatMap((found) => {
    const how = wanted === '' ? 0 : misfit(found.name, wanted);
    return how === undefined ? [] : [{ found, how }];
  });
  fitting.sort((a, b) => a.how - b.how);
  const found = fitting.slice(0, MAX_FOUND).map((one) => one.found);
  if (TRACE_ID.test(wanted)) {
    found.unshift({ name: wanted, kind: 'trace', path: `/traces/${wanted.toLowerCase()}` });
  }
  return found;
}
