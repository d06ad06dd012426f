import { expect, test } from 'vitest';
import { sharedProcess, sharedProcesses } from './processes';

const alone = { pid: 7, process: { members: 1 } };
const one = { pid: 8, process: { members: 2, roles: ['control', 'observe'] } };

test('a process is told of where others are in it', () => {
  expect(sharedProcess(alone)).toBeUndefined();
  expect(sharedProcess({ pid: 7 })).toBeUndefined();
  expect(sharedProcess(one)).toBe('process 8 runs 2 proxies, control, observe');
  expect(sharedProcess({ ...one, machine: '10.0.0.7' })).toBe('process 8 at 10.0.0.7 runs 2 proxies, control, observe');
});

test('each process is named once', () => {
  expect(sharedProcesses([one, alone, one])).toEqual(['process 8 runs 2 proxies, control, observe']);
});
