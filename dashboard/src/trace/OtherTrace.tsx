// This trace beside another one.

import { type FormEvent, useMemo, useState } from 'react';
import { Link } from 'wouter';
import { useAnswer, useTrace } from '../api/answer';
import { ago, count, shortId, time } from '../lib/format';
import { usePageTime } from '../lib/time';
import { useAddress } from '../lib/url';
import { Empty, Failure, Loading, Panel } from '../ui/parts';
import { type Column, Table } from '../ui/Table';
import { compare, type Pair } from './compare';
import { ServiceMark } from './look';
import { build, type Model, ms, type Node } from './model';

export function OtherTrace({ model }: { model: Model }) {
  const { get, set, to } = useAddress();
  const id = get('compare');
  return (
    <Panel
      title={id ? `Beside trace ${shortId(id)}` : 'Another trace'}
      note="spans are matched by where they are: service, kind, name, and which one of several"
      actions={
        id && (
          <>
            <Link className="button" href={to(`/traces/${id}`, { view: 'compare', compare: model.trace.trace_id })}>
              The other way around
            </Link>
            <button type="button" className="button" onClick={() => set({ compare: null })}>
              Another one
            </button>
          </>
        )
      }
    >
      {id ? <Beside key={id} model={model} id={id} /> : <Choose model={model} />}
    </Panel>
  );
}

function Choose({ model }: { model: Model }) {
  const { set } = useAddress();
  const { asked } = usePageTime();
  const [id, setId] = useState('');
  const root = model.nodes[model.roots[0] ?? 0] as Node;
  const route = root.span.attributes?.['clew.route'];
  const traces = useAnswer('/api/v1/traces', {
    ...asked,
    service: root.span.service,
    route: typeof route === 'string' ? route : undefined,
    limit: 100,
  });
  const others = (traces.data?.traces ?? []).filter((one) => one.trace_id !== model.trace.trace_id);
  const choose = (event: FormEvent) => {
    event.preventDefault();
    if (/^[0-9a-f]{4,32}$/i.test(id.trim())) set({ compare: id.trim().toLowerCase() });
  };
  type Other = (typeof others)[number];
  const columns: Column<Other>[] = [
    { key: 'id', head: 'Trace', cell: (one) => <span className="mono">{shortId(one.trace_id)}</span> },
    { key: 'root', head: 'Begins with', cell: (one) => `${one.root.service} ${one.root.name}` },
    {
      key: 'duration',
      head: 'Duration',
      isNumber: true,
      by: (one) => one.duration_ms,
      cell: (one) => time(one.duration_ms),
    },
    {
      key: 'against',
      head: 'Against this one',
      isNumber: true,
      by: (one) => one.duration_ms,
      cell: (one) => signed(one.duration_ms - model.trace.duration_ms),
    },
    { key: 'spans', head: 'Spans', isNumber: true, by: (one) => one.spans, cell: (one) => count(one.spans) },
    { key: 'errors', head: 'Errors', isNumber: true, by: (one) => one.errors, cell: (one) => count(one.errors) },
    { key: 'start', head: 'When', by: (one) => one.start, cell: (one) => ago(one.start) },
  ];
  return (
    <>
      <form className="row choose" onSubmit={choose}>
        <label className="row">
          <span className="soft">Id of a trace</span>
          <input
            type="text"
            className="mono"
            placeholder="its first digits are enough"
            value={id}
            onChange={(event) => setId(event.target.value)}
          />
        </label>
        <button type="submit" className="button">
          Compare
        </button>
        <span className="soft">or one of this route in the window:</span>
      </form>
      {traces.error && <Failure error={traces.error} retry={traces.retry} />}
      {traces.isLoading && <Loading />}
      {traces.data &&
        (others.length > 0 ? (
          <Table
            label="Traces of the same route"
            columns={columns}
            rows={others}
            id={(one) => one.trace_id}
            open={(one) => set({ compare: one.trace_id })}
            sort="-duration"
          />
        ) : (
          <Empty title="No other trace of this route is in the window">Choose a longer one above, or give an id.</Empty>
        ))}
    </>
  );
}

const signed = (millis: number) => (millis > 0 ? `+${time(millis)}` : time(millis));

function Beside({ model, id }: { model: Model; id: string }) {
  const other = useTrace(id);
  const theirs = useMemo(() => other.data && build(other.data), [other.data]);
  if (other.error) return <Failure error={other.error} retry={other.retry} />;
  if (!theirs) return <Loading what="Reading the other trace" />;
  return <Differences ours={model} theirs={theirs} />;
}

function Differences({ ours, theirs }: { ours: Model; theirs: Model }) {
  const { set } = useAddress();
  const pairs = useMemo(() => compare(ours, theirs), [ours, theirs]);
  const most = Math.max(ours.end, theirs.end, 1);
  const columns: Column<Pair>[] = [
    {
      key: 'span',
      head: 'Span',
      by: (pair) => pairs.indexOf(pair),
      cell: (pair) => (
        <span>
          <ServiceMark model={ours.services.includes(pair.service) ? ours : theirs} service={pair.service} />{' '}
          <b>{pair.service}</b> <span className="soft">{pair.kind}</span> {pair.name}
          {pair.ordinal > 1 && <span className="soft"> #{pair.ordinal}</span>}{' '}
          {!pair.theirs && <span className="tag warn">only here</span>}
          {!pair.ours && <span className="tag warn">only there</span>}
        </span>
      ),
    },
    {
      key: 'bars',
      head: 'Both',
      title: 'Above this trace, below the other, on one scale',
      width: '190px',
      cell: (pair) => (
        <span className="both" aria-hidden="true">
          <Bar node={pair.ours} most={most} name="here" />
          <Bar node={pair.theirs} most={most} name="there" />
        </span>
      ),
    },
    {
      key: 'ours',
      head: 'Here',
      isNumber: true,
      by: (pair) => length(pair.ours),
      cell: (pair) => time(length(pair.ours)),
    },
    {
      key: 'theirs',
      head: 'There',
      isNumber: true,
      by: (pair) => length(pair.theirs),
      cell: (pair) => time(length(pair.theirs)),
    },
    {
      key: 'difference',
      head: 'Difference',
      title: 'Here less there; sorted by size',
      isNumber: true,
      by: (pair) => Math.abs(pair.difference),
      cell: (pair) => <Difference nanos={pair.difference} most={most} />,
    },
    {
      key: 'own',
      head: 'Of its own time',
      title: 'Without the time in which a span below it was open; sorted by size',
      isNumber: true,
      by: (pair) => Math.abs(pair.ownDifference),
      cell: (pair) => <Difference nanos={pair.ownDifference} most={most} />,
    },
  ];
  return (
    <>
      <p className="note-line">{inWords(ours, theirs, pairs)}</p>
      <Table
        label="Differences between the two traces"
        columns={columns}
        rows={pairs}
        id={(pair) => pair.key}
        open={(pair) => pair.ours && set({ view: null, span: ours.names[pair.ours.index] })}
        sort="-own"
      />
      <div className="legend wf-legend">
        <span>
          <span className="swatch here" /> this trace
        </span>
        <span>
          <span className="swatch there" /> the other
        </span>
      </div>
    </>
  );
}

const length = (node: Node | undefined) => (node ? ms(node.end - node.start) : undefined);

function Bar({ node, most, name }: { node: Node | undefined; most: number; name: 'here' | 'there' }) {
  if (!node) return <span className="none" />;
  const [left, width] = [(100 * node.start) / most, (100 * (node.end - node.start)) / most];
  return <span className={name} style={{ marginLeft: `${left}%`, width: `max(2px, ${width}%)` }} />;
}

function Difference({ nanos, most }: { nanos: number; most: number }) {
  const isMuch = Math.abs(nanos) > 0.05 * most;
  return <span className={isMuch ? (nanos > 0 ? 'text-bad' : 'text-good') : undefined}>{signed(ms(nanos))}</span>;
}

function inWords(ours: Model, theirs: Model, pairs: Pair[]): string {
  const by = ours.end - theirs.end;
  const most = pairs.reduce<Pair | undefined>(
    (most, pair) => (pair.ownDifference * by > (most ? most.ownDifference * by : 0) ? pair : most),
    undefined,
  );
  const here = pairs.filter((pair) => !pair.theirs).length;
  const there = pairs.filter((pair) => !pair.ours).length;
  const longer =
    by === 0 ? 'as long as the other' : `${time(ms(Math.abs(by)))} ${by > 0 ? 'longer' : 'shorter'} than the other`;
  const extra = [here > 0 && `${here} are only here`, there > 0 && `${there} only there`].filter(Boolean).join(', ');
  return [
    `This trace is ${longer}.`,
    most &&
      `The largest part is own time of ${most.service} ${most.kind} ${most.name}: ${signed(ms(most.ownDifference))}.`,
    extra ? `Of ${pairs.length} spans ${extra}.` : 'Both have the same spans.',
  ]
    .filter(Boolean)
    .join(' ');
}
