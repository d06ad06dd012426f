// Who asks a workload, and whom it asks: clients on the left, servers on the right.

import { Link } from 'wouter';
import type { Schema } from '../api/answer';
import { rate, time } from '../lib/format';
import { type Health, ofSuccess } from '../lib/health';
import { useAddress, workloadPath } from '../lib/url';
import { HealthMark, SuccessRate } from '../ui/parts';
import './octopus.css';

type Edge = Schema<'Edge'>;
type Peer = Schema<'EdgePeer'>;

const CARD = 58;
const GAP = 10;
/** Peers of a side that are drawn, the busiest; the others are counted. The topology has all. */
const MAX_ARMS = 12;

interface Arm {
  edge: Edge;
  peer: Peer;
  rps: number;
  health: Health;
}

/** The arms of one side, the busiest first. */
export function arms(edges: readonly Edge[], namespace: string, name: string, side: 'client' | 'server'): Arm[] {
  const is = (peer: Peer) => peer.name === name && (peer.namespace ?? namespace) === namespace;
  return edges
    .filter((edge) => is(side === 'client' ? edge.server : edge.client))
    .map((edge) => ({
      edge,
      peer: edge[side],
      rps: edge.golden?.rps ?? 0,
      health: ofSuccess(edge.golden?.success_rate),
    }))
    .sort((a, b) => b.rps - a.rps);
}

interface Props {
  name: string;
  namespace: string;
  edges: readonly Edge[];
  golden: Schema<'Golden'> | null | undefined;
}

export function Octopus({ name, namespace, edges, golden }: Props) {
  const [clients, servers] = [arms(edges, namespace, name, 'client'), arms(edges, namespace, name, 'server')];
  const shown = Math.max(Math.min(Math.max(clients.length, servers.length), MAX_ARMS), 1);
  const height = shown * (CARD + GAP) - GAP;
  return (
    <div className="octopus" style={{ minHeight: height }}>
      <Side arms={clients} title="Clients" none="Nobody asks it" />
      <Curves arms={clients} height={height} towards="right" />
      <div className="middle">
        <strong>{name}</strong>
        <span>{rate(golden?.rps)}/s</span>
        <SuccessRate rate={golden?.success_rate} />
        <span className="soft">p99 {time(golden?.latency_ms?.p99)}</span>
      </div>
      <Curves arms={servers} height={height} towards="left" />
      <Side arms={servers} title="Servers" none="It asks nobody" />
    </div>
  );
}

function Side({ arms, title, none }: { arms: Arm[]; title: string; none: string }) {
  const { to } = useAddress();
  const drawn = arms.slice(0, MAX_ARMS);
  return (
    <ul className="side" aria-label={title}>
      {drawn.map(({ edge, peer, health }) => (
        <li key={`${peer.namespace}/${peer.name}`} className="arm" style={{ height: CARD }}>
          <span className="row" style={{ flexWrap: 'nowrap' }}>
            <HealthMark health={health} />
            {peer.name && peer.meshed ? (
              <Link href={to(workloadPath(peer.namespace, peer.name))}>{peer.name}</Link>
            ) : (
              <span>{peer.name ?? 'outside of the mesh'}</span>
            )}
            {!peer.meshed && <span className="tag">unmeshed</span>}
          </span>
          <span className="soft figures-line">
            {rate(edge.golden?.rps)}/s · <SuccessRate rate={edge.golden?.success_rate} /> · p99{' '}
            {time(edge.golden?.latency_ms?.p99)}
          </span>
        </li>
      ))}
      {arms.length > MAX_ARMS && <li className="soft">and {arms.length - MAX_ARMS} more</li>}
      {arms.length === 0 && <li className="soft none">{none}</li>}
    </ul>
  );
}

const WIDTH = 90;

function Curves({ arms, height, towards }: { arms: Arm[]; height: number; towards: 'left' | 'right' }) {
  const drawn = arms.slice(0, MAX_ARMS);
  const most = Math.max(...drawn.map((arm) => arm.rps), 0.001);
  const used = drawn.length * (CARD + GAP) - GAP;
  return (
    <svg
      width={WIDTH}
      height={height}
      viewBox={`0 0 ${WIDTH} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      className="curves"
    >
      {drawn.map(({ peer, rps, health }, at) => {
        const y = (height - used) / 2 + at * (CARD + GAP) + CARD / 2;
        const [from, to] = towards === 'right' ? [y, height / 2] : [height / 2, y];
        return (
          <path
            key={`${peer.namespace}/${peer.name}`}
            d={`M0 ${from}C${WIDTH / 2} ${from} ${WIDTH / 2} ${to} ${WIDTH} ${to}`}
            fill="none"
            stroke={`var(--${health})`}
            strokeWidth={1.2 + 3 * Math.sqrt(rps / most)}
            strokeDasharray={health === 'bad' ? '7 4' : health === 'none' ? '2 4' : undefined}
            vectorEffect="non-scaling-stroke"
            opacity="0.75"
          />
        );
      })}
    </svg>
  );
}
