import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { enterOwnNamespace } from '../network/own-namespace.ts';
import { LIGHT, lab, until } from '../support/lab.ts';
import { linuxGuest } from '../support/linux-guest.ts';
import { findSshd, LAN, sshHosts } from '../support/ssh-host.ts';
import { tempRoot } from '../support/temp-root.ts';

findSshd();
await enterOwnNamespace();

const LONG_MS = 240_000;
const MOVES = 20;
const PORT = 8000;

/** A file that goes on until it is told to end, and what it was. */
interface Endless {
  readonly server: Server;
  sent(): number;
  /** Ends it. Returns the SHA-256 of all that was sent. */
  end(): Promise<string>;
}

function serveEndless(): Endless {
  const hash = createHash('sha256');
  let [sent, isOver, isSent] = [0, false, false];
  const send = async (response: ServerResponse): Promise<void> => {
    while (!isOver && !response.destroyed) {
      const chunk = randomBytes(20_000);
      hash.update(chunk);
      sent += chunk.length;
      response.write(chunk);
      while (response.writableNeedDrain && !response.destroyed) await sleep(10);
      await sleep(50);
    }
    response.end();
    isSent = true;
  };
  const server = createServer((_, response) => void send(response));
  server.listen(PORT, `${LAN}.254`);
  return {
    server,
    sent: () => sent,
    end: async () => {
      isOver = true;
      await until('it is sent', () => isSent);
      return hash.digest('hex');
    },
  };
}

test(`a download by a guest that moves ${MOVES} times between two hosts goes on, and is whole`, async (t) => {
  const { hosts } = sshHosts(t, 2);
  for (const host of hosts) await host.serve();
  const endless = serveEndless();
  t.after(() => {
    endless.server.closeAllConnections();
    endless.server.close();
  });
  const places = hosts.map((host) => {
    const root = lab(t, { prefix: host.prefix });
    root.ownPorts();
    chmodSync(root.dir, 0o711);
    return { root, name: `ssh://root@${host.address}${root.dir}` };
  });
  const [first] = places;
  assert.ok(first);
  const shared = tempRoot(t);
  for (const dir of [shared.dir, shared.etcDir]) chmodSync(dir, 0o711);
  const guest = linuxGuest(shared.etcDir, {
    script: `ip address add ${LAN}.50/24 dev eth0
(wget -q -O - http://${LAN}.254:${PORT}/ | sha256sum) >/dev/ttyS0 2>&1 </dev/null &`,
  });
  const kernel = join(shared.etcDir, 'kernel');
  copyFileSync(guest.kernel, kernel);
  const hardware = `RAM=256M\nCPU=max\nKERNEL=${kernel}\nINITRD=${guest.initrd}\nAPPEND="${guest.append}"\n`;
  const user = 'NETIF=managed\nRUNAS=nobody\nSANDBOX=on\n';
  const card = 'NIC1=virtio-net-pci,net=bridge,bridge=br0,mac=de:ad:be:ef:00:50\n';
  first.root.write('etc/qemu/web-qemu.cfg', `${LIGHT.replace('RAM=8M\n', '')}${hardware}${card}${user}`);
  first.root.write('etc/qemu/qemu-init.reg', 'web=web\n');
  await first.root.ok('start', 'web');
  await until('it downloads', () => endless.sent() > 100_000, LONG_MS);
  const pauses: number[] = [];
  for (let at = 0; at < MOVES; at++) {
    const [from, to] = at % 2 === 0 ? places : places.toReversed();
    assert.ok(from && to);
    const moved = await from.root.one('migrate', 'web', to.name);
    assert.deepEqual([moved['outcome'], moved['state']], ['moved', 'running'], JSON.stringify(moved));
    pauses.push(Number(moved['downtimeMs']));
    const before = endless.sent();
    // More than what the sockets on the way hold.
    await until('the download goes on', () => endless.sent() > before + 400_000, LONG_MS);
  }
  pauses.sort((one, other) => one - other);
  t.diagnostic(`the guest stood still for ${pauses[MOVES / 2]} ms (median; ${pauses[0]} to ${pauses.at(-1)})`);
  const hash = await endless.end();
  const consoles = (): string =>
    places.map(({ root }) => (existsSync(join(root.logDir, 'web.console')) ? root.console('web') : '')).join('\n');
  await until('all of it has arrived as it was sent', () => consoles().includes(hash), LONG_MS);
  await first.root.ok('stop', 'web', '--force');
  for (const { root } of places) assert.deepEqual(root.leftovers(), []);
});
