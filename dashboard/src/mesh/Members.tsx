// Who is in the mesh: every proxy, what it costs, and what it lost.

import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { Schema } from '../api/answer';
import { ago, bytes, count, moment, rate } from '../lib/format';
import { useAddress, workloadPath } from '../lib/url';
import { Command, Empty, HealthMark, Panel } from '../ui/parts';
import { type Column, Table } from '../ui/Table';
import { sharedProcess, sharedProcesses } from './processes';
import { Troubles } from './Troubles';
import { listed, ofMember, sum } from './troubles';

/** What `GET mesh` says of a member; `GET instances` says the least of it. */
export type Member = Schema<'MeshMember'>;

export function Members({ members, version }: { members: Member[]; version: string | undefined }) {
  const { to } = useAddress();
  const troubles = members.flatMap((member) =>
    ofMember(member, version).map((trouble) => ({ of: member.id, trouble })),
  );
  const isOneNamespace = new Set(members.map((member) => member.namespace)).size < 2;
  const columns: Column<Member>[] = [
    {
      key: 'id',
      head: 'Instance',
      by: (member) => member.id,
      cell: (member) => (
        <span className="row" style={{ flexWrap: 'nowrap' }}>
          <State member={member} version={version} />
          <Link href={to(workloadPath(member.namespace, member.workload), { tab: 'instances' })}>{member.id}</Link>
          {member.role === 'gateway' && <span className="tag">gateway</span>}
          {member.leaving && <span className="tag warn">leaving</span>}
        </span>
      ),
    },
    ...(isOneNamespace ? [] : [NAMESPACE]),
    {
      key: 'version',
      head: 'Version',
      by: (member) => member.version,
      cell: (member) =>
        version === undefined || member.version === version ? (
          member.version
        ) : (
          <span className="tag warn">▲ {member.version}</span>
        ),
    },
    {
      key: 'started',
      head: 'Started',
      by: (member) => member.started,
      cell: (member) => <span title={moment(member.started)}>{ago(member.started)}</span>,
    },
    {
      key: 'read',
      head: 'Read',
      title: 'When its numbers were read last',
      by: (member) => member.last_scrape,
      cell: (member) => (
        <span className={member.scrape_error ? 'text-bad' : undefined} title={member.scrape_error ?? undefined}>
          {member.last_scrape ? ago(member.last_scrape) : 'never'}
        </span>
      ),
    },
    {
      key: 'in',
      head: 'In/s',
      title: 'Requests to its application that began, per second of the last minute',
      isNumber: true,
      by: (member) => member.inbound_rps,
      cell: (member) => rate(member.inbound_rps),
    },
    {
      key: 'out',
      head: 'Out/s',
      title: 'Requests of its application that began, per second of the last minute',
      isNumber: true,
      by: (member) => member.outbound_rps,
      cell: (member) => rate(member.outbound_rps),
    },
    {
      key: 'emitted',
      head: 'Spans',
      title: 'Spans emitted since its proxy started: exported, lost or waiting',
      isNumber: true,
      by: (member) => member.spans?.emitted,
      cell: (member) => <Emitted spans={member.spans} />,
    },
    {
      key: 'exported',
      head: 'Exported',
      title: 'Of them: taken by the store',
      isNumber: true,
      by: (member) => member.spans?.exported,
      cell: (member) => count(member.spans?.exported),
    },
    {
      key: 'lost',
      head: 'Lost',
      title: 'Of them: dropped',
      isNumber: true,
      by: (member) => member.spans && sum(member.spans.dropped),
      cell: (member) => <Lost spans={member.spans} />,
    },
    {
      key: 'series',
      head: 'Series',
      title: 'Series of the family that has most of them, of as many as a family may have',
      isNumber: true,
      by: (member) => member.series && member.series.used / member.series.limit,
      cell: (member) => <Series series={member.series} />,
    },
    {
      key: 'memory',
      head: 'Memory',
      title: 'Memory in RAM of its process, which others may share',
      isNumber: true,
      by: (member) => member.process?.resident_bytes,
      cell: (member) => <OfProcess member={member}>{bytes(member.process?.resident_bytes)}</OfProcess>,
    },
    {
      key: 'cpu',
      head: 'Cores',
      title: 'Cores that its process kept busy in the last minute, which others may share',
      isNumber: true,
      by: (member) => member.process?.cpu_cores,
      cell: (member) => <span title={sharedProcess(member)}>{member.process?.cpu_cores?.toFixed(2) ?? '–'}</span>,
    },
  ];
  return (
    <Panel
      title="Proxies"
      note={`${count(members.length)} in the mesh; spans since each of them started`}
      actions={<Command>clew mesh</Command>}
    >
      {members.length > 0 ? (
        <Table label="Proxies" columns={columns} rows={members} id={(member) => member.id} />
      ) : (
        <Empty title="Nobody is in the mesh" command="clew run --name books --port 7002 -- ./books">
          Start a program with a proxy beside it, or a whole application with <code>clew up</code>.
        </Empty>
      )}
      {sharedProcesses(members).map((words) => (
        <p key={words} className="soft members-shared">
          Shared: {words}. Memory and cores are of them all together.
        </p>
      ))}
      {troubles.length > 0 && <Troubles all={troubles} />}
    </Panel>
  );
}

const NAMESPACE: Column<Member> = {
  key: 'namespace',
  head: 'Namespace',
  by: (member) => member.namespace,
  cell: (member) => <span className="soft">{member.namespace}</span>,
};

function State({ member, version }: { member: Member; version: string | undefined }) {
  const troubles = ofMember(member, version);
  const worst = troubles.find((trouble) => trouble.health === 'bad') ?? troubles[0];
  if (!worst && !member.last_scrape) return <HealthMark health="none" word="not read yet" />;
  return <HealthMark health={worst?.health ?? 'good'} word={worst?.what ?? 'well'} />;
}

const sharing = (members = 1) => (members > 1 ? `of ${count(members)}` : 'shared');

/** A number of the whole process, marked where the process has others in it. */
function OfProcess({ member, children }: { member: Member; children: ReactNode }) {
  const words = sharedProcess(member);
  if (!words) return children;
  return (
    <span title={words}>
      {children} <span className="soft">{sharing(member.process?.members)}</span>
    </span>
  );
}

function Emitted({ spans }: { spans: Member['spans'] }) {
  if (!spans) return '–';
  const title = `${count(spans.waiting)} waiting, and ${count(spans.unsampled)} requests of traces that are not sampled`;
  return <span title={title}>{count(spans.emitted)}</span>;
}

function Lost({ spans }: { spans: Member['spans'] }) {
  if (!spans) return '–';
  const lost = sum(spans.dropped);
  if (lost === 0) return <span className="soft">0</span>;
  return (
    <span className="text-warn" title={listed(spans.dropped)}>
      ▲ {count(lost)}
    </span>
  );
}

function Series({ series }: { series: Member['series'] }) {
  if (!series) return '–';
  const isFull = sum(series.dropped) > 0;
  return (
    <span className="meter" title={`${series.family}: ${count(series.used)} of ${count(series.limit)}`}>
      <span className="bar" aria-hidden="true">
        <span
          className={isFull ? 'full' : undefined}
          style={{ width: `${Math.min(100, (100 * series.used) / Math.max(series.limit, 1))}%` }}
        />
      </span>
      <span className={isFull ? 'text-warn' : undefined}>
        {isFull && '▲ '}
        {count(series.used)}
      </span>
    </span>
  );
}
