// One trace: what a request did, and where its time went.

import { useMemo } from 'react';
import { Link } from 'wouter';
import { address, type Schema, useAnswer, useTrace } from '../api/answer';
import { clock, count, moment, shortId, time } from '../lib/format';
import { useAddress } from '../lib/url';
import { BreakNotes } from '../trace/BreakNotes';
import { breaksOf, endsOf } from '../trace/breaks';
import { HopTable } from '../trace/HopTable';
import { ServiceMark } from '../trace/look';
import { build, isError, type Model } from '../trace/model';
import { OtherTrace } from '../trace/OtherTrace';
import { Usual } from '../trace/Usual';
import { Waterfall } from '../trace/Waterfall';
import { Where } from '../trace/Where';
import '../trace/trace.css';
import { Empty, Failure, Figure, Loading, PageHead, Panel } from '../ui/parts';

export function TracePage({ id }: { id: string }) {
  const trace = useTrace(id);
  const model = useMemo(() => trace.data && build(trace.data), [trace.data]);
  if (trace.error) return <NoTrace id={id} error={trace.error} retry={trace.retry} />;
  if (!model) return <Loading what="Reading the trace" />;
  if (model.nodes.length === 0) return <Empty title="The trace has no spans" />;
  return <Whole model={model} isArriving={trace.isArriving} />;
}

function NoTrace({
  id,
  error,
  retry,
}: {
  id: string;
  error: NonNullable<ReturnType<typeof useTrace>['error']>;
  retry: () => void;
}) {
  const { to } = useAddress();
  return (
    <>
      <PageHead title={`Trace ${shortId(id)}`} />
      <Failure error={error} retry={retry} />
      {error.status === 404 && (
        <Empty title="Traces are kept for a while, and not all are" command="clew settings --sample 1">
          This keeps every new one. <Link href={to('/traces')}>Traces that are there</Link>
        </Empty>
      )}
    </>
  );
}

const VIEWS = [
  { view: undefined, name: 'Waterfall' },
  { view: 'hops', name: 'Hops' },
  { view: 'compare', name: 'Compare' },
] as const;

/** The audit counts a request when it has ended. */
const AFTER_MS = 60_000;

function Whole({ model, isArriving }: { model: Model; isArriving: boolean }) {
  const { get, query } = useAddress();
  const { trace } = model;
  // What the audit found about the time of the trace: a trace that ends too early does not show it by itself.
  const audit = useAnswer('/api/v1/propagation', {
    window: '5m',
    until: new Date(Date.parse(trace.start) + AFTER_MS).toISOString(),
  });
  const breaks = useMemo(
    // What is on its way is not missing.
    () => (isArriving ? [] : [...breaksOf(model), ...endsOf(model, audit.data?.workloads ?? [])]),
    [model, audit.data, isArriving],
  );
  const root = model.nodes[model.roots[0] ?? 0]?.span;
  const asked = get('view') ?? (get('compare') ? 'compare' : undefined);
  const view = VIEWS.some((one) => one.view === asked) ? asked : undefined;
  const other = (to: string | undefined) => {
    const next = new URLSearchParams(query);
    next.delete('view');
    // With a trace to compare with, that is what is seen first.
    if (to || next.has('compare')) next.set('view', to ?? 'waterfall');
    return `?${next}`;
  };
  return (
    <>
      <PageHead
        title={root?.name ?? shortId(trace.trace_id)}
        sub={
          <>
            {root && <>of {root.service} · </>}trace <span className="mono">{shortId(trace.trace_id)}</span>
          </>
        }
        command={`clew trace ${shortId(trace.trace_id)}`}
      />
      <Summary model={model} state={isArriving ? 'arriving' : breaks.length > 0 ? 'broken' : 'whole'} />
      <BreakNotes model={model} breaks={breaks} />
      <Where model={model} />
      <nav className="tabs" aria-label="Views of the trace">
        {VIEWS.map(({ view: one, name }) => (
          <Link key={name} href={other(one)} aria-current={view === one ? 'page' : undefined} replace>
            {name}
            {one === 'hops' && <span className="soft"> {count(trace.hops?.length)}</span>}
          </Link>
        ))}
      </nav>
      {view === undefined && <Waterfall model={model} isArriving={isArriving} />}
      {view === 'hops' && (
        <Panel>
          <HopTable model={model} />
        </Panel>
      )}
      {view === 'compare' && (
        <>
          {get('compare') && <OtherTrace model={model} />}
          <Usual model={model} />
          {!get('compare') && <OtherTrace model={model} />}
        </>
      )}
    </>
  );
}

function Summary({ model, state }: { model: Model; state: Schema<'TraceState'> }) {
  const { trace, services } = model;
  const errors = useMemo(() => trace.spans.filter(isError).length, [trace]);
  const path = `/api/v1/traces/${trace.trace_id}`;
  return (
    <div className="figures trace-summary">
      <Figure label="Duration">{time(trace.duration_ms)}</Figure>
      <Figure label="Started">
        <span title={moment(trace.start)}>{clock(trace.start, true)}</span>
      </Figure>
      <Figure label="Spans">{count(trace.spans.length)}</Figure>
      <Figure label="Errors">
        <span className={errors > 0 ? 'text-bad' : undefined}>{errors > 0 ? `✗ ${count(errors)}` : '0'}</span>
      </Figure>
      {state === 'arriving' && (
        <Figure label="Whole">
          <span title="Spans of it ended less than 2 s ago, and more may come">still arriving</span>
        </Figure>
      )}
      {state !== 'arriving' && trace.missing_parents.length > 0 && (
        <Figure label="Missing parents">
          <span className="text-warn">▲ {count(trace.missing_parents.length)}</span>
        </Figure>
      )}
      {(trace.hidden_spans ?? 0) > 0 && <Figure label="Hidden spans">{count(trace.hidden_spans)}</Figure>}
      <Figure label={services.length === 1 ? '1 service' : `${services.length} services`}>
        <span className="services">
          {services.slice(0, 10).map((service) => (
            <span key={service}>
              <ServiceMark model={model} service={service} />
              {service}
            </span>
          ))}
          {services.length > 10 && <span className="soft">and {services.length - 10} more</span>}
        </span>
      </Figure>
      <span className="row downloads">
        <a className="button" href={address(path)} download={`trace-${trace.trace_id}.json`}>
          JSON
        </a>
        <a className="button" href={address(`${path}/otlp`)} download={`trace-${trace.trace_id}.otlp.json`}>
          OTLP
        </a>
      </span>
      {state === 'whole' && <span className="visually-hidden">The trace is whole.</span>}
    </div>
  );
}
