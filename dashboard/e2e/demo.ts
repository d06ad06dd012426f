// A real mesh: `clew demo` of this build, on ports that the system gives.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

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

export async function startDemo(...flags: string[]): Promise<Demo> {
  const { ready, end } = await start((folder) => {
    const file = join(folder, 'ready.json');
    // The mesh ends by itself, should nobody end it.
    const args = ['demo', '--api', 'http://127.0.0.1:0', '--for', '20m', '--ready-file', file, ...flags];
    return { args, ready: () => readIfThere(file) };
  });
  return { base: `http://${ready.api}`, gateway: `http://${ready.gateway}`, end };
}

export async function startRoles(): Promise<Roles> {
  const { ready, end } = await start(() => ({
    args: ['roles', '--api', 'http://127.0.0.1:0', '--otlp-http', '127.0.0.1:0', '--idle-exit', '20m'],
    // They say where they are in a line of JSON.
    ready: (said) => {
      const line = said.split('\n').find((line) => line.startsWith('{') && line.endsWith('}'));
      return line === undefined ? undefined : JSON.parse(line);
    },
  }));
  return { base: `http://${ready.api}`, otlp: `http://${ready.otlp_http}`, end };
}

interface Command {
  args: string[];
  /** Where it answers, once it has said so. */
  ready: (said: string) => Ready | undefined;
}

/** Runs the program until it is ended, with a folder of its own for what it keeps. */
async function start(commandIn: (folder: string) => Command): Promise<{ ready: Ready; end: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'clew-dashboard-'));
  const command = commandIn(folder);
  const mesh = spawn(PROGRAM, command.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, XDG_STATE_HOME: folder },
  });
  let said = '';
  for (const stream of [mesh.stdout, mesh.stderr]) {
    stream.on('data', (data) => {
      said += data;
    });
  }
  const end = async () => {
    await ended(mesh);
    rmSync(folder, { recursive: true });
  };
  try {
    const ready = await until(`a mesh of ${PROGRAM}`, () => {
      if (mesh.exitCode !== null) throw new Error(`it ended:\n${said}`);
      return command.ready(said);
    });
    return { ready, end };
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

/** Runs a command of `clew` in a shell, as someone who has copied it; what it said on both streams. */
export function runCommand(command: string, api: string): Promise<{ code: number | null; said: string }> {
  const env = { ...process.env, PATH: `${dirname(PROGRAM)}:${process.env.PATH}`, CLEW_API: api };
  return new Promise((done) => {
    const shell = execFile('sh', ['-c', command], { env, timeout: PATIENCE_MS }, (_, output, errors) =>
      done({ code: shell.exitCode, said: output + errors }),
    );
  });
}
