import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { until } from '../support/lab.ts';
import { GUEST_MS, linuxGuest } from '../support/linux-guest.ts';
import type { Container } from '../support/nspawn.ts';
import { addMachine, consoleOf, hostOfSuite, isActive, pidOf } from './machines.ts';

/** An emulated Linux on a busy host. */
describe('the end of a machine on a host with systemd', () => {
  const host = hostOfSuite();

  before(() => host.sh('systemctl daemon-reload'));

  test('a guest that switches itself off is told as that, and is no failure', async () => {
    addMachine(host, 'off');
    host.sh('qemu-init start off');
    await until('the guest is up', () => consoleOf(host, 'off').includes('ready'));
    host.sh('qemu-cmd -c system_powerdown off');
    await until('the unit is inactive', () => isActive(host, 'off') === 'inactive');
    assert.deepEqual(lastEnd(host, 'off'), { cause: 'guest-shutdown', exit: 'exit status 0' });
    assert.match(journal(host, 'off'), /off: the guest switched the machine off/);
    assert.equal(host.run('qemu-init status off').stderr, '');
  });

  test('a QEMU that is killed is told with its signal, in red', async () => {
    addMachine(host, 'shot');
    host.sh('qemu-init start shot');
    host.sh('kill -SEGV "$1"', `${pidOf(host, 'shot')}`);
    await until('the unit has failed', () => isActive(host, 'shot') === 'failed');
    const { cause, exit } = lastEnd(host, 'shot');
    assert.deepEqual({ cause, exit }, { cause: 'killed', exit: 'SIGSEGV' });
    assert.match(journal(host, 'shot', '--priority=3'), /shot: QEMU crashed or was killed \(SIGSEGV\)/);
    const { code, stderr } = host.run('qemu-init status shot');
    assert.equal(code, 3);
    assert.match(stderr, /^shot: QEMU crashed or was killed \(SIGSEGV\), (just now|\d+ s ago)/);
    assert.match(stderr, /^shot: what it printed last is in "\/var\/lib\/qemu-init\/shot\/crash\/.*Z"$/m);
  });

  test('a reset is told from an end, and a pulled plug from a guest that went down', async () => {
    addMachine(host, 'plug');
    host.sh('qemu-init start plug; qemu-cmd -c system_reset plug');
    await until('the reset is told', () => resetOf(host, 'plug') !== null);
    assert.equal(isActive(host, 'plug'), 'active');
    assert.equal(host.run('qemu-init status plug').code, 0);
    const reset = resetOf(host, 'plug');
    host.sh('kill -TERM "$1"', `${pidOf(host, 'plug')}`);
    await until('the unit is inactive', () => isActive(host, 'plug') === 'inactive');
    assert.equal(lastEnd(host, 'plug').cause, 'signal');
    assert.ok(
      journal(host, 'plug').includes(`is like pulling the plug on the guest; it had been reset, last ${reset}`),
    );
  });

  test('what qemu-init did itself is told too', () => {
    host.sh('qemu-init start plug; qemu-init stop --force plug');
    assert.equal(lastEnd(host, 'plug').cause, 'quit');
    host.sh('qemu-init start plug; qemu-init kill plug');
    assert.equal(lastEnd(host, 'plug').cause, 'kill');
    assert.equal(isActive(host, 'plug'), 'inactive');
  });

  test('the journal has each end once, with what stopped the machine, whichever way it was stopped', async () => {
    addMachine(host, 'once');
    addMachine(host, 'second');
    addMachine(host, 'third');
    host.sh('systemctl daemon-reload');
    const told = async (stop: string): Promise<string> => {
      host.sh('rm -f /var/log/qemu-init/once.console; qemu-init start once');
      await until('the guest is up', () => consoleOf(host, 'once').includes('ready'));
      const cursor = host.sh('journalctl --sync; journalctl -n 1 --show-cursor | sed -n "s/^-- cursor: //p"');
      host.sh(stop);
      const lines = host.sh(
        'journalctl --sync; journalctl -o cat -u qemu@once --after-cursor "$1" | grep ^once:',
        cursor,
      );
      return lines.replace(/in [\d.]+ s/g, 'in T');
    };
    const asked = 'once: stopped by powerdown in T: the guest switched the machine off';
    assert.equal(await told('systemctl stop qemu@once'), asked);
    assert.equal(await told('qemu-init stop once'), asked);
    const forced = 'QEMU was asked to quit before the guest had switched the machine off';
    assert.equal(await told('qemu-init stop --force once'), `once: stopped by quit in T: ${forced}`);
    assert.equal(await told('qemu-init start second third; systemctl stop qemu.target'), asked);
  });

  test('a Linux that panics ends with a failed unit, and is started again when its file says so', async () => {
    addLinux(host, 'panic', 'ONPANIC=shutdown\nRESTART=on-failure\n', ['pvpanic_mmio'], 'echo c >/proc/sysrq-trigger');
    host.write('/etc/systemd/system/qemu@panic.service.d/90-test.conf', '[Service]\nRestartSec=600\n');
    host.sh('systemctl daemon-reload; qemu-init start panic');
    await until('it waits for its next start', () => host.show('qemu@panic', 'SubState') === 'auto-restart', GUEST_MS);
    // QEMU itself has ended well.
    assert.deepEqual(lastEnd(host, 'panic'), { cause: 'guest-panic', exit: 'exit status 0' });
    assert.match(host.run('qemu-init status panic').stderr, /panic: .*systemd is about to start it again/);
    assert.match(journal(host, 'panic', '--priority=3'), /panic: the guest panicked/);
    assert.match(host.sh('cat /var/lib/qemu-init/panic/crash/*/console'), /Kernel panic/);
    host.sh('qemu-init stop panic');
    assert.equal(isActive(host, 'panic'), 'inactive');
  });

  test('a Linux whose watchdog runs out is told from one that switched itself off', async () => {
    addLinux(host, 'hung', 'WATCHDOG=poweroff\n', [], ARM_WATCHDOG);
    await endOf(host, 'hung', 'inactive');
    assert.equal(lastEnd(host, 'hung').cause, 'watchdog');
    assert.match(journal(host, 'hung', '--priority=3'), /hung: the guest's watchdog expired/);
  });
});

/** The cloud kernel has no driver for the i6300esb: Intel 6300ESB datasheet, chapter 16. */
const ARM_WATCHDOG = `
for card in /sys/bus/pci/devices/*; do
  grep -q 0x25ab $card/device || continue
  echo 1 >$card/enable
  read -r base _ <$card/resource
  for timer in 0 4; do
    devmem $((base + 12)) 16 0x80
    devmem $((base + 12)) 16 0x86
    devmem $((base + timer)) 32 0x400
  done
  printf '\\002' | dd of=$card/config bs=1 seek=104 conv=notrunc
done
`;

/** A Linux without a disk that runs a script as soon as it is up. */
function addLinux(host: Container, name: string, lines: string, modules: readonly string[], script: string): void {
  const folder = `/srv/${name}`;
  host.sh('mkdir -p "$1"', folder);
  const { kernel, append } = linuxGuest(join(host.dir, folder), { modules, script });
  host.sh('cp "$1" "$2/vmlinuz"', kernel, folder);
  host.write(
    `/etc/qemu/${name}-qemu.cfg`,
    `RAM=256M\nKVM=off\nVNC=off\nVGA=none\nKERNEL=${folder}/vmlinuz\nINITRD=${folder}/initrd\nAPPEND="${append}"\n${lines}`,
  );
  host.sh('echo "$1=$1" >>/etc/qemu/qemu-init.reg', name);
}

async function endOf(host: Container, name: string, state: string): Promise<void> {
  host.sh(`qemu-init start ${name}`);
  await until(`the unit is ${state}`, () => isActive(host, name) === state, GUEST_MS);
}

function lastEnd(host: Container, name: string): { readonly cause?: unknown; readonly exit?: unknown } {
  const [status] = JSON.parse(host.run('qemu-init status --json "$1"', name).stdout);
  const { cause, exit } = status.lastEnd;
  return { cause, exit };
}

function journal(host: Container, name: string, ...options: readonly string[]): string {
  return host.sh(`journalctl --sync; journalctl --no-pager -b ${options.join(' ')} -u "qemu@$1"`, name);
}

function resetOf(host: Container, name: string): string | null {
  return JSON.parse(host.run(`qemu-init status ${name} --json`).stdout)[0].lastReset;
}
