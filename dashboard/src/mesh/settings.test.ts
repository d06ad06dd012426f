import { expect, test } from 'vitest';
import { rows } from './settings';

const usual = {
  tracing: true,
  sampling_ratio: 1,
  write_formats: [],
  access_log: 'off',
  show_headers: [],
  audit: true,
};
const of = (name: string, settings: Parameters<typeof rows>[0]) => rows(settings).find((row) => row.name === name);

test('settings are told in words', () => {
  expect(of('Sampling', usual)?.value).toBe('all new traces');
  expect(of('Sampling', { ...usual, sampling_ratio: 0.1 })?.value).toBe('10% of new traces');
  expect(of('Sampling', { ...usual, sampling_ratio: 0.0025 })?.value).toBe('0.250% of new traces');
  expect(of('Sampling', { ...usual, sampling_ratio: 0 })?.value).toBe('none');
  expect(of('Formats written', { ...usual, write_formats: ['b3'] })?.value).toBe('W3C, b3');
  expect(of('Limit of new traces', { ...usual, sampling_max_per_second: 5 })?.value).toBe('5 a second for each proxy');
});

test('the command of each changes it', () => {
  expect(rows(usual).map((row) => row.command)).toEqual([
    'clew settings --tracing off',
    'clew settings --sample 0.1',
    'clew settings --max-traces-per-second 10',
    'clew settings --write b3',
    'clew settings --audit off',
    'clew settings --show-header content-type',
    'clew settings --access-log errors',
  ]);
  expect(of('Tracing', { ...usual, tracing: false })?.command).toBe('clew settings --tracing on');
  expect(of('Sampling', { ...usual, sampling_ratio: 0 })?.command).toBe('clew settings --sample 1');
});
