import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { testDefinitions } from '../network/imported.ts';
import { enterOwnNamespace } from '../network/own-namespace.ts';
import { debian13Qemu } from '../support/debian-13-qemu.ts';
import { DEFINITIONS } from '../support/definitions/all.ts';
import type { Definition } from '../support/import-files.ts';

await enterOwnNamespace();

/** A folder with more definitions, named as on the hosts that they are from: `qemu-server/100.conf`, `web.xml`, `run.sh`. */
const MORE = process.env['QEMU_INIT_DEFINITIONS'];

/** What differs between two versions of QEMU is in the options, of which the same come again and again. */
const EVERY = 4;

const all = [...DEFINITIONS, ...(MORE === undefined ? [] : definitionsBelow(MORE))];
testDefinitions(all, { name: 'QEMU' });
testDefinitions(
  all.filter((_, at) => at % EVERY === 0),
  { name: 'QEMU of Debian 13', ...debian13Qemu() },
);

function definitionsBelow(dir: string): Definition[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:conf|json|sh|xml)$/.test(name))
    .sort()
    .map((name) => ({
      title: name,
      path: name.includes('qemu-server/') ? `etc/pve/qemu-server/${basename(name)}` : `srv/${name}`,
      text: readFileSync(join(dir, name), 'utf8'),
      format: name.endsWith('.sh') ? 'command' : name.endsWith('.json') ? 'ozone' : undefined,
    }));
}
