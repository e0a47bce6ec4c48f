import type { MachineConfig } from '../../../config/types.ts';
import { resourceProperties } from '../../../machine/limits/resource-properties.ts';
import { type UnitLine, unitPath } from './unit-text.ts';

/** What the unit may use of the host. */
export function resourceLines(config: Pick<MachineConfig, 'limits' | 'disks'>): UnitLine[] {
  return resourceProperties(config).map(({ name, place, value }): UnitLine => {
    return [name, place === undefined ? value : `${unitPath(place)} ${value}`];
  });
}
