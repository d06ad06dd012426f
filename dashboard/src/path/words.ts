// What is remarkable of how often something is called, and of whose the time is, in words; as the command line says it.

import type { Schema } from '../api/answer';
import { count, portion, time } from '../lib/format';
import { inNamespace, quoted } from '../lib/shell';
import { inWords } from '../trace/parts';

type CriticalPath = Schema<'CriticalPath'>;
type RouteCalls = Schema<'RouteCalls'>;
type RouteCall = Schema<'RouteCall'>;

export const PATTERNS: Record<Schema<'CallPattern'>, string> = {
  n_plus_one: 'N+1',
  repeated: 'repeated',
  retry_storm: 'retry storm',
};

/** Who is to blame. */
export function blamed(path: CriticalPath): string {
  const most = (share: 'mean_share' | 'slowest_share') =>
    path.parts.reduce<CriticalPath['parts'][number] | undefined>(
      (most, part) => (!most || part[share] > most[share] ? part : most),
      undefined,
    );
  const [mean, slowest] = [most('mean_share'), most('slowest_share')];
  if (!mean || !slowest) return '';
  const ofMean = `${portion(mean.mean_share)} of the mean is ${inWords(mean)}`;
  const ofSlowest = `${portion(slowest.slowest_share)} of the slowest is ${inWords(slowest)}`;
  return `${ofMean}; ${ofSlowest}.`;
}

/** From how many requests it is known. */
export function source(path: CriticalPath): string {
  // Spans and counters are read a moment apart: there may be a few more of the one.
  const known =
    path.requests < path.of ? `${count(path.requests)} of ${count(path.of)}` : `all ${count(path.requests)}`;
  const parts = [`From the spans of ${known} requests`];
  if (path.stands_for > path.requests + 0.5)
    parts.push(`each for those that were not kept: ${count(path.stands_for)} in all`);
  const read =
    path.traces_read < path.traces_found
      ? `; ${count(path.traces_read)} of ${count(path.traces_found)} traces were read`
      : '';
  return `${parts.join(', ')}${read}.`;
}

export interface Remark {
  title: string;
  what: string;
  advice: string;
}

export function remark(of: RouteCalls, call: RouteCall): Remark | undefined {
  if (!call.pattern) return undefined;
  const callee = call.service ? `${call.route} of ${call.service}` : call.route;
  const caller = `${of.route} of ${of.workload}`;
  const times = (call.calls / Math.max(call.callers, 1)).toFixed(1);
  switch (call.pattern) {
    case 'n_plus_one':
      return {
        title: 'N+1',
        what: `${caller} calls ${callee} ${times} times a request, one after another or at once.`,
        advice: 'One call that answers for all items would do.',
      };
    case 'repeated':
      return {
        title: 'Repeated',
        what: `${caller} calls ${callee} ${times} times a request, and its path is the same each time.`,
        advice: 'If the answers are too, one call would do.',
      };
    case 'retry_storm':
      return {
        title: 'Retry storm',
        what: `${portion(call.again / Math.max(call.calls, 1))} of the calls that ${caller} makes to ${callee} are attempts after a failure.`,
        advice: 'Retry with a budget and growing waits, and look at why they fail.',
      };
  }
}

/** The heading of a critical path: how long its requests took. */
export function lengths(path: CriticalPath): string {
  return `mean ${time(path.mean_ms)}, 99% within ${time(path.p99_ms)}, the slowest 1% ${time(path.slowest_ms)} on average`;
}

/** A command about a workload's route, with what was chosen. */
export function command(name: string, chosen: Chosen, flags: string): string {
  const { workload, namespace, route } = chosen;
  const words = [`clew ${name}`, route && quoted(route), workload && `--workload ${quoted(workload)}`];
  return `${words.filter(Boolean).join(' ')}${workload ? inNamespace(namespace) : ''}${flags}`;
}

export interface Chosen {
  workload?: string | undefined;
  namespace?: string | undefined;
  route?: string | undefined;
}
