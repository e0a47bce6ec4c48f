import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LIGHT, until } from '../support/lab.ts';
import { GUEST_MS, linuxGuest } from '../support/linux-guest.ts';
import { container, installProject } from '../support/nspawn.ts';
import { addLinux, assertClean, isUp } from './linux-machine.ts';
import { addMachine, pidOf } from './machines.ts';

/** The file system of this host, since systemd finds no device below the overlay of a container. */
const disks = mkdtempSync('/var/tmp/qi-limits-');

/** Hierarchies of version 1; with version 2 alone the container has all controllers that it is given. */
const OWN = ['cpu', 'cpuacct', 'memory', 'blkio'].filter((name) => existsSync(`/sys/fs/cgroup/${name}`));

const LAST_CPU = `${availableParallelism() - 1}`;

const LIMITS = 'LIMIT_CPU=50%\nLIMIT_MEMORY=600M\nLIMIT_IO=5M\nCPUSET=0\nTPM=on\n';

describe('limits of a machine', () => {
  const host = container({ after: (body) => after(body) }, undefined, {
    options: [`--bind=${disks}:/srv/vms`],
    controllers: OWN,
  });
  before(async () => {
    await host.boot();
    // It has to find out again which hierarchies it may write to.
    host.sh('systemctl daemon-reexec');
    installProject(host);
    addMachine(host, 'lim', LIMITS);
    cpSync(join(host.dir, 'etc/qemu/lim.img'), join(disks, 'lim.img'));
    host.sh(
      'chmod 711 /srv/vms; chown qemu /srv/vms/lim.img; sed -i s,DSK1=,DSK1=/srv/vms/, /etc/qemu/lim-qemu.cfg; systemctl daemon-reload',
    );
    original = host.read('/etc/qemu/lim-qemu.cfg');
  });
  let original = '';
  after(() => rmSync(disks, { recursive: true }));

  test('are those of the cgroups of its running unit, and of what its QEMU may run on', (t) => {
    host.sh('qemu-init start lim');
    assert.deepEqual(shown('qemu@lim.service'), {
      CPUQuotaPerSecUSec: '500ms',
      MemoryMax: `${600 * 1024 ** 2}`,
      IOReadBandwidthMax: '/srv/vms 5242880',
      AllowedCPUs: '0',
    });
    assert.equal(
      host.sh('sed -n "s/^Cpus_allowed_list:[[:space:]]*//p" /proc/$1/status', `${pidOf(host, 'lim')}`),
      '0',
    );
    assertEnforced(t.diagnostic.bind(t), pidOf(host, 'lim'));
    edit('/etc/qemu/lim-qemu.cfg');
    assert.match(host.sh('qemu-init diff lim'), /LIMIT_MEMORY: 600M -> 700M \(live\)/);
    assert.equal(host.sh('qemu-init reload lim'), 'lim: changed LIMIT_CPU, LIMIT_MEMORY, CPUSET');
    assertChanged('qemu@lim.service', pidOf(host, 'lim'));
    assert.equal(host.sh('qemu-init diff lim'), 'lim: nothing to change');
    host.sh('qemu-init stop --force lim');
  });

  test('are those of a scope when its QEMU is started by hand', (t) => {
    mkdirSync(join(disks, 'root/etc/qemu'), { recursive: true });
    writeFileSync(join(disks, 'root/etc/qemu/lim-qemu.cfg'), original);
    const { code, stderr } = host.run('qemu-init --root /srv/vms/root start lim');
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /without effect/);
    const [{ pid }] = JSON.parse(host.sh('qemu-init --root /srv/vms/root status lim --json'));
    const scope = host.sh('sed -n "s,^.*name=systemd:.*/,,p;s,^0::.*/,,p" /proc/$1/cgroup | sort -u', `${pid}`);
    assert.match(scope, /^run-.*\.scope$/);
    assert.equal(host.show(scope, 'Description'), 'QEMU machine lim');
    const { AllowedCPUs: _, ...limits } = shown(scope);
    assert.deepEqual(limits, {
      CPUQuotaPerSecUSec: '500ms',
      MemoryMax: `${600 * 1024 ** 2}`,
      IOReadBandwidthMax: '/srv/vms 5242880',
    });
    assertEnforced(t.diagnostic.bind(t), pid);
    edit('/srv/vms/root/etc/qemu/lim-qemu.cfg');
    assert.match(host.sh('qemu-init --root /srv/vms/root reload lim'), /LIMIT_CPU, LIMIT_MEMORY, CPUSET/);
    assertChanged(scope, pid);
    host.sh('qemu-init --root /srv/vms/root stop --force lim');
    assert.equal(host.run('systemctl is-active "$1"', scope).stdout, 'inactive\n');
  });

  test('a QEMU that has nearly reached its limit survives a live restart and a stop, which need memory too', async () => {
    addLinux(host, 'full');
    host.sh('systemctl daemon-reload; qemu-init start full');
    await isUp(host, 'full', 1);
    const most = `${Math.ceil(Number(host.show('qemu@full.service', 'MemoryCurrent')) / 2 ** 20) + 12}M`;
    host.sh('systemctl set-property --runtime qemu@full.service "MemoryMax=$1"', most);
    host.sh('qemu-init restart --live full');
    const limit = host.sh(
      'cd /sys/fs/cgroup; cat memory/$1/memory.limit_in_bytes $1/memory.max 2>/dev/null | head -n 1',
      'machine.slice/qemu@full.service',
    );
    assert.equal(limit, `${Number.parseInt(most, 10) * 2 ** 20}`);
    host.sh('systemctl stop qemu@full');
    assert.match(host.run('qemu-init status full --json').stdout, /"cause": "guest-shutdown"/);
    assertClean(host, 'full', 'at the limit');
  });

  test('a QEMU that the kernel ends at its limit is reported as killed, and comes back by RESTART', async () => {
    host.sh('mkdir -p /srv/hog');
    const script = "dd if=/dev/zero bs=1M count=190 2>/dev/null | tr '\\0' x >/tmp/fill";
    const { kernel, append } = linuxGuest(join(host.dir, 'srv/hog'), { script });
    host.sh('cp "$1" /srv/hog/vmlinuz; chmod 644 /srv/hog/*', kernel);
    const boot = `KERNEL=/srv/hog/vmlinuz\nINITRD=/srv/hog/initrd\nAPPEND="${append}"\n`;
    const lines = `${LIGHT.replace('RAM=8M', 'RAM=256M')}${boot}LIMIT_MEMORY=257M\nRESTART=on-failure\n`;
    host.write('/etc/qemu/hog-qemu.cfg', lines);
    host.sh('echo hog=hog >>/etc/qemu/qemu-init.reg; systemctl daemon-reload; qemu-init start hog');
    await until('it is started again', () => host.show('qemu@hog', 'NRestarts') !== '0', GUEST_MS);
    host.sh('qemu-init stop --force hog');
    assert.match(host.sh('journalctl --sync; journalctl -u qemu@hog'), /hog: QEMU crashed or was killed \(SIGKILL\)/);
  });

  test('a processor that the host does not have is named before anything starts', () => {
    host.sh('sed -i s,^CPUSET=.*,CPUSET=4000, /etc/qemu/lim-qemu.cfg; systemctl daemon-reload');
    for (const action of ['check', 'start', 'start --direct']) {
      const { code, stderr } = host.run(`qemu-init ${action} lim`);
      assert.equal(code, 6, action);
      assert.match(stderr, new RegExp(`CPUSET 4000 names no processor of this host, which has 0-${LAST_CPU}`));
    }
  });

  function edit(path: string): void {
    host.sh('sed -i "s/^CPUSET=.*/CPUSET=$2/; s/600M/700M/; /^LIMIT_CPU/d" "$1"', path, LAST_CPU);
  }

  function assertChanged(unit: string, pid: number): void {
    const { MemoryMax, CPUQuotaPerSecUSec } = shown(unit);
    assert.deepEqual([MemoryMax, CPUQuotaPerSecUSec], [`${700 * 1024 ** 2}`, 'infinity']);
    const threads = host.sh('sed -n "s/^Cpus_allowed_list:[[:space:]]*//p" /proc/$1/task/*/status | sort -u', `${pid}`);
    assert.equal(threads, LAST_CPU);
  }

  function shown(unit: string): Record<string, string> {
    const names = ['CPUQuotaPerSecUSec', 'MemoryMax', 'IOReadBandwidthMax', 'AllowedCPUs'];
    return Object.fromEntries(names.map((name) => [name, host.show(unit, name)]));
  }

  /** What the kernel has of it, in the hierarchies of version 1 or in the one of version 2, as far as the host has them. */
  function assertEnforced(note: (text: string) => void, pid: number): void {
    const files = [
      ['cpu', 'cpu.cfs_quota_us', /^50000$/],
      ['memory', 'memory.limit_in_bytes', /^629145600$/],
      ['blkio', 'blkio.throttle.read_bps_device', /^\d+:\d+ 5242880$/],
      ['blkio', 'blkio.throttle.write_bps_device', /^\d+:\d+ 5242880$/],
      ['', 'cpu.max', /^50000 100000$/],
      ['', 'memory.max', /^629145600$/],
      ['', 'io.max', /^\d+:\d+ rbps=5242880 wbps=5242880/],
    ] as const;
    const seen = files.filter(([controller, file, value]) => {
      const path = 'path=$(sed -n "s/^[0-9]*:$1:\\(.*\\)/\\1/p" /proc/$2/cgroup); cat /sys/fs/cgroup/$1/$path/$3';
      const { code, stdout } = host.run(path, controller, `${pid}`, file);
      if (code !== 0) return false;
      assert.match(stdout.trim(), value, file);
      return true;
    });
    note(`read from the kernel: ${seen.map(([, file]) => file).join(', ')}`);
    assert.ok(seen.length > 0 || OWN.length === 0, 'the kernel has none of the limits');
  }
});
