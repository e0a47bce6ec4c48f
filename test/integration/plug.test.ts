import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildArgs, describeMachine } from '../../src/machine/argv/build.ts';
import type { Part } from '../../src/machine/argv/description.ts';
import { keyCopy } from '../../src/machine/argv/disks.ts';
import { renderCalls } from '../../src/machine/argv/render/qmp.ts';
import type { ArgvRequest } from '../../src/machine/argv/request.ts';
import { findImages } from '../../src/machine/storage/images.ts';
import type { QmpClient } from '../../src/qmp/client.ts';
import { resolvePaths } from '../../src/system/paths.ts';
import { QEMUS, realRequest, withQemu, writeFiles } from '../support/argv-start.ts';
import { makeEncryptedQcow2, makeLuks } from '../support/luks-image.ts';
import { makeOverlay, qemuImg } from '../support/odd-images.ts';
import { type TempRoot, tempRoot } from '../support/temp-root.ts';

/** A machine with ports and a SCSI bus. */
const BEFORE = 'HOTPLUG=24\nDSK1=first.img,if=scsi\n';

/** Of each kind of disk and card what a running machine takes: buses of IDE and SATA take nothing. */
const AFTER = `${BEFORE}
DSK2=b.img,cache=none,aio=native,discard=unmap,detect-zeroes=unmap,serial=B2,iothread=on,queues=2
DSK3=c.qcow2,if=nvme,cache=writethrough,aio=threads
DSK4=d.img,if=scsi,serial=D4,cache=directsync,readonly=on
DSK5=e.img,cache=unsafe,readonly=on
DSK6=guessed.top
DSK7=locked.luks,key=key
DSK8=locked.top,key=key
USB=on
NIC1=virtio,net=user,hostfwd=tcp:127.0.0.1:2222-:22,mtu=9000
NIC2=e1000e,net=none
NIC3=virtio
`;

for (const { name, program, obstacle } of QEMUS) {
  test(`${name} takes each kind of disk, disc, card and USB device while the machine runs`, {
    skip: obstacle,
  }, async (t) => {
    const root = tempRoot(t);
    const before = await realRequest(root, { title: '', text: BEFORE });
    const after = await withImages(root, await realRequest(root, { title: '', text: AFTER }));
    const had = new Set(describeMachine(before).map(({ key }) => key));
    const added = describeMachine(after).filter(({ key }) => !had.has(key));
    // Buses of IDE take nothing; boards without them have their discs on the SCSI bus.
    const board = await realRequest(root, {
      title: '',
      text: 'MACHINE=virt\nCDR1=disc.iso\nCDR2=empty\nBOOT=network\n',
    });
    writeFiles(board);
    const discs = describeMachine(board).filter((part) => part.key.startsWith('CDR') && !isController(part));
    await withQemu(program, before, buildArgs(before), async (client, signal) => {
      for (const { command, arguments: values } of renderCalls(intoPorts([...added, ...discs]))) {
        await client.execute(command, values, { signal });
      }
      assert.deepEqual(await nodesOf(client), expectedNodes(after));
      const blocks = await client.execute('query-block', {});
      const inDrive = (id: string): unknown => blocks.find(({ qdev }) => qdev === id)?.inserted?.['node-name'];
      assert.deepEqual([inDrive('cdr1-dev'), inDrive('cdr2-dev')], ['cdr1-fmt', undefined]);
      const network = await client.execute('human-monitor-command', { 'command-line': 'info network' });
      assert.match(network, /nic1: .*\r\n \\ net0: .*type=user/);
      assert.match(network, /net2: nic3: /);
      assert.match(network, /nic2: .*model=e1000e/);
      const usb = await client.execute('human-monitor-command', { 'command-line': 'info usb' });
      assert.match(usb, /ID: tablet\r\n.*ID: keyboard/s);
    });
  });
}

/** The same request with real images, of which some are encrypted, and some are overlays that do not say of what. */
async function withImages(root: TempRoot, request: ArgvRequest): Promise<ArgvRequest> {
  const dir = root.etcDir;
  const at = (name: string): string => join(dir, name);
  writeFiles(request);
  writeFileSync(at('key'), 'secret', { mode: 0o600 });
  writeFileSync(at('base.img'), Buffer.alloc(1024 ** 2));
  makeOverlay(at('guessed.top'), 'base.img', undefined);
  makeLuks(at('locked.luks'), 'secret');
  makeEncryptedQcow2(at('locked.base'), 'secret');
  qemuImg('create', '-q', '-u', '-f', 'qcow2', '-b', at('locked.base'), '-F', 'qcow2', at('locked.top'), '1M');
  mkdirSync(request.machine.keysDir, { recursive: true });
  for (const disk of request.config.disks) if (disk.key) copyFileSync(disk.key, keyCopy(request.machine.keysDir, disk));
  const found = findImages(resolvePaths({ root: root.dir }, {}, 0, '/'), request.config);
  assert.deepEqual(found.issues, []);
  return { ...request, images: found.disks.map(({ image }) => image) };
}

/** The SCSI controller is there already. */
function isController(part: Part): boolean {
  return part.kind === 'device' && part.id === 'scsi0';
}

/** The parts with those that had places on the board's own bus in its free ports. */
function intoPorts(parts: readonly Part[]): Part[] {
  let port = 0;
  return parts.map((part) =>
    part.kind === 'device' && part.bus === 'pcie.0'
      ? { ...part, bus: `hp${++port}`, addr: undefined, multifunction: undefined }
      : part,
  );
}

interface Nodes {
  readonly format: string;
  readonly readonly: boolean;
  readonly direct: boolean;
  readonly noFlush: boolean;
}

async function nodesOf(client: QmpClient): Promise<Record<string, Nodes>> {
  const nodes = await client.execute('query-named-block-nodes', {});
  const ours = nodes.filter((node) => /^dsk\d+-/.test(node['node-name'] ?? ''));
  return Object.fromEntries(
    ours
      .map(({ 'node-name': name = '', drv, ro, cache }): [string, Nodes] => {
        return [name, { format: drv, readonly: ro, direct: cache.direct, noFlush: cache['no-flush'] }];
      })
      .toSorted(([a], [b]) => a.localeCompare(b)),
  );
}

/** What `-drive` would have made. */
function expectedNodes({ config, images }: ArgvRequest): Record<string, Nodes> {
  return Object.fromEntries(
    config.disks.flatMap(({ index, cache, readonly }, at): [string, Nodes][] => {
      const direct = cache === 'none' || cache === 'directsync';
      const node = { readonly, direct, noFlush: cache === 'unsafe' };
      return [
        [`dsk${index}-file`, { format: 'file', ...node }],
        [`dsk${index}-fmt`, { format: images[at]?.format ?? '', ...node }],
      ];
    }),
  );
}
