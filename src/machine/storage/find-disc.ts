import { isNotFound, QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import type { CdromConfig } from '../../config/device-config.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import type { MachineConfig } from '../../config/types.ts';
import { readImageInfo } from '../../system/images/image.ts';
import { fileIssue, issueAt } from '../check/issues.ts';
import { UNLIKE_RAW } from './disk-format.ts';

/** CD-ROMs are always raw: what an ISO file begins with is not for QEMU to act on. */
export function findDisc(config: MachineConfig, cdrom: CdromConfig, issues: Problem[]): CdromConfig {
  const { file, index, optional } = cdrom;
  const key = `CDR${index}`;
  if (file === undefined) return cdrom;
  try {
    const { format } = readImageInfo(file);
    if (!UNLIKE_RAW.has(format)) return cdrom;
    const message = `${key} "${file}" is a ${format} image, but CD-ROMs are always raw: the guest sees the image file as it is`;
    const hint = `convert it to raw: ${shellCommand('qemu-img', 'convert', '-f', format, '-O', 'raw', file, `${file}.iso`)}`;
    issues.push({ ...issueAt(config, key, message, hint), severity: 'warning' });
    return cdrom;
  } catch (error) {
    const issue = fileIssue(config, key, file, error);
    const isMissing = error instanceof QemuError && isNotFound(error.cause);
    if (!optional || !isMissing) {
      issues.push(issue);
      return cdrom;
    }
    issues.push({ ...issue, severity: 'warning', message: `${issue.message}: the drive is empty` });
    return { ...cdrom, file: undefined };
  }
}
