/**
 * Makes a Debian package: what `qemu-init install` puts on a host, in the form that dpkg wants.
 *
 * `node scripts/deb.mjs [FOLDER]` writes FOLDER/qemu-init_VERSION_all.deb, by default into `build`, and prints its path.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

const root = join(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const target = resolve(process.argv[2] ?? join(root, 'build'));

const MAINTAINER = 'qemu-init maintainers <maintainers@qemu-init.invalid>';
/** First the synopsis, at most 80 characters. */
const DESCRIPTION = `Start, stop and look after QEMU machines on one Linux host
 One small text file describes a machine. Nothing stays resident beside QEMU,
 which runs without rights and in its sandbox.
 .
 Machines come up at boot and go down by the power button at shutdown, under
 systemd, SysV init and OpenRC.`;

const LIBRARY_PAGES = new Set(['library.md', 'schemas.md']);

const stage = mkdtempSync(join(tmpdir(), 'qi-deb-'));
try {
  chmodSync(stage, 0o755);
  execFileSync(process.execPath, [
    join(root, 'bin/qemu-init'),
    'install',
    '--prefix',
    '/usr',
    '--destdir',
    stage,
    '--quiet',
  ]);
  adapt();
  document();
  control();
  mkdirSync(target, { recursive: true });
  const file = join(target, `qemu-init_${version}_all.deb`);
  execFileSync('dpkg-deb', ['--build', '--root-owner-group', stage, file], { stdio: ['ignore', 'ignore', 'inherit'] });
  console.log(file);
} finally {
  rmSync(stage, { recursive: true, force: true });
}

/** Debian's rules where they differ from what suits every host. */
function adapt() {
  // dpkg itself knows what it has installed.
  rmSync(inStage('usr/lib/qemu-init/installed.json'), { force: true });
  rmSync(inStage('usr/lib/qemu-init/LICENSE'), { force: true });
  for (const path of files('usr/share/man')) {
    writeFileSync(inStage(`${path}.gz`), gzipSync(read(path), { level: 9 }));
    rmSync(inStage(path));
  }
  // Policy 10.5: a link that stays below one top folder is relative.
  for (const path of files('usr').filter((each) => lstatSync(inStage(each)).isSymbolicLink())) {
    const to = readlinkSync(inStage(path));
    if (!to.startsWith('/usr/')) continue;
    rmSync(inStage(path));
    symlinkSync(relative(dirname(`/${path}`), to), inStage(path));
  }
}

function document() {
  const folder = 'usr/share/doc/qemu-init';
  const licence = readFileSync(join(root, 'LICENSE'), 'utf8');
  const bundled = readFileSync(join(root, 'dist/bin/LICENSES.txt'), 'utf8');
  const ofPage = ['novnc/LICENSE.txt', 'xterm/LICENSE'].map(
    (name) => `${name.split('/')[0]}\n\n${readFileSync(join(root, 'dist/web', name), 'utf8')}`,
  );
  const date = new Date(1000 * Number(process.env['SOURCE_DATE_EPOCH'] ?? Math.floor(Date.now() / 1000)));
  mkdirSync(inStage(folder), { recursive: true });
  // The manual pages are where man looks, and the library is not in this package.
  for (const name of ['README.md', 'CHANGELOG.md', 'SECURITY.md'])
    write(`${folder}/${name}`, readFileSync(join(root, name)));
  mkdirSync(inStage(`${folder}/docs`));
  for (const name of readdirSync(join(root, 'docs')).filter((each) => each.endsWith('.md') && !LIBRARY_PAGES.has(each)))
    write(`${folder}/docs/${name}`, readFileSync(join(root, 'docs', name)));
  write(
    `${folder}/copyright`,
    `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: qemu-init\n\n${licence}\n` +
      `The tools contain these packages:\n\n${bundled}\nThe page contains these:\n\n${ofPage.join('\n')}`,
  );
  const entry = `qemu-init (${version}) stable; urgency=medium\n\n  * See CHANGELOG.md of the project.\n\n -- ${MAINTAINER}  ${rfc2822(date)}\n`;
  writeFileSync(inStage(`${folder}/changelog.gz`), gzipSync(entry, { level: 9 }));
}

function control() {
  mkdirSync(inStage('usr/share/lintian/overrides'), { recursive: true });
  write('usr/share/lintian/overrides/qemu-init', readFileSync(join(root, 'scripts/deb/lintian-overrides'), 'utf8'));
  mkdirSync(inStage('DEBIAN'));
  for (const script of ['postinst', 'prerm', 'postrm']) {
    cpSync(join(root, 'scripts/deb', script), inStage(`DEBIAN/${script}`));
    chmodSync(inStage(`DEBIAN/${script}`), 0o755);
  }
  const conffiles = files('etc').filter((path) => lstatSync(inStage(path)).isFile());
  write('DEBIAN/conffiles', conffiles.map((path) => `/${path}\n`).join(''));
  const size = Number(execFileSync('du', ['-sk', '--apparent-size', stage], { encoding: 'utf8' }).split('\t')[0]);
  const fields = {
    Package: 'qemu-init',
    Version: version,
    Architecture: 'all',
    Maintainer: MAINTAINER,
    'Installed-Size': size,
    Depends: 'nodejs (>= 20.19), adduser, iproute2, qemu-system-x86 | qemu-system',
    Recommends: 'qemu-utils, ovmf',
    Suggests: 'polkitd, bash-completion, openssh-client, pacemaker',
    Section: 'admin',
    Priority: 'optional',
    Description: DESCRIPTION,
  };
  write(
    'DEBIAN/control',
    Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}\n`)
      .join(''),
  );
  const sums = files('').filter((path) => !path.startsWith('DEBIAN') && lstatSync(inStage(path)).isFile());
  const text = execFileSync('md5sum', ['--', ...sums], { cwd: stage, encoding: 'utf8' });
  write('DEBIAN/md5sums', text);
}

function inStage(path) {
  return join(stage, path);
}

function read(path) {
  return readFileSync(inStage(path), 'utf8');
}

function write(path, text, mode = 0o644) {
  writeFileSync(inStage(path), text);
  chmodSync(inStage(path), mode);
}

/** All that is no folder below one, relative to the package. */
function files(folder) {
  return readdirSync(inStage(folder), { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(stage, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** As in `Sat, 21 Nov 2026 05:00:00 +0000`. */
function rfc2822(date) {
  return date.toUTCString().replace('GMT', '+0000');
}
