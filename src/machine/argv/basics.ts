import { quoteComma } from '../../base/text.ts';
import { renderSize } from '../../config/text/values.ts';
import type { MachineConfig } from '../../config/types.ts';
import { chipsetOf } from './chipset.ts';
import { withLevel } from './cpu-levels.ts';
import { option, type Part, type PlainOption } from './description.ts';
import { boardMemory } from './memory/memory.ts';
import { numaParts } from './memory/numa.ts';
import { properties } from './option.ts';
import { fileNode, formatNode } from './render/nodes.ts';
import type { ArgvRequest } from './request.ts';
import { smbiosOptions } from './smbios.ts';

/** Name, board, processor, memory, clock, firmware, kernel. */
export function basicParts(request: ArgvRequest): Part[] {
  const { config } = request;
  return [
    // Otherwise QEMU would read /etc/qemu/qemu.conf, which is in our own folder.
    option('', '-no-user-config'),
    option('', '-nodefaults'),
    option('NAME', '-name', `guest=${quoteComma(config.name)}`),
    option('UUID', '-uuid', config.uuid),
    option('MACHINE', '-machine', machineValue(request)),
    option('KVM', '-accel', request.accelerator),
    ...cpuOptions(request),
    option('SMP', '-smp', properties(config.smp, config.maxSmp !== undefined && `maxcpus=${config.maxSmp}`)),
    option('RAM', '-m', memoryValue(config)),
    ...boardMemory(config),
    ...numaParts(config),
    clockOption(config),
    ...smbiosOptions(config.smbios),
    ...firmwareOptions(request),
    ...kernelOptions(request),
    option('BOOT', '-boot', 'menu=off,strict=on'),
  ];
}

function machineValue(request: ArgvRequest): string {
  const { config, firmware } = request;
  const needsSmm = firmware?.secureBoot === true && chipsetOf(config.machine) === 'q35';
  const memory = boardMemory(config).map(({ id }) => `memory-backend=${id}`);
  return properties(config.machine, needsSmm && 'smm=on', ...memory);
}

/** Slots of memory that can be plugged in; as many as a few reloads use up. */
export const MEMORY_SLOTS = 16;

function memoryValue({ memoryBytes, maxMemoryBytes }: MachineConfig): string {
  const size = renderSize(memoryBytes);
  return maxMemoryBytes === undefined || maxMemoryBytes === memoryBytes
    ? size
    : properties(size, `slots=${MEMORY_SLOTS}`, `maxmem=${renderSize(maxMemoryBytes)}`);
}

/** `host` needs KVM; when the probe chose TCG, `max` is the nearest model on targets that have it. */
function cpuOptions({ config, accelerator, emulatedCpu = 'max' }: ArgvRequest): PlainOption[] {
  const wanted = config.cpu ?? 'host';
  const isHost = accelerator === 'tcg' && /^host(?=,|$)/.test(wanted);
  if (isHost && emulatedCpu === '') return [];
  return [option('CPU', '-cpu', isHost ? wanted.replace('host', emulatedCpu) : withLevel(wanted))];
}

/** When OS decides what the clock shows, the option belongs to that key. */
function clockOption({ rtc, origins }: MachineConfig): PlainOption {
  const isByOs = !origins.has('RTC') && rtc.base !== 'utc';
  const { base, driftFix } = rtc;
  return option(
    isByOs ? 'OS' : 'RTC',
    '-rtc',
    properties(`base=${base}`, driftFix !== 'none' && `driftfix=${driftFix}`),
  );
}

function firmwareOptions({ config, firmware }: ArgvRequest): PlainOption[] {
  if (!firmware) return [];
  const { code, codeFormat, variables, variablesFormat } = firmware;
  if (variables === undefined) return [option('FIRMWARE', '-bios', code)];
  return [
    option('FIRMWARE', '-drive', `if=pflash,unit=0,format=${codeFormat},readonly=on,file=${quoteComma(code)}`),
    option(
      'FIRMWARE',
      '-drive',
      properties(
        `if=pflash,unit=1,format=${variablesFormat},file=${quoteComma(variables)}`,
        `node-name=${formatNode('vars')},file.node-name=${fileNode('vars')}`,
      ),
    ),
    ...(firmware.secureBoot && chipsetOf(config.machine) === 'q35'
      ? [option('FIRMWARE', '-global', 'driver=cfi.pflash01,property=secure,value=on')]
      : []),
  ];
}

function kernelOptions({ config }: ArgvRequest): PlainOption[] {
  const options: PlainOption[] = [];
  if (config.kernel !== undefined) options.push(option('KERNEL', '-kernel', config.kernel));
  if (config.initrd !== undefined) options.push(option('INITRD', '-initrd', config.initrd));
  if (config.append !== '') options.push(option('APPEND', '-append', config.append));
  return options;
}
