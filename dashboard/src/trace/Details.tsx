// All that is known of one span.

import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import { clock, portion, shortId, time } from '../lib/format';
import { useAddress, workloadPath } from '../lib/url';
import { tagsText } from '../traces/filters';
import { Copy } from './Copy';
import { fault, pieceName, ServiceMark, Stack, Swatch } from './look';
import { isError, isProxys, type Model, ms, type Node, type Span } from './model';
import type { OnPath } from './path';
import { type PieceKind, piecesOf } from './pieces';

interface Props {
  model: Model;
  node: Node;
  path: OnPath | undefined;
  /** More spans are expected. */
  isArriving: boolean;
  close: () => void;
  zoom: () => void;
  reveal: (node: Node) => void;
}

export function Details({ model, node, path, isArriving, close, zoom, reveal }: Props) {
  const { span } = node;
  const { to } = useAddress();
  const [find, setFind] = useState('');
  const parent = node.parent === undefined ? undefined : model.nodes[node.parent];
  const onPath = path?.own ?? 0;
  return (
    <aside
      className="details"
      aria-label={`Details of ${span.service} ${span.kind} ${span.name}`}
      onKeyDown={(event) => {
        if (event.key === 'Escape') close();
      }}
    >
      <div className="details-head">
        <div className="row">
          <ServiceMark model={model} service={span.service} />
          <Link href={to(workloadPath(span.namespace, node.service))}>{span.service}</Link>
          <span className="soft">
            {isProxys(span) ? `${span.kind}, seen by its proxy` : `${span.kind}, of a library`}
          </span>
          <span className="grow" />
          <button type="button" className="button plain small" onClick={zoom}>
            Zoom to it
          </button>
          <button type="button" className="button plain small" onClick={close} aria-label="Close the details (Escape)">
            ✕
          </button>
        </div>
        <h2>{span.name}</h2>
        <div className="row facts">
          <span>
            <b>{time(ms(node.end - node.start))}</b> long
          </span>
          <span>
            from <b>{time(ms(node.start))}</b>
          </span>
          <span>
            <b>{time(ms(onPath))}</b> on the critical path ({portion(onPath / Math.max(model.end, 1))})
          </span>
        </div>
        {isError(span) && (
          <div className="text-bad">
            ✗ {fault(node)} {span.status_message !== fault(node) && span.status_message}
          </div>
        )}
        {node.skew !== 0 && (
          <div className="text-warn">
            Its clock is {node.skew > 0 ? 'behind' : 'ahead of'} that of {parent?.span.service} by{' '}
            {time(ms(Math.abs(node.skew)))} at least; it is shown set right.
          </div>
        )}
      </div>
      <Spent model={model} node={node} />
      {span.proxy_time && <Phases phases={span.proxy_time.phases_us} />}
      <Attributes span={span} find={find} setFind={setFind} />
      <Events span={span} />
      <Links span={span} />
      <Section title="Ids">
        <Fact name="trace" value={model.trace.trace_id} />
        <Fact name="span" value={span.span_id} />
        {span.parent_span_id && (
          <Fact name="parent" value={span.parent_span_id}>
            {parent ? (
              <button type="button" className="quiet" onClick={() => reveal(parent)}>
                show
              </button>
            ) : isArriving ? (
              <span className="soft">not here yet</span>
            ) : (
              <span className="text-warn">missing</span>
            )}
          </Fact>
        )}
        {span.instance && <Fact name="instance" value={span.instance} />}
        {span.namespace && <Fact name="namespace" value={span.namespace} />}
        <Fact name="scope" value={span.scope} />
        <Fact name="start" value={span.start} />
      </Section>
      {Object.keys(span.resource ?? {}).length > 0 && (
        <Section title="Resource">
          <Values values={span.resource ?? {}} find={find} />
        </Section>
      )}
    </aside>
  );
}

function Section({ title, note, children }: { title: string; note?: ReactNode; children: ReactNode }) {
  return (
    <section>
      <h3>
        {title}
        {note && <span className="soft">{note}</span>}
      </h3>
      {children}
    </section>
  );
}

function Spent({ model, node }: { model: Model; node: Node }) {
  const sums = new Map<PieceKind, number>();
  for (const { kind, from, to } of piecesOf(model, node)) sums.set(kind, (sums.get(kind) ?? 0) + to - from);
  const whole = Math.max(node.end - node.start, 1);
  const slices = [...sums].map(([part, size]) => ({
    key: part,
    part,
    size,
    label: `${pieceName(part)} ${time(ms(size))}`,
  }));
  return (
    <Section title="What it was spent on">
      <Stack slices={slices} of={whole} label={slices.map((slice) => slice.label).join(', ')} />
      <table className="small-table">
        <tbody>
          {slices.map(({ part, size }) => (
            <tr key={part}>
              <td>
                <Swatch kind={part} />
                {pieceName(part)}
              </td>
              <td className="number">{time(ms(size))}</td>
              <td className="number soft">{portion(size / whole)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

const PHASES: Record<string, string> = {
  detect: 'finding out the protocol, before the first request of the connection: not in the span’s time',
  route: 'finding the route',
  policy: 'deciding whether it may pass',
  balance: 'choosing an endpoint',
  queue: 'waiting for a place on a connection',
  connect: 'waiting for a new connection',
  tls: 'waiting for a TLS handshake',
  request: 'from the head in to the head out, waits left out; holds route, policy and balance',
  response: 'from the answer’s head in to its head out',
};

/** As a request goes through them. */
function inOrder(phases: Record<string, number>): [string, number][] {
  const order = Object.keys(PHASES);
  const place = (phase: string) => (order.includes(phase) ? order.indexOf(phase) : order.length);
  return Object.entries(phases).sort(([a], [b]) => place(a) - place(b));
}

function Phases({ phases }: { phases: Record<string, number> }) {
  return (
    <Section title="Phases of the proxy">
      <table className="small-table">
        <tbody>
          {inOrder(phases).map(([phase, us]) => (
            <tr key={phase}>
              <td>{phase}</td>
              <td className="soft wrap">{PHASES[phase]}</td>
              <td className="number">{time(us / 1000)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}

/** So many are seen without a search. */
const FEW = 8;

function Attributes({ span, find, setFind }: { span: Span; find: string; setFind: (find: string) => void }) {
  const values = span.attributes ?? {};
  const count = Object.keys(values).length;
  if (count === 0) return null;
  return (
    <Section
      title="Attributes"
      note={
        count > FEW && (
          <input
            type="search"
            placeholder={`Find in ${count}`}
            aria-label="Find in the attributes"
            value={find}
            onChange={(event) => setFind(event.target.value)}
          />
        )
      }
    >
      <Values values={values} find={find} isSearchable />
    </Section>
  );
}

const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

function Values({
  values,
  find,
  isSearchable = false,
}: {
  values: Record<string, unknown>;
  find: string;
  isSearchable?: boolean;
}) {
  const { to } = useAddress();
  const wanted = find.toLowerCase();
  const all = Object.entries(values).map(([name, value]) => ({ name, value: shown(value) }));
  const fitting = all.filter(({ name, value }) => `${name} ${value}`.toLowerCase().includes(wanted));
  if (fitting.length === 0) return <p className="soft">None has this text.</p>;
  return (
    <div className="values">
      {fitting.map(({ name, value }) => (
        <Fact key={name} name={name} value={value}>
          {isSearchable && (
            <Link
              className="quiet"
              href={to('/traces', { tags: tagsText([{ name, value }]) })}
              title={`Find traces with ${name}=${value}`}
            >
              find
            </Link>
          )}
        </Fact>
      ))}
    </div>
  );
}

function Fact({ name, value, children }: { name: string; value: string; children?: ReactNode }) {
  return (
    <div className="fact">
      <span className="soft mono">{name}</span>
      <span className="mono value">{value}</span>
      <span className="acts">
        {children}
        <Copy text={value} what={`${name} ${value}`} />
      </span>
    </div>
  );
}

function Events({ span }: { span: Span }) {
  const events = span.events ?? [];
  if (events.length === 0) return null;
  return (
    <Section title="Events" note={<span>after the start of the span</span>}>
      <ol className="log">
        {events.map((event, n) => {
          const after = event.offset_ms - span.offset_ms;
          const at = new Date(span.start).getTime() + after;
          const attributes = Object.entries(event.attributes ?? {});
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: events stay where they are
            <li key={n}>
              <span className="number" title={clock(at, true)}>
                +{time(after)}
              </span>
              <span>
                <span className={event.name === 'exception' ? 'text-bad' : undefined}>{event.name}</span>
                {attributes.map(([name, value]) => (
                  <span key={name} className="attribute">
                    <span className="soft">{name}=</span>
                    {shown(value)}
                  </span>
                ))}
              </span>
            </li>
          );
        })}
      </ol>
    </Section>
  );
}

function Links({ span }: { span: Span }) {
  const { to } = useAddress();
  const links = span.links ?? [];
  if (links.length === 0) return null;
  return (
    <Section title="Links">
      {links.map((link) => (
        <div key={`${link.trace_id} ${link.span_id}`} className="fact">
          <Link href={to(`/traces/${link.trace_id}`, { span: link.span_id })}>trace {shortId(link.trace_id)}</Link>
          <span className="mono value">span {link.span_id}</span>
          <span className="soft">
            {Object.entries(link.attributes ?? {})
              .map(([name, value]) => `${name}=${shown(value)}`)
              .join(' ')}
          </span>
        </div>
      ))}
    </Section>
  );
}
