import { quoteComma } from '../../base/text.ts';
import type { SmbiosTable } from '../../config/types.ts';
import { option, type PlainOption } from './description.ts';
import { properties } from './option.ts';

/** Types of structures: DMTF DSP0134 (System Management BIOS), clause 7. */
const TYPES: Readonly<Record<SmbiosTable['table'], number>> = {
  bios: 0,
  system: 1,
  baseboard: 2,
  chassis: 3,
  processor: 4,
  oem: 11,
};

/** The tables that the firmware shows. */
export function smbiosOptions(tables: readonly SmbiosTable[]): PlainOption[] {
  return tables.map(({ index, table, fields }) =>
    option(
      `SMBIOS${index}`,
      '-smbios',
      properties(`type=${TYPES[table]}`, ...fields.map(([name, value]) => `${name}=${quoteComma(value)}`)),
    ),
  );
}
