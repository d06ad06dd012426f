// What a workload makes of the trace context that it is given, and what to change.

import { Link } from 'wouter';
import { type Schema, useAnswer } from '../api/answer';
import { clock, count } from '../lib/format';
import { inNamespace, quoted } from '../lib/shell';
import { usePageTime } from '../lib/time';
import { useAddress } from '../lib/url';
import { Command, Empty, Failure, Loading, Panel, Score } from '../ui/parts';
import { type Column, Table } from '../ui/Table';

type Route = Schema<'RoutePropagation'>;

/** Verdicts that speak against a workload. */
const AGAINST = new Set(['dropped', 'restarted', 'mangled']);

const MEANINGS: Record<string, string> = {
  forwarded: 'carried the context that the proxy gave, unchanged',
  participated: 'carried it on with a span of a tracing library',
  deferred: 'carried the context of a request that had ended',
  foreign: 'carried a context that this instance was not given, as consumers of queues do',
  restarted: 'began a trace of its own while it served a request that had one',
  mangled: 'carried headers that cannot be read',
  dropped: 'carried none while it served a request that had one',
  unattributed: 'cannot be decided: requests were in flight, and nothing tells whether it was made for one of them',
  background: 'was made while no request was in flight: nothing had to be carried on',
  unseen: 'is not readable for the proxy: it encrypts or is no HTTP',
};

export function Propagation({ namespace, name }: { namespace: string; name: string }) {
  const { asked, isLive, flags } = usePageTime();
  const { data, error, isLoading, retry } = useAnswer(
    '/api/v1/propagation',
    { ...asked, workload: name, namespace },
    { live: isLive },
  );
  if (error) return <Failure error={error} retry={retry} />;
  if (isLoading || !data) return <Loading />;
  const workload = data.workloads[0];
  if (!workload) {
    return (
      <Panel>
        <Empty title="It made no requests in this time">
          What a workload carries on is seen on the requests that it makes. One that only answers has nothing to carry.
        </Empty>
      </Panel>
    );
  }
  return (
    <>
      <Panel
        title="Requests that it made"
        note="each is compared with what it was given, whatever is sampled"
        actions={<Command>{`clew propagation ${quoted(name)}${inNamespace(namespace)}${flags}`}</Command>}
      >
        <Table
          label="Requests that it made, by what they carried"
          columns={COLUMNS}
          rows={workload.routes}
          id={(route) => `${route.service}/${route.route}`}
          sort="score"
        />
      </Panel>
      {(workload.advice ?? []).map((advice) => (
        <Advice key={advice.verdict} advice={advice} routes={workload.routes} name={name} />
      ))}
      {!workload.advice?.length && <p className="soft">Nothing speaks against it: traces go through {name} whole.</p>}
    </>
  );
}

const COLUMNS: Column<Route>[] = [
  { key: 'service', head: 'Service', by: (route) => route.service, cell: (route) => route.service ?? '–' },
  { key: 'route', head: 'Route', by: (route) => route.route, cell: (route) => <code>{route.route}</code> },
  {
    key: 'score',
    head: 'Score',
    isNumber: true,
    by: (route) => route.score,
    cell: (route) => <Score score={route.score} />,
  },
  {
    key: 'verdicts',
    head: 'Verdicts',
    cell: (route) => (
      <span className="row">
        {Object.entries(route.verdicts).map(([verdict, requests]) => (
          <span
            key={verdict}
            className={`tag ${AGAINST.has(verdict) ? 'bad' : ''}`}
            title={`${verdict}: ${MEANINGS[verdict]}`}
          >
            {verdict} {count(requests)}
          </span>
        ))}
      </span>
    ),
  },
];

interface AdviceProps {
  advice: Schema<'PropagationAdvice'>;
  routes: readonly Route[];
  name: string;
}

function Advice({ advice, routes, name }: AdviceProps) {
  const shown = routes.find((route) => route.verdicts[advice.verdict] && route.example?.evidence === advice.evidence);
  return (
    <Panel title={`${name} breaks traces`} padded>
      <p>
        {count(advice.requests)} requests to {advice.calls.join(', ')} {advice.what}.
      </p>
      {shown?.example && <Example route={shown} example={shown.example} />}
      <p>
        <strong>What to change in {name}:</strong> {advice.fix}
      </p>
    </Panel>
  );
}

function Example({ route, example }: { route: Route; example: Schema<'PropagationExample'> }) {
  const { to } = useAddress();
  const { given, sent } = example;
  return (
    <ol className="exchange">
      {given && (
        <li>
          <span className="mono soft">{clock(given.at, true)}</span>
          <span className="tag">in</span>
          <code>{given.route}</code>
          <span>
            with {given.headers.join(', ')}: trace{' '}
            <Link href={to(`/traces/${given.trace_id}`)} className="mono">
              {given.trace_id}
            </Link>
            , span <code>{given.span_id}</code>
          </span>
        </li>
      )}
      <li>
        <span className="mono soft">{clock(sent.at, true)}</span>
        <span className="tag bad">out</span>
        <code>{route.route}</code>
        <span>{brought(sent)}</span>
      </li>
      <li className="soft">
        in {example.instance ?? 'an instance'},{' '}
        {example.in_flight > 1 ? `one of ${example.in_flight} requests in flight` : 'the only request in flight'}
      </li>
    </ol>
  );
}

function brought(sent: Schema<'SentContext'>): string {
  if (sent.fault) return `with ${sent.fault}`;
  if (sent.trace_id) return `with ${sent.headers.join(', ')}: trace ${sent.trace_id}, span ${sent.span_id}`;
  return 'without any of them';
}
