// Whose the time of a route's requests is: the mean, and the slowest hundredth.

import { Link } from 'wouter';
import { type Schema, useAnswer } from '../api/answer';
import { clock, portion, time } from '../lib/format';
import { usePageTime } from '../lib/time';
import { useAddress, workloadPath } from '../lib/url';
import { PartLabel, Stack } from '../trace/look';
import { PartName } from '../trace/PartName';
import { isPart, owner, PARTS, partName } from '../trace/parts';
import { ownerKey } from '../trace/path';
import { Empty, Failure, Loading, Panel } from '../ui/parts';
import { type Column, Table } from '../ui/Table';
import { blamed, lengths, source } from './words';

type Path = Schema<'CriticalPath'>;
type PathPart = Schema<'PathPart'>;

export function Blame({
  workload,
  namespace,
  route,
}: {
  workload: string;
  namespace?: string | undefined;
  route?: string | undefined;
}) {
  const { asked } = usePageTime();
  const path = useAnswer('/api/v1/critical-path', { ...asked, workload, namespace, route });
  if (path.error) return <Failure error={path.error} retry={path.retry} />;
  if (!path.data) return <Loading what="Reading the spans" />;
  if (path.data.requests === 0) return <NoSpans path={path.data} />;
  return <Known path={path.data} again={path.retry} />;
}

function NoSpans({ path }: { path: Path }) {
  const settings = useAnswer('/api/v1/settings/telemetry', {});
  const isOff = settings.data && (!settings.data.tracing || settings.data.sampling_ratio === 0);
  return (
    <Panel title={`${path.route} of ${path.workload}`}>
      <Empty title="No span of this route was kept in this window" command="clew settings --sample 1">
        {isOff
          ? 'No traces are kept now. This keeps every new one:'
          : 'Choose a longer window above, or keep more traces. This keeps every new one:'}
      </Empty>
    </Panel>
  );
}

function Known({ path, again }: { path: Path; again: () => void }) {
  const { to, get, set } = useAddress();
  const isTime = get('scale') === 'time';
  const columns: Column<PathPart>[] = [
    { key: 'part', head: 'Time', by: (part) => partName(part.part), cell: (part) => <PartName part={part.part} /> },
    { key: 'of', head: 'Of', by: owner, cell: (part) => <Of part={part} namespace={path.namespace} /> },
    { key: 'mean', head: 'Mean', isNumber: true, by: (part) => part.mean_ms, cell: (part) => time(part.mean_ms) },
    {
      key: 'meanShare',
      head: 'Share',
      isNumber: true,
      by: (part) => part.mean_share,
      cell: (part) => portion(part.mean_share),
    },
    {
      key: 'slowest',
      head: 'Slowest 1%',
      title: 'Mean of the slowest hundredth of all requests',
      isNumber: true,
      by: (part) => part.slowest_ms,
      cell: (part) => time(part.slowest_ms),
    },
    {
      key: 'slowestShare',
      head: 'Share',
      isNumber: true,
      by: (part) => part.slowest_share,
      cell: (part) => portion(part.slowest_share),
    },
    {
      key: 'more',
      head: 'Slowest less mean',
      title: 'What makes the slowest slow',
      isNumber: true,
      by: (part) => part.slowest_ms - part.mean_ms,
      cell: (part) => {
        const more = part.slowest_ms - part.mean_ms;
        return (
          <span className={more > 0.2 * path.mean_ms ? 'text-bad' : undefined}>
            {more > 0 ? `+${time(more)}` : time(more)}
          </span>
        );
      },
    },
  ];
  const known = PARTS.filter((part) => path.parts.some((one) => one.part === part));
  const others = { service: path.workload, route: path.route };
  return (
    <Panel
      title={`${path.route} of ${path.workload}`}
      note={lengths(path)}
      actions={
        <>
          <Link className="button" href={to('/traces', others)}>
            Traces
          </Link>
          <Link
            className="button"
            href={to('/traces', { ...others, min_duration: `${Math.max(1, Math.floor(path.p99_ms))}ms` })}
          >
            Slowest traces
          </Link>
        </>
      }
    >
      <div className="blame">
        <p className="verdict">{blamed(path)}</p>
        <Twin path={path} isTime={isTime} />
        <div className="legend">
          {known.map((part) => (
            <PartLabel key={part} part={part} />
          ))}
          <span className="grow" />
          <button
            type="button"
            className="quiet"
            onClick={() => set({ scale: isTime ? null : 'time' }, { replace: true })}
          >
            {isTime ? 'show shares' : 'show both on one scale of time'}
          </button>
        </div>
      </div>
      <Table label="Whose the time is" columns={columns} rows={path.parts} id={ownerKey} />
      <Limits path={path} again={again} />
    </Panel>
  );
}

function Of({ part, namespace }: { part: PathPart; namespace: string }) {
  const { to } = useAddress();
  if (part.part === 'outside' || part.part === 'unseen' || part.to) return owner(part);
  return (
    <>
      <Link href={to(workloadPath(namespace, part.of))}>{part.of}</Link>
      {part.side && <span className="soft">, {part.side}</span>}
    </>
  );
}

function Twin({ path, isTime }: { path: Path; isTime: boolean }) {
  const widest = Math.max(path.mean_ms, path.slowest_ms, 1e-9);
  const wide = (of: 'mean_ms' | 'slowest_ms') => (isTime ? path[of] / widest : 1);
  const bar = (of: 'mean_ms' | 'slowest_ms', share: 'mean_share' | 'slowest_share', name: string) => {
    const slices = path.parts.map((part) => ({
      key: ownerKey(part),
      part: isPart(part.part) ? part.part : ('application' as const),
      size: part[of],
      label: `${partName(part.part)}, ${owner(part)}: ${time(part[of])}, ${portion(part[share])}`,
      text: part[share] * wide(of) > 0.09 ? owner(part) : undefined,
    }));
    return (
      <>
        <span>{name}</span>
        <div style={{ width: `${100 * wide(of)}%` }}>
          <Stack slices={slices} of={Math.max(path[of], 1e-9)} label={`${name}, ${time(path[of])}`} />
        </div>
        <b>{time(path[of])}</b>
      </>
    );
  };
  return (
    <div className="twin">
      {bar('mean_ms', 'mean_share', 'mean')}
      {bar('slowest_ms', 'slowest_share', 'slowest 1%')}
    </div>
  );
}

function Limits({ path, again }: { path: Path; again: () => void }) {
  const { to } = useAddress();
  const { asked } = usePageTime();
  const propagation = useAnswer('/api/v1/stat', asked);
  const part = new Set(path.parts.filter((one) => one.part === 'application').map((one) => one.of));
  const breaking = (propagation.data?.workloads ?? []).filter(
    ({ workload, propagation_score: score }) =>
      part.has(workload) && score !== undefined && score !== null && score < 0.99,
  );
  return (
    <div className="limits">
      <p>
        {source(path)} Each nanosecond of a request belongs to one line: both columns add up to the time above. Long
        streams are left out, and so are requests of the last two seconds.{' '}
        <span className="soft">As of {clock(path.window.to)}.</span>{' '}
        <button type="button" className="quiet" onClick={again}>
          read again
        </button>
      </p>
      {breaking.length > 0 ? (
        breaking.map(({ workload, namespace }) => (
          <p key={workload}>
            <span className="text-warn" aria-hidden="true">
              ▲{' '}
            </span>
            {workload} does not pass on all trace context: calls that it makes without are in no trace of the request,
            and count as its own time here.{' '}
            <Link href={to(workloadPath(namespace, workload), { tab: 'propagation' })}>Propagation of {workload}</Link>
          </p>
        ))
      ) : (
        <p className="soft">
          What it cannot know: where an application drops the trace context, the calls that it makes are in its own time
          (
          <Link href={to(workloadPath(path.namespace, path.workload), { tab: 'propagation' })}>
            propagation of {path.workload}
          </Link>
          ). What an application does without a call is one number, unless a library inside tells it apart.
        </p>
      )}
    </div>
  );
}
