import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildArgs, describeMachine } from '../../src/machine/argv/build.ts';
import type { Part } from '../../src/machine/argv/description.ts';
import { renderOption } from '../../src/machine/argv/render/argv.ts';
import { renderCalls } from '../../src/machine/argv/render/qmp.ts';
import type { ArgvRequest } from '../../src/machine/argv/request.ts';
import { virtiofsdPath } from '../../src/machine/share/virtiofsd.ts';
import { ARGV_CONFIGS } from '../support/argv-configs.ts';
import { QEMUS, realRequest, withQemu, writeFiles } from '../support/argv-start.ts';
import { tempRoot } from '../support/temp-root.ts';

const NO_VIRTIOFSD = virtiofsdPath() === undefined ? 'this host has no virtiofsd' : undefined;

for (const { name, program, obstacle, isNewer } of QEMUS) {
  const configs = ARGV_CONFIGS.filter((config) => isNewer || !config.isNewer);
  for (const config of configs) {
    const skip = obstacle ?? (config.title.startsWith('virtiofs') ? NO_VIRTIOFSD : undefined);
    test(`${name} takes the command line of "${config.title}"`, { skip }, async (t) => {
      const request = await realRequest(tempRoot(t), config);
      writeFiles(request);
      await startAndQuit(program, request, buildArgs(request));
    });
  }

  for (const config of configs.filter(({ text }) => /^(?:DSK|CDR|NIC|USB|SOUND|VMGENID)/m.test(text))) {
    test(`${name} takes the devices of "${config.title}" as QMP arguments`, { skip: obstacle }, async (t) => {
      const request = await realRequest(tempRoot(t), {
        ...config,
        text: config.text.replaceAll('snapshot=on', 'snapshot=off'),
      });
      writeFiles(request);
      await startAndQuit(program, request, describeMachine(request).flatMap(argsInJson));
    });
  }
}

/** What QMP commands would say, as options: they take the same JSON, and also what a running QEMU has no room for. */
function argsInJson(part: Part): readonly string[] {
  if (part.kind === 'option' || part.kind === 'object') return renderOption(part).args;
  return renderCalls([part]).flatMap(({ command, arguments: values }) => [OPTIONS[command], JSON.stringify(values)]);
}

const OPTIONS = { device_add: '-device', 'blockdev-add': '-blockdev', netdev_add: '-netdev', 'object-add': '-object' };

async function startAndQuit(program: string, request: ArgvRequest, options: readonly string[]): Promise<void> {
  await withQemu(program, request, options, async (client, signal) => {
    const { status } = await client.execute('query-status', undefined, { signal });
    assert.equal(status, 'prelaunch');
  });
}
