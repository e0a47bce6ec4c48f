import { QemuError } from '../../base/errors.ts';
import type { Problem } from '../../base/problem.ts';
import type { ShareConfig } from '../../config/device-config.ts';
import type { MachineConfig } from '../../config/types.ts';
import { findProgram } from '../../system/process/find-program.ts';
import { findFolder } from '../../system/trust/own-folder.ts';
import { lookUpUser } from '../../system/users.ts';
import { virtiofsShares } from '../argv/host-devices/helper-fds.ts';
import { isOld, probeVirtiofsd, virtiofsdPath } from '../share/virtiofsd.ts';
import { fileIssue, issueAt, issueOf } from './issues.ts';

/** Programs that QEMU needs while the machine runs, and the folders that it shares. */
export async function helperIssues(config: MachineConfig): Promise<Problem[]> {
  const swtpm =
    config.tpm && findProgram('swtpm') === undefined
      ? [missing(config, 'TPM', 'TPM is on, but there is no program "swtpm"', 'install it: apt install swtpm')]
      : [];
  if (config.shares.length === 0) return swtpm;
  return [...swtpm, ...(await folderIssues(config)), ...(await virtiofsIssues(config))];
}

async function folderIssues(config: MachineConfig): Promise<Problem[]> {
  const user = config.runAs === undefined ? undefined : await lookUpUser(config.runAs);
  return config.shares.flatMap(({ index, path }): Problem[] => {
    try {
      findFolder(path, user ? [user.uid] : []);
      return [];
    } catch (error) {
      return [fileIssue(config, `SHARE${index}`, path, error)];
    }
  });
}

async function virtiofsIssues(config: MachineConfig): Promise<Problem[]> {
  const shares = virtiofsShares(config);
  const [first] = shares;
  if (first === undefined) return [];
  const key = `SHARE${first.index}`;
  try {
    return await programIssues(config, key, shares);
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    return [issueOf(config, key, error)];
  }
}

async function programIssues(config: MachineConfig, key: string, shares: readonly ShareConfig[]): Promise<Problem[]> {
  const program = virtiofsdPath();
  if (program === undefined) {
    const message = `${key} needs virtiofsd, which this host does not have`;
    return [missing(config, key, message, 'install it: apt install virtiofsd; or set driver=9p')];
  }
  const readonly = shares.filter((share) => share.readonly);
  if (readonly.length === 0 || !isOld(await probeVirtiofsd(program))) return [];
  return readonly.map((share) => readonlyIssue(config, share, program));
}

function readonlyIssue(config: MachineConfig, { index }: ShareConfig, program: string): Problem {
  const message = `SHARE${index} has readonly=on, which "${program}" cannot do`;
  return issueAt(config, `SHARE${index}`, message, 'set driver=9p');
}

function missing(config: MachineConfig, key: string, message: string, hint: string): Problem {
  return { ...issueAt(config, key, message, hint), code: 'QEMU_NOT_INSTALLED' };
}
