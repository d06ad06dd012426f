// This trace beside the route's usual: where the time of all its requests goes.

import { useMemo, useState } from 'react';
import { Link } from 'wouter';
import { useAnswer } from '../api/answer';
import { count, portion, time } from '../lib/format';
import { usePageTime } from '../lib/time';
import { useAddress } from '../lib/url';
import { Empty, Failure, Loading, Panel } from '../ui/parts';
import { type Column, Table } from '../ui/Table';
import { Stack } from './look';
import { isServer, type Model, ms, type Node, text } from './model';
import { PartName } from './PartName';
import { isPart, owner, partName } from './parts';
import { blame, ownerKey } from './path';

interface Line {
  key: string;
  part: string;
  of: string;
  to?: string | null | undefined;
  side?: string | null | undefined;
  here: number;
  usual: number;
}

export function Usual({ model }: { model: Model }) {
  const entry = useMemo(() => entryOf(model), [model]);
  if (!entry) {
    return (
      <Panel title="The route’s usual">
        <Empty title="No proxy saw a request come in here">Only a route of a workload in the mesh has a usual.</Empty>
      </Panel>
    );
  }
  return <OfRoute model={model} entry={entry} />;
}

/** The first request that a proxy let in. */
function entryOf(model: Model): Node | undefined {
  const entry = model.order.find((index) => {
    const span = model.nodes[index]?.span;
    return span && isServer(span) && text(span, 'clew.route');
  });
  return entry === undefined ? undefined : model.nodes[entry];
}

/** A share that is left out at first. */
const LITTLE = 0.002;

function OfRoute({ model, entry }: { model: Model; entry: Node }) {
  const { to } = useAddress();
  const { asked } = usePageTime();
  const [isAll, setAll] = useState(false);
  const workload = entry.service;
  const namespace = entry.span.namespace ?? undefined;
  const route = text(entry.span, 'clew.route');
  const usual = useAnswer('/api/v1/critical-path', { ...asked, workload, namespace, route });
  const lines = useMemo(() => beside(model, entry, usual.data?.parts ?? []), [model, entry, usual.data]);
  const whole = ms(Math.max(entry.end - entry.start, 1));
  const mean = Math.max(usual.data?.mean_ms ?? 0, 1e-9);
  const columns: Column<Line>[] = [
    { key: 'part', head: 'Time', by: (line) => partName(line.part), cell: (line) => <PartName part={line.part} /> },
    { key: 'of', head: 'Of', by: owner, cell: owner },
    { key: 'here', head: 'Here', isNumber: true, by: (line) => line.here, cell: (line) => time(line.here) },
    {
      key: 'hereShare',
      head: 'Share',
      isNumber: true,
      by: (line) => line.here,
      cell: (line) => portion(line.here / whole),
    },
    { key: 'usual', head: 'Usual', isNumber: true, by: (line) => line.usual, cell: (line) => time(line.usual) },
    {
      key: 'usualShare',
      head: 'Share',
      isNumber: true,
      by: (line) => line.usual,
      cell: (line) => portion(line.usual / mean),
    },
    {
      key: 'difference',
      head: 'Difference',
      title: 'Here less the usual; sorted by size',
      isNumber: true,
      by: (line) => Math.abs(line.here - line.usual),
      cell: (line) => {
        const by = line.here - line.usual;
        return <span className={by > 0.2 * mean ? 'text-bad' : undefined}>{by > 0 ? `+${time(by)}` : time(by)}</span>;
      },
    },
  ];
  const slices = (of: 'here' | 'usual') =>
    lines.map((line) => ({
      key: line.key,
      part: isPart(line.part) ? line.part : ('application' as const),
      size: line[of],
      label: `${partName(line.part)} ${owner(line)} ${time(line[of])}`,
    }));
  const widest = Math.max(whole, mean);
  const shown = isAll ? lines : lines.filter((line) => line.here / whole >= LITTLE || line.usual / mean >= LITTLE);
  return (
    <Panel
      title="The route’s usual"
      note={`${route} of ${workload}${usual.data ? `, the mean of ${count(usual.data.requests)} requests in the window` : ''}`}
      actions={
        <Link className="button" href={to('/critical-path', { workload, namespace, route })}>
          Critical path of the route
        </Link>
      }
    >
      {usual.error && <Failure error={usual.error} retry={usual.retry} />}
      {usual.isLoading && <Loading />}
      {usual.data && usual.data.requests === 0 && (
        <Empty title="No other request of this route has spans in the window">Choose a longer window above.</Empty>
      )}
      {usual.data && usual.data.requests > 0 && (
        <>
          <div className="twin">
            <span>here</span>
            <div style={{ width: `${(100 * whole) / widest}%` }}>
              <Stack slices={slices('here')} of={whole} label={`This trace, ${time(whole)}`} />
            </div>
            <b>{time(whole)}</b>
            <span>usual</span>
            <div style={{ width: `${(100 * mean) / widest}%` }}>
              <Stack slices={slices('usual')} of={mean} label={`The mean, ${time(mean)}`} />
            </div>
            <b>{time(mean)}</b>
          </div>
          <Table
            label="This trace beside the usual"
            columns={columns}
            rows={shown}
            id={(line) => line.key}
            sort="-difference"
          />
          {lines.length > shown.length || isAll ? (
            <p className="note-line">
              <button type="button" className="quiet" onClick={() => setAll(!isAll)}>
                {isAll ? 'Only what matters' : `${lines.length - shown.length} more, below ${portion(LITTLE)} in both`}
              </button>
            </p>
          ) : null}
        </>
      )}
    </Panel>
  );
}

interface Given {
  part: string;
  of: string;
  to?: string | null;
  side?: string | null;
  mean_ms: number;
}

function beside(model: Model, entry: Node, parts: Given[]): Line[] {
  const lines = new Map<string, Line>();
  for (const { part, of, to, side, mean_ms } of parts) {
    const key = ownerKey({ part, of, to, side });
    lines.set(key, { key, part, of, to, side, here: 0, usual: mean_ms });
  }
  for (const share of blame(model, entry.index)) {
    const key = ownerKey(share);
    const line = lines.get(key);
    if (line) line.here = ms(share.nanos);
    else lines.set(key, { key, ...share, here: ms(share.nanos), usual: 0 });
  }
  return [...lines.values()];
}
