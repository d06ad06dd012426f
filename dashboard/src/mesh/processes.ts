// Which members share a process: what is told of it is of all of them.

import type { Schema } from '../api/answer';

type Member = Pick<Schema<'MeshMember'>, 'pid' | 'machine'> & {
  process?: Pick<Schema<'MemberProcess'>, 'members' | 'roles'> | null;
};

/** The process in words, when the member is not alone in it. */
export function sharedProcess({ pid, machine, process }: Member): string | undefined {
  if (!process) return undefined;
  const roles = process.roles ?? [];
  if (process.members < 2 && roles.length === 0) return undefined;
  const proxies = process.members === 1 ? '1 proxy' : `${process.members} proxies`;
  return `process ${pid}${machine ? ` at ${machine}` : ''} runs ${[proxies, ...roles].join(', ')}`;
}

/** All such processes, each once. */
export function sharedProcesses(members: Member[]): string[] {
  return [...new Set(members.flatMap((member) => sharedProcess(member) ?? []))];
}
