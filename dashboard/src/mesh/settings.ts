// The settings in force, in words, and the command that changes each.

import type { Schema } from '../api/answer';
import { count, percent } from '../lib/format';

interface Row {
  name: string;
  value: string;
  means: string;
  command: string;
}

function kept(ratio: number): string {
  if (ratio >= 1) return 'all new traces';
  return ratio <= 0 ? 'none' : `${percent(ratio, ratio < 0.01 ? 3 : 1).replace(/\.0+%/, '%')} of new traces`;
}

export function rows(settings: Schema<'TelemetrySettings'>): Row[] {
  const { tracing, audit, sampling_ratio, sampling_max_per_second, write_formats, access_log, show_headers } = settings;
  const limit = sampling_max_per_second ?? undefined;
  return [
    {
      name: 'Tracing',
      value: tracing ? 'on' : 'off',
      means: 'Trace context is minted and passed on, and spans are emitted. Metrics go on without it.',
      command: `clew settings --tracing ${tracing ? 'off' : 'on'}`,
    },
    {
      name: 'Sampling',
      value: kept(sampling_ratio),
      means: 'Decided by the first proxy of a trace, and kept by all others.',
      command: `clew settings --sample ${sampling_ratio >= 1 ? '0.1' : '1'}`,
    },
    {
      name: 'Limit of new traces',
      value: limit === undefined ? 'none' : `${count(limit)} a second for each proxy`,
      means: 'After the ratio; 0 takes it away.',
      command: `clew settings --max-traces-per-second ${limit === undefined ? '10' : '0'}`,
    },
    {
      name: 'Formats written',
      value: ['W3C', ...write_formats].join(', '),
      means: 'Beside the one that came in. All known ones are read.',
      command: `clew settings --write ${write_formats.length > 0 ? 'none' : 'b3'}`,
    },
    {
      name: 'Propagation audit',
      value: audit ? 'on' : 'off',
      means: 'What applications make of trace context is compared with what they are given.',
      command: `clew settings --audit ${audit ? 'off' : 'on'}`,
    },
    {
      name: 'Headers shown',
      value: show_headers.length > 0 ? show_headers.join(', ') : 'none: all values are redacted',
      means: 'In tap and in the access log. A new list replaces this one.',
      command: `clew settings --show-header ${show_headers.length > 0 ? 'none' : 'content-type'}`,
    },
    {
      name: 'Access log',
      value: access_log,
      means: 'Which requests proxies write a line of: off, errors or all.',
      command: `clew settings --access-log ${access_log === 'off' ? 'errors' : 'off'}`,
    },
  ];
}
