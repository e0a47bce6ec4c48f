import { existsSync } from 'node:fs';
import { quoteComma } from '../../base/text.ts';
import { shellCommand } from '../../config/text/shell-words.ts';
import { MACHINES_GROUP } from '../../system/users.ts';

/** What the one who starts a machine can do about what QEMU printed when it did not come up. */
export function launchHint(
  output: string,
  context: {
    readonly runAs: string | undefined;
    readonly logPath: string;
    readonly argv?: readonly string[] | undefined;
  },
): string {
  const { runAs, logPath, argv } = context;
  const file = /Could not open '([^']+)': Permission denied/.exec(output)?.[1];
  if (file !== undefined && runAs !== undefined && /Could not open backing file/.test(output)) {
    const fix = `${shellCommand('chgrp', MACHINES_GROUP, file)}; ${shellCommand('chmod', 'g+r', file)}`;
    return `QEMU runs as "${runAs}" (RUNAS), who may not read it: ${meant(file, argv)}${fix}; see: qemu-init doctor`;
  }
  if (file !== undefined && runAs !== undefined) {
    return `QEMU runs as "${runAs}" (RUNAS), who may not use it: ${meant(file, argv)}${shellCommand('chown', runAs, file)}; see: qemu-init doctor`;
  }
  if (/could not (?:configure|open) \/dev\/net\/tun.*(?:Operation not permitted|Permission denied)/.test(output)) {
    if (runAs !== undefined) {
      return `QEMU runs as "${runAs}" (RUNAS), who may not open it: chmod 0666 /dev/net/tun, as udev does; making taps takes more`;
    }
    return 'only root may make taps: with net=user or net=passt in NICx no rights are needed';
  }
  const closed = /'(\/[^']+)': (?:Read-only file system|No such file or directory)/.exec(output)?.[1];
  if (closed !== undefined && existsSync('/run/systemd/system')) {
    return `a unit closes what the machine's file does not name to it, perhaps "${closed}": see HARDENING in qemu-init(8)`;
  }
  const hook = /network script (\S+) failed with status/.exec(output)?.[1];
  if (hook !== undefined && !existsSync(hook)) {
    return `there is no such hook: ln -s "$(command -v qemu-netif)" ${shellCommand(hook)}; or set NETIF=managed, or net=user for the NIC`;
  }
  return `the whole output is in "${logPath}"`;
}

/** A file that only the header of an image names can be anything, such as `/etc/shadow`: nobody is to open it without a thought. */
function meant(file: string, argv: readonly string[] | undefined): string {
  const name = `=${quoteComma(file)}`;
  const isNamed = argv?.some((argument) => argument.endsWith(name) || argument.includes(`${name},`)) ?? true;
  return isNamed ? '' : 'an image names it; if that is meant, ';
}
