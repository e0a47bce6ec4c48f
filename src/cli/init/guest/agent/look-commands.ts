import type { GuestFileSystem, GuestInterface, GuestUser } from '../../../../qmp/agent/agent-answers.ts';
import { printableCell } from '../../../output/printable.ts';
import { tableLines } from '../../../output/table.ts';
import type { AgentAnswer, AgentCall } from './agent-command.ts';

/** `ping`: whether the agent answers, and how fast. */
export async function ping({ agent, target, context }: AgentCall): Promise<AgentAnswer> {
  const began = performance.now();
  await agent.ping({ signal: context.signal });
  const seconds = Math.round(performance.now() - began) / 1000;
  return { json: { seconds }, text: `${target.longName}: the guest agent answered after ${seconds} s` };
}

/** `info`: version and commands. */
export async function info({ agent, target, context }: AgentCall): Promise<AgentAnswer> {
  const { version, commands } = await agent.info({ signal: context.signal });
  const lines = commands.map(({ name, enabled }) => `  ${printableCell(name)}${enabled ? '' : ' (disabled)'}`);
  const text = [`${target.longName}: guest agent ${printableCell(version)}`, ...lines].join('\n');
  return { json: { version, commands }, text };
}

/** `addresses`: the interfaces of the guest. */
export async function addresses({ agent, context }: AgentCall): Promise<AgentAnswer> {
  const interfaces = await agent.networkInterfaces({ signal: context.signal });
  const rows = interfaces.map(interfaceRow);
  const json = interfaces.map((each) => ({ ...each, mac: each.mac ?? null }));
  return { json: { interfaces: json }, text: table([['INTERFACE', 'MAC', 'ADDRESSES'], ...rows]) };
}

function interfaceRow({ name, mac, addresses: list }: GuestInterface): string[] {
  return [name, mac ?? '-', list.map(({ address, prefix }) => `${address}/${prefix}`).join(' ') || '-'];
}

/** `users`: who is logged in. */
export async function users({ agent, context }: AgentCall): Promise<AgentAnswer> {
  const list = await agent.users({ signal: context.signal });
  const json = list.map((each) => ({
    ...each,
    domain: each.domain ?? null,
    loggedInAt: each.loggedInAt.toISOString(),
  }));
  return { json: { users: json }, text: table([['USER', 'LOGGED IN'], ...list.map(userRow)]) };
}

function userRow({ user, domain, loggedInAt }: GuestUser): string[] {
  return [domain === undefined ? user : `${domain}\\${user}`, loggedInAt.toISOString()];
}

/** `fs`: the mounted file systems. */
export async function fileSystems({ agent, context }: AgentCall): Promise<AgentAnswer> {
  const list = await agent.fileSystems({ signal: context.signal });
  const json = list.map(({ name, mountPoint, type, usedBytes, totalBytes }) => ({
    name,
    mountPoint,
    type,
    usedBytes: usedBytes ?? null,
    totalBytes: totalBytes ?? null,
  }));
  const headings = ['MOUNTED ON', 'NAME', 'TYPE', 'USED', 'SIZE'];
  return { json: { fileSystems: json }, text: table([headings, ...list.map(fileSystemRow)]) };
}

function fileSystemRow({ mountPoint, name, type, usedBytes, totalBytes }: GuestFileSystem): string[] {
  return [mountPoint, name, type, mebibytes(usedBytes), mebibytes(totalBytes)];
}

function mebibytes(bytes: number | undefined): string {
  return bytes === undefined ? '-' : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

/** The cells come from a guest. */
function table(rows: readonly (readonly string[])[]): string {
  return tableLines(
    rows.map((row) => row.map(printableCell)),
    (cell) => cell,
  ).join('\n');
}
