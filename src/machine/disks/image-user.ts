import type { MachineConfig } from '../../config/types.ts';
import { lookUpUser } from '../../system/users.ts';
import { runAsPrefix } from '../start/run-as.ts';

/**
 * What goes before qemu-img(1) so that it reads an image as the machine's user or else as its owner, since a guest may
 * have written its contents; empty for callers other than root.
 *
 * @param owner uid of the image's owner.
 */
export async function imageUserPrefix(
  { runAs }: Pick<MachineConfig, 'runAs'>,
  owner: number | undefined,
): Promise<string[]> {
  if (process.getuid?.() !== 0) return [];
  const user = runAs === undefined ? undefined : await lookUpUser(runAs);
  if (user) return runAsPrefix({ ...user, groups: undefined });
  return runAsPrefix({ uid: owner ?? 0, gid: 0, groups: [] });
}
