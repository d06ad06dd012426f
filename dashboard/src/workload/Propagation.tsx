// What a workload makes of the trace context that it is given, and what to change.

import { Link } from 'wouter';
import { type Schema, useAnswer } from '../api/answer';
import { clock, count } from '../lib/format';
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
  const { asked, isLive } = usePageTime();
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
        actions={<Command>{`clew propagation ${name}`}</Command>}
      >
        <Table
          label="Requests that it made, by what they carried"
          columns={COLUMNS}
          rows={workload.routes}
          id={(route) => `${route.service}/${route.route}`}
          sort="score"
        />
      </Panel>
      {workload.routes.filter(speaksAgainst).map((route) => (
        <Example key={`${route.service}/${route.route}`} route={route} name={name} />
      ))}
      {!workload.routes.some(speaksAgainst) && (
        <p className="soft">Nothing speaks against it: traces go through {name} whole.</p>
      )}
    </>
  );
}

function speaksAgainst(route: Route): boolean {
  return Object.keys(route.verdicts).some((verdict) => AGAINST.has(verdict));
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

function Example({ route, name }: { route: Route; name: string }) {
  const { to } = useAddress();
  const { example } = route;
  const verdict = Object.keys(route.verdicts).find((verdict) => AGAINST.has(verdict)) ?? '';
  const headers = example?.given?.headers ?? ['traceparent', 'tracestate'];
  return (
    <Panel
      title={`${route.route}${route.service ? ` of ${route.service}` : ''}`}
      note={`${count(route.verdicts[verdict])} requests: ${verdict}, each ${MEANINGS[verdict]}`}
      padded
    >
      {example && (
        <ol className="exchange">
          {example.given && (
            <li>
              <span className="mono soft">{clock(example.given.at, true)}</span>
              <span className="tag">in</span>
              <code>{example.given.route}</code>
              <span>
                with {example.given.headers.join(', ')}: trace{' '}
                <Link href={to(`/traces/${example.given.trace_id}`)} className="mono">
                  {example.given.trace_id}
                </Link>
                , span <code>{example.given.span_id}</code>
              </span>
            </li>
          )}
          <li>
            <span className="mono soft">{clock(example.sent.at, true)}</span>
            <span className="tag bad">out</span>
            <code>{route.route}</code>
            <span>{brought(example.sent)}</span>
          </li>
          <li className="soft">
            in {example.instance ?? 'an instance'},{' '}
            {example.in_flight > 1 ? `one of ${example.in_flight} requests in flight` : 'the only request in flight'}
          </li>
        </ol>
      )}
      <p>
        <strong>What to change in {name}:</strong> {fix(verdict, headers)}
      </p>
    </Panel>
  );
}

function brought(sent: Schema<'SentContext'>): string {
  if (sent.fault) return `with ${sent.fault}`;
  if (sent.trace_id) return `with ${sent.headers.join(', ')}: trace ${sent.trace_id}, span ${sent.span_id}`;
  return 'without any of them';
}

function fix(verdict: string, headers: readonly string[]): string {
  const names = headers.join(', ');
  if (verdict === 'restarted') {
    return `let its tracing library read ${names} of the requests that it serves (its propagator), or copy them.`;
  }
  if (verdict === 'mangled') return `copy the values of ${names} whole, byte by byte.`;
  return `copy ${names} from the request that is served onto every request that is made for it.`;
}
