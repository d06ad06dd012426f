// What a tapped request says of itself, in words.

import type { Health } from '../lib/health';
import type { TapRequest } from './buffer';

export const REDACTED = '(redacted)';

interface Outcome {
  text: string;
  health: Health;
  /** Said aloud, for whoever cannot tell colours. */
  word: string;
}

/** Names of the status codes of gRPC, by their numbers. */
const GRPC = (
  'ok, cancelled, unknown, invalid argument, deadline exceeded, not found, already exists, permission denied, ' +
  'resource exhausted, failed precondition, aborted, out of range, unimplemented, internal, unavailable, data loss, ' +
  'unauthenticated'
).split(', ');

function status(request: TapRequest): string {
  if (request.grpc_status) return GRPC[Number(request.grpc_status)] ?? request.grpc_status;
  return request.status_code ? String(request.status_code) : (request.error ?? 'none');
}

/** How it ended. */
export function outcome(request: TapRequest): Outcome {
  const text = status(request);
  if (request.open) return { text: 'open', health: 'none', word: 'a stream that goes on' };
  if (request.classification === 'failure') return { text, health: 'bad', word: request.error ?? 'failed' };
  if (request.classification === 'cancelled')
    return { text: 'given up', health: 'warn', word: 'its caller gave it up' };
  // A success, and not what was asked for.
  const isOther = request.grpc_status ? request.grpc_status !== '0' : (request.status_code ?? 0) >= 400;
  return { text, health: isOther ? 'warn' : 'good', word: 'success' };
}

/** Who asked whom: the side that the proxy stands beside, and the other one. */
export function parties(request: TapRequest): { client: string; server: string } {
  const peer = request.peer_workload ?? (request.direction === 'inbound' ? '(unmeshed)' : request.authority);
  return request.direction === 'inbound'
    ? { client: peer, server: request.workload }
    : { client: request.workload, server: peer };
}

/** Phases of the proxy's work, longest first, in milliseconds. */
export function phases(request: TapRequest): [string, number][] {
  const all = Object.entries(request.proxy_time?.phases_us ?? {});
  return all
    .filter(([, us]) => us > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([name, us]) => [name, us / 1000]);
}
