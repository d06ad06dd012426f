// What is wrong with a part of the mesh, and what to do about it.

import type { Schema } from '../api/answer';
import { bytes, count } from '../lib/format';

type Member = Pick<
  Schema<'MeshMember'>,
  'id' | 'version' | 'leaving' | 'last_scrape' | 'scrape_error' | 'spans' | 'series' | 'access_log_lines_dropped'
>;

export interface Trouble {
  health: 'warn' | 'bad';
  what: string;
  todo: string;
  command?: string;
}

/** Proxies renew certificates long before: one that ends within the hour could not be renewed. */
const ENDS_SOON_MS = 3_600_000;

/** Of a certificate that ends then, both in Unix milliseconds. */
export function endHealth(end: number, now: number): 'good' | 'warn' | 'bad' {
  if (end <= now) return 'bad';
  return end - now <= ENDS_SOON_MS ? 'warn' : 'good';
}

export function sum(counts: Record<string, number> | null | undefined): number {
  return Object.values(counts ?? {}).reduce((all, one) => all + one, 0);
}

/** `3 queue_full, 1 export_failed`, in words. */
export function listed(counts: Record<string, number>): string {
  return Object.entries(counts)
    .filter(([, number]) => number > 0)
    .map(([name, number]) => `${count(number)} ${name.replaceAll('_', ' ')}`)
    .join(', ');
}

/** Of one member; `version` is that of the role that answers. */
export function ofMember(member: Member, version: string | undefined): Trouble[] {
  const troubles: Trouble[] = [];
  if (member.scrape_error) {
    troubles.push({
      health: 'bad',
      what: `Its numbers cannot be read: ${member.scrape_error}`,
      todo: 'Look whether its proxy runs, and at its log. Its requests are missing from every answer until then.',
    });
  }
  if (version !== undefined && member.version !== version) {
    troubles.push({
      health: 'warn',
      what: `It runs ${member.version}, and the mesh ${version}`,
      todo: 'Start it again with the same version.',
      command: 'clew version',
    });
  }
  const lost = sum(member.spans?.dropped);
  if (lost > 0) {
    troubles.push({
      health: 'warn',
      what: `${count(lost)} of its spans are lost: ${listed(member.spans?.dropped ?? {})}`,
      todo: 'Traces have gaps there. Keep fewer of them, or see whether the process that takes them is overloaded.',
      command: 'clew settings --sample 0.1',
    });
  }
  const refused = sum(member.series?.dropped);
  if (refused > 0) {
    troubles.push({
      health: 'warn',
      what: `There was no room for new series, ${count(refused)} times, in ${Object.keys(member.series?.dropped ?? {}).join(', ')}`,
      todo: 'What came later is counted under the route “(other)”. Name the routes that matter.',
    });
  }
  const lines = member.access_log_lines_dropped ?? 0;
  if (lines > 0) {
    troubles.push({
      health: 'warn',
      what: `${count(lines)} lines of its access log are dropped`,
      todo: 'Whoever reads its log is too slow. Log fewer requests.',
      command: 'clew settings --access-log errors',
    });
  }
  return troubles;
}

export function ofStore(store: Schema<'MeshStore'>): Trouble[] {
  const troubles: Trouble[] = [];
  if (sum(store.lost) > 0) {
    troubles.push({
      health: 'warn',
      what: `Not written: ${listed(store.lost)}`,
      todo: 'Look at the disk, and at the log of the process that runs observe.',
    });
  }
  if (store.crowded_at) {
    troubles.push({
      health: 'warn',
      what: `The oldest is deleted before its time, for all of it needs more than ${bytes(store.bytes_limit)}`,
      todo: 'Start the mesh with a larger --keep-mib, or keep fewer traces.',
      command: 'clew settings --sample 0.1',
    });
  }
  return troubles;
}

export function ofIngest(ingest: Schema<'MeshIngest'>): Trouble[] {
  const troubles: Trouble[] = [];
  if (sum(ingest.spans_refused) > 0) {
    troubles.push({
      health: 'warn',
      what: `Spans that were refused: ${listed(ingest.spans_refused)}`,
      todo: 'Their senders were told: look at the logs of their exporters.',
    });
  }
  if (sum(ingest.requests_refused) > 0) {
    troubles.push({
      health: 'warn',
      what: `Requests with spans that were refused: ${listed(ingest.requests_refused)}`,
      todo: 'Their senders were told: look at the logs of their exporters.',
    });
  }
  return troubles;
}
