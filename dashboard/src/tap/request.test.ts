import { expect, test } from 'vitest';
import type { TapRequest } from './buffer';
import { outcome, parties, phases } from './request';

const request = (given: Partial<TapRequest>) =>
  ({
    direction: 'inbound',
    workload: 'books',
    authority: 'books:80',
    classification: 'success',
    ...given,
  }) as TapRequest;

test('the outcome is the status, and for what has none the reason', () => {
  expect(outcome(request({ status_code: 200 }))).toMatchObject({ text: '200', health: 'good' });
  expect(outcome(request({ status_code: 404 }))).toMatchObject({ text: '404', health: 'warn' });
  expect(outcome(request({ status_code: 200, grpc_status: '14', classification: 'failure' }))).toMatchObject({
    text: 'unavailable',
    health: 'bad',
  });
  expect(outcome(request({ status_code: 200, grpc_status: '0' }))).toMatchObject({ text: 'ok', health: 'good' });
  expect(outcome(request({ status_code: 200, grpc_status: '5' }))).toMatchObject({ text: 'not found', health: 'warn' });
  expect(outcome(request({ error: 'connect_failed', classification: 'failure' }))).toMatchObject({
    text: 'connect_failed',
    word: 'connect_failed',
  });
  expect(outcome(request({ classification: 'cancelled' })).text).toBe('given up');
  expect(outcome(request({ open: true, classification: '' })).text).toBe('open');
});

test('the client stands before the server, whichever of them is watched', () => {
  expect(parties(request({ peer_workload: 'webapp' }))).toEqual({ client: 'webapp', server: 'books' });
  expect(parties(request({}))).toEqual({ client: '(unmeshed)', server: 'books' });
  expect(parties(request({ direction: 'outbound', authority: 'pay.example' }))).toEqual({
    client: 'books',
    server: 'pay.example',
  });
});

test('phases are in milliseconds, the longest first', () => {
  const proxy_time = { work_us: 30, wait_us: 0, phases_us: { route: 10, request: 20, balance: 0 } };
  expect(phases(request({ proxy_time }))).toEqual([
    ['request', 0.02],
    ['route', 0.01],
  ]);
});
