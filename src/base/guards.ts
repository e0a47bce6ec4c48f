import { QemuError } from './errors.ts';

/** QMP answers are open: a newer QEMU may add members. What is missing or of another type reads as nothing. */

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A text that may be missing; empty counts as missing, since QEMU uses both. */
export function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A number, or 0; one past 2^53 loses its last digits. */
export function asNumber(value: unknown): number {
  return optionalNumber(value) ?? 0;
}

/** A number that may be missing; one past 2^53 loses its last digits. */
export function optionalNumber(value: unknown): number | undefined {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}

/**
 * A count or a length as callers give it.
 *
 * @throws {QemuError} QEMU_USAGE for anything but a whole number from `least`.
 */
export function checkWholeNumber(value: number, name: string, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new QemuError('QEMU_USAGE', `${name} must be a whole number from ${least}, not ${shownValue(value)}`);
}

function shownValue(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value);
}
