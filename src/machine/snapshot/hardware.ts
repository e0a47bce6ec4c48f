import { QemuError } from '../../base/errors.ts';
import type { MachineRef } from '../context.ts';
import { readLaunchRecord } from '../run/launch-record.ts';
import { guestOptions } from '../state/guest-options.ts';

/** The options of a running QEMU that make up what its guest sees; undefined when their record is lost. */
export function hardwareOf({ files }: MachineRef): readonly string[] | undefined {
  const args = readLaunchRecord(files)?.args;
  return args && guestOptions(args);
}

/**
 * Refuses the memory of a guest for other hardware than it was on: QEMU itself notices little of it, and the guest would
 * work on devices that are not there.
 *
 * @throws {QemuError} `QEMU_COMMAND_FAILED` with what differs.
 */
export function requireHardware(target: MachineRef, name: string, then: readonly string[] | undefined): void {
  const now = hardwareOf(target);
  if (then === undefined || now === undefined) return;
  const different = [
    ...missing(then, now).map((option) => `without ${option}`),
    ...missing(now, then).map((option) => `with ${option}`),
  ];
  if (different.length === 0) return;
  const { longName } = target;
  const what = `it runs ${different.slice(0, MOST_SHOWN).join(', ')}${different.length > MOST_SHOWN ? ' …' : ''}`;
  throw new QemuError(
    'QEMU_COMMAND_FAILED',
    `The memory of snapshot "${name}" is of other hardware than machine "${longName}" has now: ${what}`,
    { hint: `stop the machine first: then only its disks are reverted (qemu-init stop ${longName})` },
  );
}

const MOST_SHOWN = 4;

function missing(of: readonly string[], within: readonly string[]): string[] {
  const left = [...within];
  return of.filter((option) => {
    const at = left.indexOf(option);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
