/**
 * Downloads what tests of several tiers need, one after the other: some of them run in network namespaces of their own, from
 * which no mirror can be reached. What cannot be had is said by the tests that miss it.
 */
import { debian13Qemu } from './debian-13-qemu.ts';
import { debianKernel } from './debian-kernel.ts';
import { findSshd } from './ssh-host.ts';

for (const download of [() => debianKernel('cloud'), () => debianKernel('full'), findSshd, debian13Qemu]) {
  try {
    download();
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
  }
}
await import('./guest-agent.ts');
