// Where the time went, request by request between two proxies.

import { useMemo } from 'react';
import type { Schema } from '../api/answer';
import { portion, time } from '../lib/format';
import { useAddress } from '../lib/url';
import { Empty } from '../ui/parts';
import { type Column, Table } from '../ui/Table';
import { spansOfHops } from './hops';
import { PartLabel, Stack } from './look';
import type { Model, Node } from './model';

type HopTime = Schema<'HopTime'>;

interface HopRow {
  hop: HopTime;
  node: Node | undefined;
  index: number;
}

const proxies = (hop: HopTime) => hop.client_proxy_ms + hop.server_proxy_ms;
const waits = (hop: HopTime) => hop.client_wait_ms + hop.server_wait_ms;

export function HopTable({ model }: { model: Model }) {
  const { set } = useAddress();
  const { duration_ms } = model.trace;
  const rows = useMemo((): HopRow[] => {
    const nodes = spansOfHops(model);
    return (model.trace.hops ?? []).map((hop, index) => ({ hop, node: nodes[index], index }));
  }, [model]);
  const most = Math.max(...rows.map(({ hop }) => hop.total_ms), 0.001);
  if (rows.length === 0) {
    return <Empty title="No proxy has a span in this trace">What applications do inside is in the waterfall.</Empty>;
  }
  const number = (
    key: string,
    head: string,
    title: string,
    of: (hop: HopTime) => number | null | undefined,
  ): Column<HopRow> => ({
    key,
    head,
    title,
    isNumber: true,
    by: ({ hop }) => of(hop),
    cell: ({ hop }) => time(of(hop)),
  });
  const columns: Column<HopRow>[] = [
    {
      key: 'hop',
      head: 'Hop',
      title: 'A request between two proxies, below the one that it was made for',
      by: ({ index }) => index,
      cell: ({ hop }) => (
        <span style={{ paddingLeft: Math.min(hop.depth, 14) * 14 }}>
          {hop.client && <>{hop.client} </>}
          <span className="soft">→</span> <b>{hop.server ?? '?'}</b> {hop.name}
        </span>
      ),
    },
    number('time', 'Time', 'From its head to the end of its response', (hop) => hop.total_ms),
    {
      key: 'split',
      head: 'Split',
      title: 'As long as its time; what is empty was spent in the hops below',
      width: '220px',
      cell: ({ hop }) => <Split hop={hop} most={most} />,
    },
    number('proxies', 'Proxies', 'Work of both proxies', proxies),
    number('waits', 'Waits', 'Waits of both proxies', waits),
    number(
      'network',
      'Network and kernel',
      'Between the two proxies; absent where one of the spans is not there',
      (hop) => hop.network_ms,
    ),
    number(
      'application',
      'Application',
      'Of the server, without the time in which a request that it made was open',
      (hop) => hop.application_ms,
    ),
    number(
      'path',
      'On path',
      'What of the trace’s duration belongs to this hop and to none below it',
      (hop) => hop.on_path_ms,
    ),
    {
      key: 'share',
      head: 'Share',
      isNumber: true,
      by: ({ hop }) => hop.on_path_ms,
      cell: ({ hop }) => portion(hop.on_path_ms / Math.max(duration_ms, 1e-9)),
    },
  ];
  return (
    <>
      <Table
        label="Where the time went, hop by hop"
        columns={columns}
        rows={rows}
        id={({ index }) => String(index)}
        open={({ node }) => node && set({ view: null, span: model.names[node.index] })}
      />
      <Clocks hops={rows.map(({ hop }) => hop)} />
      <div className="legend wf-legend">
        {(['proxy', 'wait', 'network', 'application'] as const).map((part) => (
          <PartLabel key={part} part={part} />
        ))}
        <span>A row leads to its span.</span>
      </div>
    </>
  );
}

function Split({ hop, most }: { hop: HopTime; most: number }) {
  const slices = [
    { part: 'proxy' as const, name: 'proxies', size: proxies(hop) },
    { part: 'wait' as const, name: 'waits', size: waits(hop) },
    { part: 'network' as const, name: 'network and kernel', size: hop.network_ms ?? 0 },
    { part: 'application' as const, name: 'application', size: hop.application_ms ?? 0 },
  ].map(({ part, name, size }) => ({ key: part, part, size, label: `${name} ${time(size)}` }));
  return (
    <div className="split" style={{ width: `${Math.max(1, (100 * hop.total_ms) / most)}%` }}>
      <Stack slices={slices} of={Math.max(hop.total_ms, 1e-9)} label={slices.map((slice) => slice.label).join(', ')} />
    </div>
  );
}

function Clocks({ hops }: { hops: HopTime[] }) {
  const wrong = hops.flatMap(({ skew_at_least_ms: skew, client, server }) =>
    skew && client && server ? [{ skew, client, server }] : [],
  );
  const worst = new Map<string, (typeof wrong)[number]>();
  for (const one of wrong) {
    const key = `${one.client} ${one.server}`;
    if (Math.abs(one.skew) > Math.abs(worst.get(key)?.skew ?? 0)) worst.set(key, one);
  }
  return [...worst].map(([key, { skew, client, server }]) => (
    <p key={key} className="note-line">
      The clock of {server} is {skew > 0 ? 'behind' : 'ahead of'} that of {client} by {time(Math.abs(skew))} at least.
    </p>
  ));
}
