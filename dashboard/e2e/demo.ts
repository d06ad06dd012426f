// A real mesh: `clew demo` of this build, on ports that the system gives.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROGRAM = process.env.CLEW_TEST_PROGRAM ?? new URL('../../target/debug/clew', import.meta.url).pathname;
const PATIENCE_MS = 60_000;

export interface Demo {
  /** Where the API and the dashboard are. */
  base: string;
  /** Where requests from outside come in. */
  gateway: string;
  end: () => Promise<void>;
}

/** The mesh's roles alone, to which applications send spans of their own. */
export interface Roles {
  /** Where the API and the dashboard are. */
  base: string;
  /** Where OTLP/HTTP is taken in. */
  otlp: string;
  end: () => Promise<void>;
}

interface Ready {
  api: string;
  gateway: string;
  otlp_http: string;
}

interface Started extends Ready {
  end: () => Promise<void>;
}

export async function startDemo(...flags: string[]): Promise<Demo> {
  const folder = mkdtempSync(join(tmpdir(), 'clew-dashboard-'));
  const ready = join(folder, 'ready.json');
  // The mesh ends by itself, should nobody end it.
  const args = ['demo', '--api', 'http://127.0.0.1:0', '--for', '10m', '--ready-file', ready, ...flags];
  const { api, gateway, end } = await start(args, () => readIfThere(ready));
  const endAll = async () => {
    await end();
    rmSync(folder, { recursive: true });
  };
  return { base: `http://${api}`, gateway: `http://${gateway}`, end: endAll };
}

export async function startRoles(): Promise<Roles> {
  const args = ['roles', '--api', 'http://127.0.0.1:0', '--otlp-http', '127.0.0.1:0', '--idle-exit', '10m'];
  // They say where they are in a line of JSON.
  const { api, otlp_http, end } = await start(args, (said) => {
    const line = said.split('\n').find((line) => line.startsWith('{') && line.endsWith('}'));
    return line === undefined ? undefined : JSON.parse(line);
  });
  return { base: `http://${api}`, otlp: `http://${otlp_http}`, end };
}

/** Runs the program until it is ended; `readyBy` finds where it answers, in what it said or elsewhere. */
async function start(args: string[], readyBy: (said: string) => Ready | undefined): Promise<Started> {
  const process = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('data', (data) => {
      said += data;
    });
  }
  const end = () => ended(process);
  try {
    const ready = await until(`a mesh of ${PROGRAM}`, () => {
      if (process.exitCode !== null) throw new Error(`it ended:\n${said}`);
      return readyBy(said);
    });
    return { ...ready, end };
  } catch (error) {
    await end();
    throw error;
  }
}

function readIfThere(file: string): Ready | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

async function ended(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null) return;
  const exit = new Promise((done) => process.once('exit', done));
  process.kill('SIGINT');
  await exit;
}

/** Asks again until there is an answer. */
export async function until<T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const begun = Date.now();
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() - begun > PATIENCE_MS) throw new Error(`there was no ${what} within ${PATIENCE_MS / 1000} s`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** What the API answers. */
export async function answer<Body>(base: string, question: string): Promise<Body> {
  const response = await fetch(`${base}/api/v1/${question}`);
  if (!response.ok) throw new Error(`${question}: ${response.status} ${await response.text()}`);
  return response.json() as Promise<Body>;
}

/** Sends a request from outside of the mesh; its status. */
export function request(url: string): Promise<number | undefined> {
  return new Promise((done, fail) => {
    get(url, (response) => {
      response.resume();
      response.on('end', () => done(response.statusCode));
    }).on('error', fail);
  });
}
