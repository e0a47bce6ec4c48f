import type { MachineConfig, ShutdownPolicy, StopMethod } from '../../config/types.ts';

/**
 * What counts of a machine's file when it stops. A start keeps it in the record of the run, so that a file that is broken or
 * gone while the machine runs costs the guest neither its time nor its hooks.
 */
export type StopSettings = Pick<
  MachineConfig,
  'stopDelaySeconds' | 'stopMethod' | 'onShutdown' | 'preStop' | 'postStop' | 'dir' | 'bootOrder' | 'requires'
>;

/** The part of a configuration that a run keeps. */
export function stopSettingsOf(config: MachineConfig): StopSettings {
  const { stopDelaySeconds, stopMethod, onShutdown, preStop, postStop, dir, bootOrder, requires } = config;
  return { stopDelaySeconds, stopMethod, onShutdown, preStop, postStop, dir, bootOrder, requires };
}

/** The same read back from JSON; undefined when anything is missing or of another type. */
export function stopSettingsFromJson(value: unknown): StopSettings | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { stopDelaySeconds, stopMethod, preStop, postStop, dir, bootOrder, requires, ...more } = {
    ...NOTHING,
    ...value,
  };
  const onShutdown: ShutdownPolicy = more.onShutdown === 'save' ? 'save' : 'shutdown';
  if (!isCount(stopDelaySeconds) || !isCount(bootOrder) || !isStopMethod(stopMethod)) return undefined;
  if (typeof dir !== 'string' || !isWords(preStop) || !isWords(postStop) || !isWords(requires)) return undefined;
  return { stopDelaySeconds, stopMethod, onShutdown, preStop, postStop, dir, bootOrder, requires };
}

const NOTHING: Readonly<Record<keyof StopSettings, unknown>> = {
  stopDelaySeconds: undefined,
  stopMethod: undefined,
  onShutdown: undefined,
  preStop: undefined,
  postStop: undefined,
  dir: undefined,
  bootOrder: undefined,
  requires: undefined,
};

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isStopMethod(value: unknown): value is StopMethod {
  return value === 'auto' || value === 'acpi' || value === 'agent';
}

function isWords(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((word) => typeof word === 'string');
}
