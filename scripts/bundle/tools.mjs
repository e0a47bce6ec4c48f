/**
 * The tools that are large, in files that V8 reads little of. A call reads the pack of what it does, which has the modules that it usually
 * needs; all others are in areas, by their folders. Packs and areas have code caches.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { HELPERS, modulesOf, numbered } from './modules.mjs';
import { insistOnAscii, PRELUDE } from './prelude.mjs';

const { CALLS } = createRequire(import.meta.url)('./calls.cjs');
const PACKS = Object.keys(CALLS);
/** Each action with its pack. */
const CHOICE = PACKS.flatMap((pack) => [pack, ...(CALLS[pack].also ?? [])].map((action) => `${action}:${pack}`)).join(
  ' ',
);
/** Layers that an area has. The last has all others. */
const AREAS = {
  low: /^src\/(?:base|qmp|config|system|domain)\//,
  machine: /^src\/machine\//,
  fleet: /^src\/(?:network|fleet)\//,
  high: /^/,
};
/** In the names of the packs that show what calls load. */
const TRACE = 'trace';

/**
 * Builds such tools into a folder. Returns the files that are in them.
 *
 * @param {string} root the checkout.
 * @param {string} outDir
 * @param {string[]} tools their names.
 * @param {object} options of esbuild that all bundles have in common.
 * @param {{ head: string, version: string, plugins: object[] }} how `head`: what stands before the loader of a tool.
 */
export async function buildPackedTools(root, outDir, tools, options, { head, version, plugins }) {
  const entries = tools.map((name) => `src/cli/${name}.ts`);
  const { bodies, inputs } = await modulesOf(root, entries, options, plugins);
  const areaOf = (name) => Object.keys(AREAS).find((area) => AREAS[area].test(name));
  const areas = Object.keys(AREAS).map((area) => [area, [...bodies.keys()].filter((name) => areaOf(name) === area)]);
  const names = areas.flatMap(([, each]) => each);
  const numbers = new Map(names.map((name, index) => [name, index]));
  const ends = areas.map(([area, each]) => `${area}:${numbers.get(each.at(-1)) + 1}`);
  const loader = readFileSync(join(root, 'scripts/bundle/loader.cjs'), 'utf8')
    .replace('VERSION', version)
    .replace('AREAS', ends.join(' '));
  const write = (stamp, packs) => {
    for (const [pack, text] of packs) writeFileSync(packFile(outDir, stamp, pack), text);
    for (const name of tools) {
      const short = name.replace('qemu-', '');
      const own = loader
        .replace('TOOL', name)
        .replaceAll('STAMP', stamp)
        .replace('MODULE', numbers.get(`src/cli/${name}`))
        .replace('PACKS', short === 'init' ? CHOICE : `${short}:${short}`)
        .replace('DEFAULT', short);
      writeFileSync(join(outDir, `${name}.cjs`), `${head}\n${own}`);
    }
  };
  const scratch = mkdtempSync(join(tmpdir(), 'qemu-init-build-'));
  try {
    await build({ ...options, entryPoints: ['src/testing/index.ts'], outfile: join(scratch, 'testing.cjs') });
    const run = (...words) => node(join(root, 'scripts/bundle/code-cache.cjs'), outDir, scratch, ...words);
    const traced = new Map(
      [...bodies].map(([name, body]) => [name, `globalThis.loadedModules.push(${JSON.stringify(name)});${body}`]),
    );
    const empty = PACKS.map((pack) => [pack, []]);
    write(
      TRACE,
      [...empty, ...areas].map(([pack, each]) => [pack, packText(pack, each, traced, numbers)]),
    );
    const packs = [];
    for (const pack of PACKS) {
      const loaded = new Set(JSON.parse(await run(TRACE, 'trace', pack)));
      packs.push([pack, names.filter((name) => loaded.has(name))]);
    }
    for (const [pack] of [...packs, ...areas]) rmSync(packFile(outDir, TRACE, pack));
    const texts = [...packs, ...areas].map(([pack, each]) => [pack, packText(pack, each, bodies, numbers)]);
    const stamp = createHash('sha256').update(texts.flat().join()).digest('hex').slice(0, 16);
    write(stamp, texts);
    for (const [pack] of texts) await run(stamp, 'cache', pack);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return inputs;
}

/**
 * Tools load the packs of their own build alone, also while others are being installed; the names sort before those of the
 * tools, which thus come after what they load.
 */
function packFile(outDir, stamp, pack) {
  return join(outDir, `pack-${stamp}-${pack}.cjs`);
}

/** The code that gives some modules by their numbers. */
function packText(pack, names, bodies, numbers) {
  const members = names.map((name) => {
    const body = numbered(bodies.get(name), (other) => numbers.get(other));
    return `${numbers.get(name)}(require,module){${body}}`;
  });
  const text = `(function(require,__filename){"use strict";${PRELUDE}${HELPERS}return{${members.join(',\n')}}})\n`;
  insistOnAscii(pack, text);
  return text;
}

async function node(...words) {
  const running = promisify(execFile)(process.execPath, words, { env: {}, timeout: 300_000 });
  running.child.stdin.end();
  const { stdout, stderr } = await running;
  process.stderr.write(stderr);
  return stdout;
}
