import { quote } from '../../base/text.ts';
import { SMBIOS_TABLES } from '../keys/values.ts';
import { keySpec } from '../keys.ts';
import {
  type OptionList,
  parseOptionList,
  readChoice,
  renderOptionList,
  type ValueContext,
} from '../text/option-list.ts';
import type { MachineConfig, SmbiosTable } from '../types.ts';

/** What each table has: qemu-system(1), "-smbios". */
const FIELDS: Readonly<Record<SmbiosTable['table'], readonly string[]>> = {
  bios: ['vendor', 'version', 'date', 'release'],
  system: ['manufacturer', 'product', 'version', 'serial', 'sku', 'family'],
  baseboard: ['manufacturer', 'product', 'version', 'serial', 'asset', 'location'],
  chassis: ['manufacturer', 'version', 'serial', 'asset', 'sku'],
  processor: ['manufacturer', 'version', 'serial', 'asset', 'part'],
  oem: ['value'],
};

/** Reads a `SMBIOSx`; undefined when it names no table. Problems are reported. */
export function parseSmbios(text: string, index: number, context: ValueContext): SmbiosTable | undefined {
  const specs = keySpec('SMBIOS').options ?? [];
  const list = parseOptionList(text, specs, 'word', context);
  const table = readChoice(context.key, list.head.trim(), SMBIOS_TABLES, context.report);
  if (table === undefined) return undefined;
  const fields = specs.flatMap(({ name }) => list.all(name).map((value) => [name, value] as const));
  const isComplete = checkFields(table, list, fields, context);
  return isComplete ? { index, table, fields } : undefined;
}

/** Writes a table as {@link parseSmbios} reads it. */
export function renderSmbios({ table, fields }: SmbiosTable): string {
  return renderOptionList(table, fields);
}

function checkFields(
  table: SmbiosTable['table'],
  list: OptionList,
  fields: SmbiosTable['fields'],
  { key, report }: ValueContext,
): boolean {
  const known = FIELDS[table];
  const foreign = new Set(fields.map(([name]) => name).filter((name) => !known.includes(name)));
  for (const name of foreign) report(`${key} ${table} has no option ${name}=; known options: ${known.join(', ')}`);
  if (fields.length === 0) report(`${key} ${table} has no options; known options: ${known.join(', ')}`);
  const release = list.get('release');
  if (release !== undefined && !isRelease(release)) {
    report(`${key} release must be two numbers from 0 to 255 such as 1.2, not ${quote(release)}`);
  }
  return foreign.size === 0 && fields.length > 0;
}

function isRelease(text: string): boolean {
  const numbers = /^(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1) ?? [];
  return numbers.length === 2 && numbers.every((number) => Number(number) < 256);
}

/** Each kind of table may be there once, except `oem`. */
export function checkSmbios({ smbios }: MachineConfig, report: (key: string, message: string) => void): void {
  for (const [position, { index, table }] of smbios.entries()) {
    const other = smbios.slice(0, position).find((before) => before.table === table);
    if (other !== undefined && table !== 'oem')
      report(`SMBIOS${index}`, `SMBIOS${index} is ${table}, like SMBIOS${other.index}; only oem may be repeated`);
  }
}
