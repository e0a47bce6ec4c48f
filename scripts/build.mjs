/**
 * Builds what is published: the library with its types in `dist/lib` (tsc), the four tools in `dist/bin` (esbuild), the
 * manual pages in `dist/man`.
 *
 * Each part is made in a folder of its own and then put in place, so that a build that fails, or a second one at the
 * same time, leaves the last good result alone.
 */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { DEFAULT_EXPORT, PACKAGES } from './bundle/modules.mjs';
import { DEFINE, inLater, insistOnAscii, PRELUDE } from './bundle/prelude.mjs';
import { buildPackedTools } from './bundle/tools.mjs';
import { buildPages } from './man.mjs';

const root = join(import.meta.dirname, '..');
const { engines, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const SMALL = ['qemu-netif', 'qemu-generator'];

/** Tools that are large, see bundle/tools.mjs. */
const PACKED = ['qemu-init', 'qemu-cmd', 'qemu-mon'];

/** Packages that only some calls need: files of their own, loaded when they are. */
const ON_DEMAND = ['yargs', 'sax', 'ws'];

/** Modules that the calls made most do without, likewise, by their path below `src/cli`. All else of a tool is one file. */
const LATE = { 'netif/command.ts': 'qemu-netif-command' };

const bundleOptions = {
  absWorkingDir: root,
  bundle: true,
  // CommonJS starts faster than ES modules do: built-in modules are loaded when they are needed, and without the work of
  // making their exports importable.
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  // import() becomes require(): the loader of ES modules would first scan a CommonJS file for its exports.
  supported: { 'dynamic-import': false },
  platform: 'node',
  target: 'node20.19',
  // What V8 has to read at every start; names stay, for stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  define: DEFINE,
  // Of a lock, which opens no file, it would only load all streams.
  alias: { 'graceful-fs': 'node:fs', 'string-width': './scripts/string-width.mjs' },
  banner: { js: `${refuseOldNode()}\n${PRELUDE}` },
  // Licences are gathered in one file below.
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
};

const onDemand = (packages) => ({
  name: 'on-demand',
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^(${packages.join('|')})$`) }, ({ path }) => ({
      path: `./packages/${path}.cjs`,
      external: true,
    }));
    onResolve({ filter: /\/command\.ts$/ }, ({ path, kind }) => {
      const name = LATE[path.replace(/^\.\//, '')];
      return kind === 'dynamic-import' && name !== undefined ? { path: `./${name}.cjs`, external: true } : undefined;
    });
  },
});

/** Files of the web page by what they are copied from. noVNC stays as it is, with its licence (MPL 2.0). */
const PAGE = [
  ['src/web/page', '', /\.(html|css|js|svg)$/],
  ['node_modules/@novnc/novnc/core', 'novnc/core', /\.js$/],
  ['node_modules/@novnc/novnc/vendor', 'novnc/vendor', /\.js$/],
  ['node_modules/@novnc/novnc', 'novnc', /^LICENSE\.txt$/],
  ['node_modules/@xterm/xterm/lib', 'xterm', /^xterm\.mjs$/],
  ['node_modules/@xterm/xterm/css', 'xterm', /^xterm\.css$/],
  ['node_modules/@xterm/xterm', 'xterm', /^LICENSE$/],
];

const results = await Promise.allSettled([
  buildLibrary(),
  buildTools(),
  intoPlace('man', buildPages),
  intoPlace('web', buildPage),
]);
for (const result of results) {
  if (result.status === 'rejected') {
    console.error(String(result.reason?.message ?? result.reason));
    process.exitCode = 1;
  }
}

/** The web page, and a list of its files: what is not in it is never served. */
async function buildPage(outDir) {
  const names = PAGE.flatMap(([from, to, wanted]) => {
    const isDeep = !/LICENSE/.test(String(wanted));
    return readdirSync(join(root, from), { recursive: isDeep, encoding: 'utf8' })
      .filter((name) => wanted.test(name))
      .map((name) => {
        const target = join(to, name);
        mkdirSync(dirname(join(outDir, target)), { recursive: true });
        copyFileSync(join(root, from, name), join(outDir, target));
        return target;
      });
  });
  writeFileSync(
    join(outDir, 'files.json'),
    `${JSON.stringify(
      names.toSorted((a, b) => (a < b ? -1 : 1)),
      null,
      2,
    )}\n`,
  );
}

async function buildLibrary() {
  await intoPlace('lib', async (outDir) => {
    const tsc = join(root, 'node_modules/.bin/tsc');
    const args = ['-p', join(root, 'scripts/tsconfig.lib.json'), '--outDir', outDir, '--pretty', 'false'];
    await promisify(execFile)(tsc, args).catch((error) => {
      throw new Error(`Cannot build the library:\n${error.stdout}${error.stderr}`);
    });
  });
}

async function buildTools() {
  await intoPlace('bin', async (outDir) => {
    const results = await Promise.all([
      build({
        ...bundleOptions,
        entryPoints: [
          ...SMALL.map((name) => ({ in: `src/cli/${name}.ts`, out: name })),
          ...Object.entries(LATE).map(([path, name]) => ({ in: `src/cli/${path}`, out: name })),
        ],
        outdir: outDir,
        plugins: [onDemand(ON_DEMAND)],
      }),
      ...ON_DEMAND.map((name) =>
        build({
          ...bundleOptions,
          entryPoints: [name],
          outfile: join(outDir, 'packages', `${name}.cjs`),
          footer: { js: DEFAULT_EXPORT },
        }),
      ),
    ]);
    for (const file of readdirSync(outDir).filter((name) => name.endsWith('.cjs'))) {
      const text = inLater(readFileSync(join(outDir, file), 'utf8'));
      insistOnAscii(file, text);
      writeFileSync(join(outDir, file), text);
    }
    const packed = await buildPackedTools(root, outDir, PACKED, bundleOptions, {
      head: refuseOldNode(),
      version,
      plugins: [onDemand(ON_DEMAND.filter((name) => !PACKAGES.includes(name)))],
    });
    const inputs = results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
    writeFileSync(join(outDir, 'LICENSES.txt'), licencesOf([...inputs, ...packed]));
  });
}

/** An older Node.js would fail with what it makes of the minified code; that of the shebang may be another than was installed with. */
function refuseOldNode() {
  const [major, minor] = engines.node.match(/\d+/g);
  const message = `Node.js ${major}.${minor} or newer is needed; \${process.execPath} is \${process.version}`;
  return (
    `{const [a,b]=process.versions.node.split('.');if(a<${major}||a==${major}&&b<${minor})` +
    `{console.error(\`qemu-init: ${message}\`);process.exit(5)}}`
  );
}

/** Runs `make` on an empty folder and then puts that folder at `dist/NAME`. */
async function intoPlace(name, make) {
  const dist = join(root, 'dist');
  mkdirSync(dist, { recursive: true });
  const fresh = mkdtempSync(join(dist, `.${name}-`));
  const old = `${fresh}.old`;
  try {
    await make(fresh);
    // mkdtemp makes it 0700, which would shut other users out of an installed package.
    chmodSync(fresh, 0o755);
    const target = join(dist, name);
    if (existsSync(target)) renameSync(target, old);
    renameSync(fresh, target);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

/** The licence text of every package that the bundles contain: their licences ask to be kept with each copy. */
function licencesOf(inputs) {
  const packages = new Set(inputs.map(packageDir).filter((dir) => dir !== undefined));
  return [...new Set([...packages].map(licenceOf))].sort().join('\n');
}

function packageDir(input) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input.split(sep).join('/'))?.[0];
}

function licenceOf(dir) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8'));
  const file = readdirSync(join(root, dir)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? `${license}\n` : readFileSync(join(root, dir, file), 'utf8');
  return `==== ${name} ${version} ====\n\n${text.trim()}\n`;
}
