import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { type GuestOptions, guestDisk } from '../support/guest-disk.ts';
import { LIGHT } from '../support/lab.ts';
import { type Container, container, installProject } from '../support/nspawn.ts';

/** A host with systemd for the tests of the suite that asks for it: booted, with the project installed. */
export function hostOfSuite(): Container {
  const host = container({ after: (body) => after(body) });
  before(async () => {
    host.write('/etc/systemd/journald.conf.d/test.conf', '[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\n');
    await host.boot();
    installProject(host);
  });
  return host;
}

/** Adds a small machine with the tiny guest, whose image the machine's own user takes over, and registers it under its own name. */
export function addMachine(host: Container, name: string, lines = '', guest: GuestOptions = {}): void {
  guestDisk(join(host.dir, 'etc/qemu'), { ...guest, name: `${name}.img` });
  host.write(`/etc/qemu/${name}-qemu.cfg`, `${LIGHT}DSK1=${name}.img\n${lines}`);
  host.sh('cd /etc/qemu; chown qemu "$1.img"; chmod 600 "$1.img"; echo "$1=$1" >>/etc/qemu/qemu-init.reg', name);
}

/** `active`, `inactive`, `failed` … */
export function isActive(host: Container, name: string): string {
  return host.run('systemctl is-active "qemu@$1.service"', name).stdout.trim();
}

/** Pid of a machine's QEMU, as seen in the container. */
export function pidOf(host: Container, name: string): number {
  return Number(host.sh('cat "/run/qemu-init/$1/qemu/pid"', name));
}

/** What the guest printed. */
export function consoleOf(host: Container, name: string): string {
  return host.run('cat "/var/log/qemu-init/$1.console"', name).stdout;
}

/** The state of each machine by its name. */
export function statesOf(host: Container): Record<string, string> {
  return Object.fromEntries(statusesOf(host).map(({ name, state }) => [name, state]));
}

/** What `status` tells of each machine. */
export function statusesOf(
  host: Container,
): { name: string; state: string; lastEnd: { cause: string; at: string } | null }[] {
  return JSON.parse(host.run('qemu-init status --all --json').stdout);
}

/** Texts that are in a log, each behind the end of the one before. */
export function assertInOrder(log: string, texts: readonly string[]): void {
  let end = 0;
  for (const text of texts) {
    const start = log.indexOf(text, end);
    assert.ok(start >= 0, `"${text}" is not there, or too early, in:\n${log}`);
    end = start + text.length;
  }
}
