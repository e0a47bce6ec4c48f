import { QemuError, QmpRefusedError } from '../../base/errors.ts';

/** Why QEMU could not open the image that root has made for it, in words that help. Other errors stay as they are. */
export function explainOpen(error: unknown, file: string): unknown {
  if (!(error instanceof QmpRefusedError)) return error;
  const { desc } = error;
  const hint = HINTS.find(([pattern]) => pattern.test(desc))?.[1];
  return hint === undefined
    ? error
    : new QemuError('QEMU_NOT_PERMITTED', `QEMU cannot use "${file}": ${desc}`, { hint });
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /Permission denied/,
    'its user has to be able to pass through every folder above the file, and to read and write it',
  ],
  [
    /Read-only file system|No such file or directory/,
    'the running QEMU sees only folders that it was started with: choose a folder of its images, or do it while the machine is stopped',
  ],
];
