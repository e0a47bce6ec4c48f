import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Definition } from '../support/import-files.ts';
import { fateOf, importHost } from '../support/imported-machines.ts';
import { tempRoot } from '../support/temp-root.ts';
import { linkNames, makeBridge } from './shell.ts';

/** A QEMU that the machines are started with. */
export interface StartedQemu {
  readonly name: string;
  /** Undefined: the one of this host. */
  readonly program?: string | undefined;
  /** Why there is none. */
  readonly obstacle?: string | undefined;
}

/** The rest needs devices or folders that only its own host has. */
const LEAST_STARTED = 0.7;

/** A test for each definition, which has the network namespace to itself. */
export function testDefinitions(definitions: readonly Definition[], { name, program, obstacle }: StartedQemu): void {
  let started = 0;
  for (const definition of definitions) {
    const title = `${name}: ${definition.title} becomes a machine that starts, or check says why not`;
    test(title, { skip: obstacle }, async (t) => {
      const host = importHost(tempRoot(t), {
        program,
        makeBridge: (bridge) => {
          if (!linkNames().includes(bridge)) makeBridge(bridge);
        },
      });
      const fate = await fateOf(host, definition);
      if (fate.kind === 'started') started += 1;
      else t.diagnostic(`${fate.kind}: ${fate.why}`);
    });
  }
  test(`${name}: most of all of them start`, { skip: obstacle }, () => {
    assert.ok(started >= LEAST_STARTED * definitions.length, `${started} of ${definitions.length}`);
  });
}
