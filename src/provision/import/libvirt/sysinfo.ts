import { quoteComma } from '../../../base/text.ts';
import { renderOptionList } from '../../../config/text/option-list.ts';
import type { ImportDraft } from '../draft.ts';
import { carry, lose } from './sweep.ts';
import type { XmlElement } from './xml.ts';

/** Blocks of `<sysinfo type='smbios'>`, the tables of SMBIOSx, and entries that have another name there. */
const TABLES: Readonly<Record<string, string>> = {
  bios: 'bios',
  system: 'system',
  baseBoard: 'baseboard',
  chassis: 'chassis',
  processor: 'processor',
};

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  bios: ['vendor', 'version', 'date', 'release'],
  system: ['manufacturer', 'product', 'version', 'serial', 'sku', 'family'],
  baseboard: ['manufacturer', 'product', 'version', 'serial', 'asset', 'location'],
  chassis: ['manufacturer', 'version', 'serial', 'asset', 'sku'],
  processor: ['manufacturer', 'version', 'serial', 'asset', 'part'],
};

/** Texts of the firmware's tables, which the guest sees when `<os>` has `<smbios mode='sysinfo'/>`. */
export function readSystemInformation(draft: ImportDraft, root: XmlElement): void {
  const mode = root.child('os')?.child('smbios');
  const isShown = mode?.attribute('mode') === 'sysinfo';
  if (mode && isShown) carry(draft, mode, '');
  else if (mode && mode.attribute('mode') !== 'emulate') lose(mode, 'the tables of this host are not copied');
  for (const sysinfo of root.all('sysinfo')) {
    const type = sysinfo.attribute('type');
    if (type === 'fwcfg') readFirmwareConfig(draft, sysinfo);
    else if (type !== 'smbios') lose(sysinfo, 'only the texts of SMBIOS can be set');
    else if (!isShown) lose(sysinfo, 'libvirt does not show them to the guest either');
    else for (const block of sysinfo.children) readBlock(draft, block);
  }
}

/** Files and texts for the firmware and the guest, such as those of Ignition. */
function readFirmwareConfig(draft: ImportDraft, sysinfo: XmlElement): void {
  for (const entry of sysinfo.all('entry')) {
    const name = entry.attribute('name') ?? '';
    const file = entry.attribute('file');
    const text = entry.ownText() ?? '';
    const source = file === undefined ? `string=${quoteComma(text)}` : `file=${quoteComma(file)}`;
    entry.isNoted = true;
    draft.addCustom(entry, ['-fw_cfg', `name=${quoteComma(name)},${source}`], 'an option of QEMU');
  }
}

function readBlock(draft: ImportDraft, block: XmlElement): void {
  if (block.name === 'oemStrings') {
    for (const entry of block.all('entry')) {
      const device = draft.addDevice('SMBIOS', 'oem', [['value', entry.ownText() ?? '']]);
      carry(draft, entry, device);
    }
    return;
  }
  const table = TABLES[block.name];
  if (table === undefined) return;
  const device = draft.addDevice('SMBIOS', table);
  for (const entry of block.all('entry')) {
    const name = entry.attribute('name') ?? '';
    const value = entry.ownText() ?? '';
    // The UUID of the system is that of the machine.
    if (table === 'system' && name === 'uuid') carry(draft, entry, 'UUID', value);
    else if (FIELDS[table]?.includes(name)) {
      device.options.push([name, value]);
      carry(draft, entry, device, renderOptionList(table, [[name, value]]));
    }
  }
  if (device.options.length === 0) draft.devices.SMBIOS.pop();
}
