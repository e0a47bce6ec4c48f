import type { MachineConfig } from '../../config/types.ts';
import { deriveUuid } from '../../config/uuid.ts';
import type { Chipset } from './chipset.ts';
import { device, option, type Part } from './description.ts';
import type { ArgvRequest } from './request.ts';

/** The device of each PC that has the ACPI sleep states. */
const POWER_DEVICES = { q35: 'ICH9-LPC', pc: 'PIIX4_PM' } as const;

/** Timers, sleep states and generation ID of PCs; other boards have none of them. */
export function platformParts({ config, accelerator }: ArgvRequest, chipset: Chipset): Part[] {
  return [...pcParts(config, accelerator, chipset), ...generationParts(config)];
}

function pcParts({ hpet, pit, s3, s4 }: MachineConfig, accelerator: 'kvm' | 'tcg', chipset: Chipset): Part[] {
  if (chipset !== 'q35' && chipset !== 'pc') return [];
  const power = POWER_DEVICES[chipset];
  return [
    ...(hpet ? [] : [option('HPET', '-machine', 'hpet=off')]),
    // Under TCG there is another PIT, which has no such property.
    ...(pit === 'delay' || accelerator === 'tcg' ? [] : [option('PIT', '-global', `kvm-pit.lost_tick_policy=${pit}`)]),
    ...(s3 ? [] : [option('S3', '-global', `${power}.disable_s3=1`)]),
    ...(s4 ? [] : [option('S4', '-global', `${power}.disable_s4=1`)]),
  ];
}

function generationParts({ vmGenerationId, uuid }: MachineConfig): Part[] {
  if (vmGenerationId === undefined) return [];
  const guid = vmGenerationId === 'on' ? deriveUuid(`VMGENID ${uuid}`) : vmGenerationId;
  return [device('VMGENID', 'vmgenid', { id: 'vmgenid' }, { guid })];
}
