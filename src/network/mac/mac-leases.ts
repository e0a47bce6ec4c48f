import { QemuError } from '../../base/errors.ts';
import { MAC_COUNT, macCandidates, normalizeMac } from './mac.ts';

/** One NIC of one machine. */
export interface NicId {
  /** Long name of the machine. */
  readonly machine: string;
  /** x of NICx, from 1. */
  readonly index: number;
}

/** Which NIC has which address. Changed in place by {@link leaseMacs} and {@link releaseMacs}. */
export interface LeaseTable {
  /** Long name → x → its addresses. */
  readonly machines: Map<string, Map<number, Lease>>;
  /** Address → its NIC; both the leased and the fixed ones. */
  readonly owners: Map<string, NicId>;
  /** The file exists but could not be parsed as a table. */
  readonly damaged: boolean;
}

/** The addresses of one NIC. */
export interface Lease {
  /** Derived once and kept, even when NAME and OS change. */
  readonly derived?: string | undefined;
  /** `mac=` of the cfg file at the last start; takes precedence over the derived one. */
  readonly fixed?: string | undefined;
}

/** The NICs of a machine that need addresses. */
export interface MacRequest {
  /** Long name. */
  readonly machine: string;
  readonly name: string;
  readonly os: string;
  readonly nics: readonly { readonly index: number; readonly mac?: string | undefined }[];
}

/**
 * Parses a lease file. Damaged entries are left out: addresses are derived again from the same text, so they come out
 * the same, except the few that had to avoid another NIC's address.
 */
export function parseLeases(text: string | undefined): LeaseTable {
  const table = { machines: new Map<string, Map<number, Lease>>(), owners: new Map<string, NicId>() };
  const content = text === undefined ? {} : parseJson(text);
  let damaged = !isObject(content);
  for (const [machine, nics] of entriesOf(content)) {
    for (const [key, value] of entriesOf(nics)) {
      const id = { machine, index: Number(key) };
      const lease = parseLease(value);
      const isUsable = Number.isSafeInteger(id.index) && id.index > 0 && lease !== undefined;
      if (isUsable && !macsOf(lease).some((mac) => table.owners.has(mac))) store(table, id, lease);
      else damaged = true;
    }
  }
  return { ...table, damaged };
}

/** The text of the lease file: one machine per line, sorted by name, so that two files are easy to compare. */
export function renderLeases(table: LeaseTable): string {
  const lines = [...table.machines]
    .filter(([, nics]) => nics.size > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([machine, nics]) => `  ${JSON.stringify(machine)}: ${JSON.stringify(Object.fromEntries(nics))}`);
  return lines.length === 0 ? '{}\n' : `{\n${lines.join(',\n')}\n}\n`;
}

/**
 * Gives every NIC of the request its address: `mac=`, else the one it has leased, else the first of its candidates that
 * no NIC has. It is entered into the table.
 *
 * @param takenElsewhere addresses, upper case, that are in use but not in the table.
 * @returns x → address, upper case; `changed` when the table has to be written.
 * @throws {QemuError} `QEMU_CONFIG_INVALID` when `mac=` is not an address, belongs to another NIC, or no address is
 * left.
 */
export function leaseMacs(
  table: LeaseTable,
  request: MacRequest,
  takenElsewhere: ReadonlySet<string> = new Set(),
): { macs: Map<number, string>; changed: boolean } {
  const macs = new Map<number, string>();
  let changed = forgetOldFixed(table, request);
  for (const nic of request.nics) {
    const id = { machine: request.machine, index: nic.index };
    const old = table.machines.get(id.machine)?.get(id.index);
    const fixed = nic.mac === undefined ? undefined : fixedMac(table, id, nic.mac);
    const derived =
      old?.derived ?? (fixed === undefined ? deriveMac(table, request, nic.index, takenElsewhere) : undefined);
    if (old?.fixed !== fixed || old?.derived !== derived) {
      store(table, id, { ...(derived && { derived }), ...(fixed && { fixed }) });
      changed = true;
    }
    const mac = fixed ?? derived;
    if (mac !== undefined) macs.set(nic.index, mac);
  }
  return { macs, changed };
}

/** Frees the addresses of a machine. False when it had none. */
export function releaseMacs(table: LeaseTable, machine: string): boolean {
  for (const [mac, owner] of table.owners) if (owner.machine === machine) table.owners.delete(mac);
  return table.machines.delete(machine);
}

/** Gives the addresses of a machine to another name of it. False when it has none. */
export function renameMacs(table: LeaseTable, from: string, to: string): boolean {
  const nics = table.machines.get(from);
  if (nics === undefined) return false;
  table.machines.delete(from);
  table.machines.set(to, nics);
  for (const [mac, owner] of table.owners) {
    if (owner.machine === from) table.owners.set(mac, { ...owner, machine: to });
  }
  return true;
}

/** An address and the NICs that share it. */
export interface MacCollision {
  readonly mac: string;
  /** At least two. */
  readonly nics: readonly NicId[];
}

/** The addresses that more than one NIC has. Invalid addresses are ignored. */
export function macCollisions(nics: Iterable<NicId & { readonly mac: string }>): MacCollision[] {
  const byMac = new Map<string, NicId[]>();
  for (const { machine, index, mac } of nics) {
    const key = normalizeMac(mac);
    if (key === undefined) continue;
    const sharers = byMac.get(key) ?? [];
    sharers.push({ machine, index });
    byMac.set(key, sharers);
  }
  return [...byMac].filter(([, sharers]) => sharers.length > 1).map(([mac, sharers]) => ({ mac, nics: sharers }));
}

/** Drops the previous values of `mac=`, so that two NICs of a machine can swap addresses. */
function forgetOldFixed(table: LeaseTable, request: MacRequest): boolean {
  const wanted = new Map(
    request.nics.map((nic) => [nic.index, nic.mac === undefined ? undefined : normalizeMac(nic.mac)]),
  );
  let changed = false;
  for (const [index, { derived, fixed }] of table.machines.get(request.machine) ?? []) {
    if (fixed === undefined || fixed === wanted.get(index)) continue;
    table.owners.delete(fixed);
    if (derived === undefined) table.machines.get(request.machine)?.delete(index);
    else store(table, { machine: request.machine, index }, { derived });
    changed = true;
  }
  return changed;
}

function fixedMac(table: LeaseTable, id: NicId, text: string): string {
  const mac = normalizeMac(text);
  if (mac === undefined) {
    throw new QemuError(
      'QEMU_CONFIG_INVALID',
      `Cannot use "${text}" as the address of NIC${id.index} of "${id.machine}"`,
      {
        hint: 'write six bytes such as DE:AD:BE:EF:00:01, the first of them even',
      },
    );
  }
  const owner = table.owners.get(mac);
  if (owner !== undefined && !isSame(owner, id)) {
    throw new QemuError(
      'QEMU_CONFIG_INVALID',
      `Cannot give "${mac}" to NIC${id.index} of "${id.machine}": NIC${owner.index} of "${owner.machine}" has it`,
      {
        hint: `choose another mac=, or release the addresses of "${owner.machine}" with: qemu-init unregister ${owner.machine}`,
      },
    );
  }
  return mac;
}

/** With one address left, a million candidates miss it once in four million attempts. */
const CANDIDATES_MAX = 16 * MAC_COUNT;

function deriveMac(table: LeaseTable, request: MacRequest, index: number, takenElsewhere: ReadonlySet<string>): string {
  let tried = 0;
  for (const mac of macCandidates(request.name, request.os, index)) {
    if (!table.owners.has(mac) && !takenElsewhere.has(mac)) return mac;
    tried += 1;
    if (tried === CANDIDATES_MAX) break;
  }
  throw new QemuError('QEMU_CONFIG_INVALID', `Cannot find a free address for NIC${index} of "${request.machine}"`, {
    hint: 'set one in the cfg file with mac=',
  });
}

function store(table: Pick<LeaseTable, 'machines' | 'owners'>, id: NicId, lease: Lease): void {
  const nics = table.machines.get(id.machine) ?? new Map<number, Lease>();
  table.machines.set(id.machine, nics.set(id.index, lease));
  for (const mac of macsOf(lease)) table.owners.set(mac, id);
}

function macsOf(lease: Lease): string[] {
  return [lease.derived, lease.fixed].filter((mac) => mac !== undefined);
}

function isSame(a: NicId, b: NicId): boolean {
  return a.machine === b.machine && a.index === b.index;
}

function parseLease(value: unknown): Lease | undefined {
  if (!isObject(value)) return undefined;
  const derived = macIn(value['derived']);
  const fixed = macIn(value['fixed']);
  return derived === undefined && fixed === undefined
    ? undefined
    : { ...(derived && { derived }), ...(fixed && { fixed }) };
}

function macIn(value: unknown): string | undefined {
  return typeof value === 'string' ? normalizeMac(value) : undefined;
}

function entriesOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
