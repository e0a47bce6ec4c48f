import { asRecord, isRecord, optionalNumber, optionalText } from '../../base/guards.ts';
import { badReply } from './agent-session.ts';

/** One command that an agent knows. */
export interface AgentCommandInfo {
  readonly name: string;
  /** False when whoever set up the guest has turned it off. */
  readonly enabled: boolean;
}

/** What an agent reports about itself (`guest-info`). */
export interface AgentInfo {
  readonly version: string;
  readonly commands: readonly AgentCommandInfo[];
}

/** An address of a guest's interface. */
export interface GuestAddress {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  /** Bits of the network. */
  readonly prefix: number;
}

/** A network interface as the guest has it. */
export interface GuestInterface {
  readonly name: string;
  /** Undefined for one that has none, such as a tunnel. */
  readonly mac: string | undefined;
  readonly addresses: readonly GuestAddress[];
}

/** Somebody who is logged in. */
export interface GuestUser {
  readonly user: string;
  /** Of Windows. */
  readonly domain: string | undefined;
  readonly loggedInAt: Date;
}

/** A mounted file system. */
export interface GuestFileSystem {
  readonly name: string;
  readonly mountPoint: string;
  /** `ext4`, `NTFS` … */
  readonly type: string;
  /** Undefined when the agent does not report it. */
  readonly usedBytes: number | undefined;
  readonly totalBytes: number | undefined;
  /** Places on the PCI buses of the disks that it is on, or of their controllers, where the agent reports them. */
  readonly disks: readonly GuestPciAddress[];
}

/** A place on a PCI bus, by the numbers that the guest gave. */
export interface GuestPciAddress {
  readonly bus: number;
  readonly slot: number;
  readonly function: number;
}

/** Reads answers of one command, which come from a guest: anything may be in them. */
export class AnswerReader {
  readonly #command: string;

  constructor(command: string) {
    this.#command = command;
  }

  /** @throws {QemuError} `QEMU_QMP_BAD_REPLY`, as all below. */
  record(value: unknown, what = 'the answer'): Readonly<Record<string, unknown>> {
    if (isRecord(value)) return value;
    throw badReply(this.#command, `${what} is not an object`);
  }

  list(value: unknown, what = 'the answer'): readonly Readonly<Record<string, unknown>>[] {
    if (!Array.isArray(value)) throw badReply(this.#command, `${what} is not a list`);
    return value.map((each) => this.record(each, `an item of ${what}`));
  }

  text(value: unknown, what: string): string {
    if (typeof value === 'string') return value;
    throw badReply(this.#command, `"${what}" is not a string`);
  }

  /** A whole number from 0, at most `most`. */
  count(value: unknown, what: string, most: number = Number.MAX_SAFE_INTEGER): number {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
    throw badReply(this.#command, `"${what}" is not a whole number from 0 to ${most}`);
  }

  bytes(value: unknown, what: string): Buffer {
    const text = this.text(value, what);
    if (/^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0) return Buffer.from(text, 'base64');
    throw badReply(this.#command, `"${what}" is not base64`);
  }
}

export function readInfo(value: unknown): AgentInfo {
  const reader = new AnswerReader('guest-info');
  const info = reader.record(value);
  const commands = reader.list(info['supported_commands'], '"supported_commands"');
  return {
    version: reader.text(info['version'], 'version'),
    commands: commands.map(({ name, enabled }) => ({ name: reader.text(name, 'name'), enabled: enabled === true })),
  };
}

export function readInterfaces(value: unknown): GuestInterface[] {
  const reader = new AnswerReader('guest-network-get-interfaces');
  return reader.list(value).map((each) => ({
    name: reader.text(each['name'], 'name'),
    mac: optionalText(each['hardware-address']),
    addresses: reader.list(each['ip-addresses'] ?? [], '"ip-addresses"').map((address) => {
      const family = address['ip-address-type'] === 'ipv6' ? 'ipv6' : 'ipv4';
      return {
        address: reader.text(address['ip-address'], 'ip-address'),
        family,
        prefix: reader.count(address['prefix'], 'prefix', family === 'ipv6' ? 128 : 32),
      };
    }),
  }));
}

export function readUsers(value: unknown): GuestUser[] {
  const reader = new AnswerReader('guest-get-users');
  return reader.list(value).map((each) => ({
    user: reader.text(each['user'], 'user'),
    domain: optionalText(each['domain']),
    loggedInAt: toDate(reader, 1000 * (optionalNumber(each['login-time']) ?? Number.NaN), 'login-time'),
  }));
}

export function readFileSystems(value: unknown): GuestFileSystem[] {
  const reader = new AnswerReader('guest-get-fsinfo');
  return reader.list(value).map((each) => ({
    name: reader.text(each['name'], 'name'),
    mountPoint: reader.text(each['mountpoint'], 'mountpoint'),
    type: reader.text(each['type'], 'type'),
    usedBytes: optionalNumber(each['used-bytes']),
    totalBytes: optionalNumber(each['total-bytes']),
    disks: reader.list(each['disk'] ?? [], '"disk"').flatMap(readPciAddress),
  }));
}

/** An agent that does not know it reports -1. */
function readPciAddress(disk: Readonly<Record<string, unknown>>): GuestPciAddress[] {
  const place = asRecord(disk['pci-controller']);
  const [domain, bus, slot, fn] = ['domain', 'bus', 'slot', 'function'].map((name) => optionalNumber(place[name]));
  if (domain !== 0 || bus === undefined || slot === undefined || fn === undefined) return [];
  return [{ bus, slot, function: fn }];
}

/** Of nanoseconds since 1970, which a number does not hold exactly. */
export function readTime(value: unknown): Date {
  const reader = new AnswerReader('guest-get-time');
  return toDate(reader, Math.floor((optionalNumber(value) ?? Number.NaN) / 1_000_000), 'return');
}

function toDate(reader: AnswerReader, ms: number, what: string): Date {
  // The last millisecond that a Date has.
  reader.count(Math.floor(ms), what, 8_640_000_000_000_000);
  return new Date(ms);
}
