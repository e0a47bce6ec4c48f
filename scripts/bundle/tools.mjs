/**
 * The tools that are large, in files that V8 reads little of: esbuild cuts them into chunks, which are packed by the calls
 * that need them. Each pack has a code cache.
 *
 * A call loads the packs that its chunks are in: `main` has what every call needs, and `status` in particular.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { build, transform } from 'esbuild';
import { inLater, insistOnAscii, PRELUDE } from './prelude.mjs';

/** Packs in the order in which chunks are given to them: the first whose calls load a chunk has it. The rest has all others. */
const PACKS = ['main', 'stop', 'start', 'cmd', 'mon', 'rest'];
/** In the names of the packs that show what calls load. */
const TRACE = 'trace';

/** What esbuild adds to each chunk. */
const HELPERS =
  'const __defProp=Object.defineProperty,__export=(to,all)=>{for(const name in all)__defProp(to,name,{get:all[name],enumerable:!0})},' +
  '__copyProps=(to,from,except)=>{if(from&&typeof from=="object"||typeof from=="function")for(const key of Object.getOwnPropertyNames(from))' +
  'Object.hasOwn(to,key)||key===except||__defProp(to,key,{get:()=>from[key],enumerable:!0});return to},' +
  '__toESM=(mod,node)=>__copyProps(node||!mod||!mod.__esModule?__defProp(mod==null?{}:Object.create(Object.getPrototypeOf(mod)),"default",{value:mod,enumerable:!0}):' +
  'Object.create(Object.getPrototypeOf(mod)),mod),__toCommonJS=mod=>mod;';

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
  const { banner: _, supported, ...common } = options;
  const { outputFiles, metafile } = await build({
    ...common,
    format: 'esm',
    splitting: true,
    write: false,
    outdir: outDir,
    outExtension: { '.js': '.js' },
    entryPoints: tools.map((name) => ({ in: `src/cli/${name}.ts`, out: name })),
    chunkNames: '[hash]',
    plugins,
  });
  const { target, platform, minifyWhitespace, minifySyntax } = options;
  const chunks = new Map();
  for (const { path, text } of outputFiles) {
    const { code } = await transform(text, {
      format: 'cjs',
      target,
      platform,
      minifyWhitespace,
      minifySyntax,
      supported,
      legalComments: 'none',
    });
    chunks.set(`./${basename(path)}`, bodyOf(path, code));
  }
  const loader = readFileSync(join(root, 'scripts/bundle/loader.cjs'), 'utf8')
    .replace('VERSION', version)
    .replace('PACKS', PACKS.join(' '));
  const writeLoaders = (stamp) => {
    const text = loader.replaceAll('STAMP', stamp);
    for (const name of tools) writeFileSync(join(outDir, `${name}.cjs`), `${head}\n${text.replace('TOOL', name)}`);
  };
  const scratch = mkdtempSync(join(tmpdir(), 'qemu-init-build-'));
  try {
    await build({ ...options, entryPoints: ['src/testing/index.ts'], outfile: join(scratch, 'testing.cjs') });
    const run = (...words) => node(join(root, 'scripts/bundle/code-cache.cjs'), outDir, scratch, ...words);
    writeLoaders(TRACE);
    const where = await placesOf(chunks, outDir, (packs) => run(TRACE, 'trace', ...packs));
    const texts = PACKS.map((pack) => {
      const own = [...chunks].filter(([id]) => where[id] === pack);
      return [pack, packText(pack, own, pack === 'main' ? where : {})];
    });
    const stamp = createHash('sha256').update(texts.flat().join()).digest('hex').slice(0, 16);
    for (const [pack, text] of texts) writeFileSync(packFile(outDir, stamp, pack), text);
    writeLoaders(stamp);
    for (const pack of PACKS) await run(stamp, 'cache', pack);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return Object.keys(metafile.inputs);
}

/** The pack of each chunk, found out by calls of tools that have all chunks in the first. */
async function placesOf(chunks, outDir, trace) {
  const traced = [...chunks].map(([id, body]) => [id, `globalThis.chunksLoaded.push(${JSON.stringify(id)});${body}`]);
  for (const pack of PACKS) {
    writeFileSync(packFile(outDir, TRACE, pack), packText(pack, pack === 'main' ? traced : [], {}));
  }
  const loaded = JSON.parse(await trace(PACKS));
  for (const pack of PACKS) rmSync(packFile(outDir, TRACE, pack));
  const placeOf = (id) => PACKS.find((pack) => loaded[pack].includes(id)) ?? PACKS.at(-1);
  return Object.fromEntries([...chunks.keys()].map((id) => [id, placeOf(id)]));
}

/** A chunk without the helpers that each is given. */
function bodyOf(path, code) {
  const at = code.indexOf('var stdin_exports=');
  if (at === -1) throw new Error(`${path} exports nothing`);
  const body = code
    .slice(at)
    .replace(/0&&\(module\.exports=\{[^}]*\}\);\s*$/, '')
    // What a chunk exports can be had as it is.
    .replaceAll(/__toESM\((require\("\.\/[\w-]+\.js"\))\)/g, '$1');
  return inLater(body);
}

/**
 * Tools load the packs of their own build alone, also while others are being installed; the names sort before those of the
 * tools, which thus come after what they load.
 */
function packFile(outDir, stamp, pack) {
  return join(outDir, `pack-${stamp}-${pack}.cjs`);
}

/** The code that gives its chunks by name, and where others are. */
function packText(pack, chunks, where) {
  const members = chunks.map(([id, body]) => `${JSON.stringify(id)}(require,module){${body}}`);
  const elsewhere = Object.fromEntries(Object.entries(where).filter(([, name]) => name !== pack));
  const text =
    `(function(require,__filename){"use strict";${PRELUDE}${HELPERS}` +
    `return{where:${JSON.stringify(elsewhere)},chunks:{${members.join(',\n')}}}})\n`;
  insistOnAscii(pack, text);
  return text;
}

async function node(...words) {
  const running = promisify(execFile)(process.execPath, words, { env: {}, timeout: 60_000 });
  running.child.stdin.end();
  return (await running).stdout;
}
