import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { debian13Qemu } from '../support/debian-13-qemu.ts';
import { edit } from '../support/edit-machine.ts';
import { lab, until } from '../support/lab.ts';
import { GUEST_MS, linuxGuest } from '../support/linux-guest.ts';

/** Emulated Linux on a busy host. */
/** Prints what disks and cards the guest has whenever that changes; the kernel has no driver for discs on q35. */
const WATCH = `
watch() {
  while true; do
    now="disks $(cd /sys/block; echo vd[b-z]) cards $(cd /sys/class/net; echo eth*)"
    [ "$now" = "$last" ] || printf '\\n%s.\\n' "$now" >/dev/ttyS0
    last=$now
    sleep 0.2
  done
}
watch &
`;

const MORE = `
watch_more() {
  while true; do
    sys=/sys/devices/system
    now="cpus $(ls -d $sys/cpu/cpu[0-9]* | wc -l) blocks $(ls -d $sys/memory/memory[0-9]* | wc -l)"
    [ "$now" = "$was" ] || printf '\\n%s.\\n' "$now" >/dev/ttyS0
    was=$now
    sleep 0.2
  done
}
watch_more &
`;

const NEWER = debian13Qemu();

for (const [version, program, skip] of [
  ['this QEMU', 'qemu-system-x86_64', false],
  ['the QEMU of Debian 13', NEWER.program ?? '', NEWER.obstacle],
] as const) {
  test(`a Linux guest sees disks, cards and processors come and go with each reload, and memory come, on ${version}`, {
    skip,
  }, async (t) => {
    const root = lab(t);
    const major = Number(/version (\d+)/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[1]);
    const { kernel, initrd, append } = linuxGuest(root.etcDir, { script: WATCH + MORE });
    const boot = `RAM=256M\nCPU=max\nKERNEL=${kernel}\nINITRD=${initrd}\nAPPEND="${append}"\n`;
    root.add(
      'web',
      `TGTARCH=${program}\nKVM=off\nMACHINE=q35\nHOTPLUG=3\nBALLOON=on\nSMP=1,sockets=1,cores=3,threads=1\nMAXSMP=3\nMAXRAM=640M\nCDR1=empty\n${boot}`,
    );
    for (const [at, name] of ['one', 'two'].entries()) {
      root.write(`etc/qemu/${name}.iso`, new Uint8Array(1024 ** 2));
      root.write(`etc/qemu/${name}.img`, new Uint8Array((at + 1) * 1024 ** 2));
    }
    await root.ok('start', 'web');
    let from = 0;
    const seen = async (what: RegExp): Promise<void> => {
      await until(`the guest prints ${what}`, () => what.test(root.console('web').slice(from)), GUEST_MS);
      from = root.console('web').length;
    };
    await seen(/^disks vd\[b-z\] cards eth\*\.\r?$/m);
    for (let round = 1; round <= 2; round++) {
      edit(root, 'web', { DSK2: 'one.img', DSK3: 'two.img,iothread=on', NIC1: 'virtio,net=user', CDR1: 'one.iso' });
      assert.deepEqual((await root.one('reload', 'web'))['applied'], ['DSK2', 'DSK3', 'CDR1', 'NIC1']);
      await seen(/^disks vdb vdc cards eth0\.\r?$/m);
      edit(root, 'web', { DSK2: 'two.img', DSK3: '', NIC1: '', CDR1: 'two.iso' });
      assert.deepEqual((await root.one('reload', 'web'))['applied'], ['DSK2', 'CDR1', 'DSK3', 'NIC1']);
      await seen(/^disks vdb cards eth\*\.\r?$/m);
      edit(root, 'web', { DSK2: '', CDR1: 'empty' });
      await root.ok('reload', 'web');
      await seen(/^disks vd\[b-z\] cards eth\*\.\r?$/m);
    }
    edit(root, 'web', { SMP: '3,sockets=1,cores=3,threads=1', RAM: '512M' });
    assert.deepEqual((await root.one('reload', 'web'))['applied'], ['SMP', 'RAM']);
    await seen(/^cpus 3 blocks 4\.\r?$/m);
    const { actualBytes, memoryBytes } = await root.one('balloon', 'web');
    assert.deepEqual([actualBytes, memoryBytes], [512 * 1024 ** 2, 512 * 1024 ** 2]);
    edit(root, 'web', { RAM: '640M' });
    assert.deepEqual((await root.one('reload', 'web'))['applied'], ['RAM']);
    await seen(/^cpus 3 blocks 5\.\r?$/m);
    edit(root, 'web', { SMP: '2,sockets=1,cores=3,threads=1' });
    if (major >= 10) {
      assert.deepEqual((await root.one('reload', 'web'))['applied'], ['SMP']);
      await seen(/^cpus 2 blocks 5\.\r?$/m);
    } else {
      assert.match(
        (await root.init('reload', 'web')).stderr,
        /may crash when a processor that it emulates is unplugged/,
      );
      edit(root, 'web', { SMP: '3,sockets=1,cores=3,threads=1' });
    }
    const { differences, error } = await root.one('diff', 'web');
    assert.deepEqual([differences, error], [[], undefined]);
    edit(root, 'web', { RAM: '512M' });
    assert.equal((await root.init('reload', 'web')).code, 3, 'memory is not taken from a guest');
    await root.ok('stop', 'web', '--force');
    assert.deepEqual(root.leftovers(), []);
  });
}

const ROUNDS = 50;

test(`${ROUNDS} reloads in a row exchange a disk, a card and a disc, and each one is seen`, async (t) => {
  const root = lab(t);
  const { kernel, initrd, append } = linuxGuest(root.etcDir, { script: WATCH });
  const boot = `RAM=256M\nCPU=max\nKERNEL=${kernel}\nINITRD=${initrd}\nAPPEND="${append}"\n`;
  root.add('web', `KVM=off\nMACHINE=q35\nHOTPLUG=2\nCDR1=empty\n${boot}`);
  for (const name of ['a.iso', 'b.iso', 'a.img', 'b.img']) root.write(`etc/qemu/${name}`, new Uint8Array(1024 ** 2));
  await root.ok('start', 'web');
  let from = 0;
  const seen = async (what: RegExp): Promise<void> => {
    await until(`the guest prints ${what}`, () => what.test(root.console('web').slice(from)), GUEST_MS);
    from = root.console('web').length;
  };
  await seen(/^disks vd\[b-z\] cards eth\*\.\r?$/m);
  for (let round = 1; round <= ROUNDS; round++) {
    const isComing = round % 2 === 1;
    const letter = round % 4 < 2 ? 'a' : 'b';
    edit(root, 'web', {
      DSK2: isComing ? `${letter}.img` : '',
      NIC1: isComing ? 'virtio,net=user' : '',
      CDR1: `${round % 4 === 0 ? 'empty' : `${letter}.iso`}`,
    });
    await root.ok('reload', 'web');
    await seen(isComing ? /^disks vdb cards eth0\.\r?$/m : /^disks vd\[b-z\] cards eth\*\.\r?$/m);
    const blocks = (await root.cmd('-q', 'query-block', 'web')).stdout;
    assert.equal(blocks.includes(`/${letter}.iso`), round % 4 !== 0, `round ${round}`);
    assert.equal(blocks.includes(`/${letter}.img`), isComing, `round ${round}`);
  }
  assert.deepEqual((await root.one('diff', 'web'))['differences'], []);
  await root.ok('stop', 'web', '--force');
  assert.deepEqual(root.leftovers(), []);
});
