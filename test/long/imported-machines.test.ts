import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { enterOwnNamespace } from '../network/own-namespace.ts';
import { linkNames, makeBridge } from '../network/shell.ts';
import { debian13Qemu } from '../support/debian-13-qemu.ts';
import { DEFINITIONS } from '../support/definitions/all.ts';
import type { Definition } from '../support/import-files.ts';
import { fateOf, importHost } from '../support/imported-machines.ts';
import { tempRoot } from '../support/temp-root.ts';

await enterOwnNamespace();

/** A folder with more definitions, named as on the hosts that they are from: `qemu-server/100.conf`, `web.xml`, `run.sh`. */
const MORE = process.env['QEMU_INIT_DEFINITIONS'];

const newer = debian13Qemu();
for (const [name, program, obstacle] of [
  ['QEMU', undefined, undefined],
  ['QEMU of Debian 13', newer.program, newer.obstacle],
] as const) {
  for (const definition of [...DEFINITIONS, ...more()]) {
    test(`${name}: ${definition.title} becomes a machine that starts, or check says why not`, { skip: obstacle }, async (t) => {
      const host = importHost(tempRoot(t), {
        program,
        makeBridge: (bridge) => {
          if (!linkNames().includes(bridge)) makeBridge(bridge);
        },
      });
      const fate = await fateOf(host, definition);
      t.diagnostic(fate.kind === 'started' ? 'started' : `${fate.kind}: ${fate.why}`);
    });
  }
}

function more(): Definition[] {
  if (MORE === undefined) return [];
  const names = readdirSync(MORE, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(?:conf|json|sh|xml)$/.test(name));
  return names.sort().map((name) => ({
    title: name,
    path: name.includes('qemu-server/') ? `etc/pve/qemu-server/${basename(name)}` : `srv/${name}`,
    text: readFileSync(join(MORE, name), 'utf8'),
    format: name.endsWith('.sh') ? 'command' : name.endsWith('.json') ? 'ozone' : undefined,
  }));
}
