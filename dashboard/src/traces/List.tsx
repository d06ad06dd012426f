// The traces that were found, one a line.

import { Link } from 'wouter';
import type { Schema } from '../api/answer';
import { clock, count, time } from '../lib/format';
import { useAddress } from '../lib/url';
import { type Column, Table } from '../ui/Table';
import { missing, wholeness } from './whole';

type Summary = Schema<'TraceSummary'>;

/** Services that are named; the others are counted. */
const NAMED = 3;

export function List({ traces }: { traces: Summary[] }) {
  const { to, go } = useAddress();
  const longest = traces.reduce((most, trace) => Math.max(most, trace.duration_ms), 0);
  const columns: Column<Summary>[] = [
    {
      key: 'start',
      head: 'Start',
      by: (trace) => trace.start,
      cell: (trace) => (
        <Link className="mono" href={to(`/traces/${trace.trace_id}`)} title={trace.trace_id}>
          {clock(trace.start, true)}
        </Link>
      ),
    },
    {
      key: 'root',
      head: 'Root',
      title: 'Service of the first span',
      by: (trace) => trace.root.service,
      cell: (trace) => trace.root.service,
    },
    {
      key: 'route',
      head: 'Route',
      by: (trace) => trace.root.route ?? trace.root.name,
      cell: (trace) => <span className="mono cut route">{trace.root.route ?? trace.root.name}</span>,
    },
    {
      key: 'status',
      head: 'Status',
      title: 'HTTP status of the first span',
      by: (trace) => trace.root.http_status,
      cell: (trace) => <Status status={trace.root.http_status} />,
    },
    {
      key: 'duration',
      head: 'Duration',
      title: 'From the begin of the first span to the end of the last',
      by: (trace) => trace.duration_ms,
      cell: (trace) => (
        <span className="lasting">
          <span className="bar" aria-hidden="true">
            <span style={{ width: `${(100 * trace.duration_ms) / Math.max(longest, 0.001)}%` }} />
          </span>
          <span>{time(trace.duration_ms)}</span>
        </span>
      ),
    },
    { key: 'spans', head: 'Spans', isNumber: true, by: (trace) => trace.spans, cell: (trace) => count(trace.spans) },
    {
      key: 'services',
      head: 'Services',
      title: 'Services with spans in it, and how many',
      by: (trace) => Object.keys(trace.services).length,
      cell: (trace) => <Services of={trace.services} />,
    },
    {
      key: 'errors',
      head: 'Errors',
      title: 'Spans that failed',
      isNumber: true,
      by: (trace) => trace.errors,
      cell: (trace) =>
        trace.errors > 0 ? (
          <span className="health bad">
            <span className="mark" aria-hidden="true">
              ✕
            </span>
            <span className="text-bad">{count(trace.errors)}</span>
          </span>
        ) : (
          <span className="soft">0</span>
        ),
    },
    {
      key: 'whole',
      head: 'Whole',
      title: 'Whether all spans are there: one of them without a parent, and every parent',
      by: wholeness,
      cell: (trace) =>
        trace.state === 'broken' ? (
          <span className="tag warn" title={missing(trace)}>
            broken
          </span>
        ) : (
          <span className="soft" title={missing(trace)}>
            {trace.state}
          </span>
        ),
    },
  ];
  return (
    <Table
      label="Traces"
      columns={columns}
      rows={traces}
      id={(trace) => trace.trace_id}
      open={(trace) => go(`/traces/${trace.trace_id}`)}
    />
  );
}

function Status({ status }: { status: number | null | undefined }) {
  if (status === null || status === undefined) return <span className="soft">–</span>;
  const health = status >= 500 ? 'bad' : status >= 400 ? 'warn' : 'good';
  return <span className={`tag ${health}`}>{status}</span>;
}

function Services({ of }: { of: Record<string, number> }) {
  const all = Object.entries(of);
  const text = all.map(([name, spans]) => `${name} ${spans}`);
  return (
    <span title={text.join(', ')}>
      {all.slice(0, NAMED).map(([name, spans], index) => (
        <span key={name}>
          {index > 0 && <span className="soft"> · </span>}
          {name}
          {spans > 1 && <span className="soft"> ×{spans}</span>}
        </span>
      ))}
      {all.length > NAMED && <span className="soft"> +{all.length - NAMED}</span>}
    </span>
  );
}
