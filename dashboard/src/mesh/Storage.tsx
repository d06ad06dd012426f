// What is kept, and what came in.

import type { Schema } from '../api/answer';
import { ago, bytes, count, portion } from '../lib/format';
import { windowOf } from '../lib/time';
import { Panel } from '../ui/parts';
import { Troubles } from './Troubles';
import { listed, ofIngest, ofStore, sum } from './troubles';

interface Props {
  store: Schema<'MeshStore'>;
  ingest: Schema<'MeshIngest'>;
}

export function Storage({ store, ingest }: Props) {
  const used = store.bytes / Math.max(store.bytes_limit, 1);
  const troubles = [...ofStore(store), ...ofIngest(ingest)].map((trouble) => ({ trouble }));
  const facts: [string, string][] = [
    ['Traces', withAge(store.traces, 'the oldest', store.oldest_trace)],
    ['Series', withAge(store.series, 'numbers', store.oldest_point)],
    ['Kept for', windowOf(store.age_limit_seconds * 1000)],
    ['Spans that came in', `${count(ingest.spans_received)} in ${count(ingest.requests)} requests`],
    ['Spans written', `${count(store.spans_written)}, and ${count(store.spans_repeated)} again`],
    ['Lost or refused', lost({ ...store.lost, ...ingest.spans_refused, ...ingest.requests_refused })],
    ['Deleted by age or size', `${count(store.traces_expired)} traces`],
    ...(store.upkeep ? [['Deleting', store.upkeep] as [string, string]] : []),
    ['File', store.path],
  ];
  return (
    <Panel title="Store" note="since it started">
      <div className="store-size">
        <span className="size">
          <strong>{bytes(store.bytes)}</strong> of {bytes(store.bytes_limit)}, {portion(used)}
        </span>
        <span className="bar" aria-hidden="true">
          <span className={used > 0.9 ? 'full' : undefined} style={{ width: `${Math.min(100, used * 100)}%` }} />
        </span>
      </div>
      <dl className="mesh-facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {troubles.length > 0 && <Troubles all={troubles} />}
    </Panel>
  );
}

function withAge(many: number, what: string, since: string | null | undefined): string {
  return since ? `${count(many)}, ${what} from ${ago(since)}` : count(many);
}

function lost(counts: Record<string, number>): string {
  return sum(counts) > 0 ? listed(counts) : 'nothing';
}
