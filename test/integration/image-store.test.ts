import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseJson } from '../support/cli.ts';
import { assertDocument } from '../support/documents.ts';
import { type Lab, LIGHT, lab, until } from '../support/lab.ts';
import type { Cleanup } from '../support/temp-root.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server for one test; its answers can be changed. */
async function server(t: Cleanup, handler: Handler, secure?: { key: string; cert: string }): Promise<string> {
  const running = secure ? createSecureServer(secure, handler) : createServer(handler);
  await new Promise<void>((resolve) => running.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    running.closeAllConnections();
    running.close();
  });
  const address = running.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `${secure ? 'https' : 'http'}://127.0.0.1:${address.port}`;
}

function makeImage(root: Lab): Buffer {
  const raw = join(root.dir, 'content.raw');
  const image = join(root.dir, 'content.qcow2');
  writeFileSync(raw, Buffer.alloc(4 * 1024 ** 2, 'some data '));
  execFileSync('qemu-img', ['convert', '-O', 'qcow2', raw, image]);
  return readFileSync(image);
}

const hashOf = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** What the store has, but for the notes. */
const stored = (root: Lab): string[] =>
  readdirSync(join(root.stateDir, 'images')).filter((name) => !name.endsWith('.json'));

/** Serves bytes as a good server does. */
function serve(data: Buffer, etag = '"v1"'): Handler {
  return (request, response) => {
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end();
    const isRest = from !== undefined && request.headers['if-range'] === etag;
    const body = isRest ? data.subarray(Number(from)) : data;
    const range = isRest ? { 'content-range': `bytes ${from}-${data.length - 1}/${data.length}` } : {};
    response.writeHead(isRest ? 206 : 200, { etag, 'content-length': body.length, ...range }).end(body);
  };
}

test('an image is fetched once, verified, used by a machine, and removed only when none uses it', async (t) => {
  const root = lab(t);
  const data = makeImage(root);
  let requests = 0;
  const base = await server(t, (request, response) => {
    requests += 1;
    serve(data)(request, response);
  });
  const url = `${base}/images/debian%2012.qcow2?x=1`;
  const withHash = `${url}#sha256=${hashOf(data)}`;
  const rows = async (...args: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]> => {
    const document = parseJson(await root.init('image', ...args, '--json'));
    assertDocument(document, 'image');
    assert.ok(Array.isArray(document));
    return document;
  };
  for (const verb of ['list', 'verify'])
    assert.match((await root.init('image', verb)).stderr, /^no images; fetch one: /);
  const [pulled] = await rows('pull', withHash);
  assert.equal(pulled?.['outcome'], 'pulled');
  assert.equal(pulled?.['name'], 'debian_12.qcow2');
  assert.equal(pulled?.['virtualSizeBytes'], 4 * 1024 ** 2);
  const file = join(root.stateDir, 'images/debian_12.qcow2');
  assert.equal(statSync(file).mode & 0o777, 0o444);
  assert.equal((await rows('pull', withHash))[0]?.['outcome'], 'unchanged');
  assert.equal(requests, 1, 'the hash says that it is the same');
  assert.match(await root.ok('image', 'verify'), /debian_12\.qcow2: verified/);

  const light = LIGHT.trim().split('\n');
  await root.ok('create', 'web', ...light, '--image', withHash, '--linked', '--disk', '8M');
  await root.ok('create', 'db', ...light, '--image', 'debian_12.qcow2');
  assert.equal(requests, 1, 'it is there');
  assert.deepEqual((await rows('list'))[0]?.['usedBy'], ['web']);
  const kept = await root.init('image', 'remove', 'debian_12.qcow2');
  assert.match(kept.stderr, /is used by web/);
  assert.ok(existsSync(file));
  await root.ok('start', 'web');
  await root.ok('stop', '--force', 'web');
  await root.ok('unregister', 'web');
  // Its file is still there, and could be registered again.
  assert.notEqual((await root.init('image', 'remove', 'debian_12.qcow2')).code, 0);

  chmodSync(file, 0o644);
  writeFileSync(file, Buffer.concat([data.subarray(0, -1), Buffer.from('!')]));
  const changed = await root.init('image', 'verify');
  assert.equal(changed.code, 1);
  assert.match(changed.stderr, /has changed: its sha256 is/);
  execFileSync('rm', [join(root.etcDir, 'web-qemu.cfg')]);
  await root.ok('image', 'remove', 'debian_12.qcow2');
  assert.deepEqual(readdirSync(join(root.stateDir, 'images')), []);
  assert.match((await root.init('image', 'remove', 'none')).stderr, /There is no image "none"/);
});

test('a download that is cut goes on where it was, unless the server has another file by then', async (t) => {
  const root = lab(t);
  const data = makeImage(root);
  const cut = Math.floor(data.length / 2);
  const ranges: (string | undefined)[] = [];
  let handle = serve(data);
  let breaks = true;
  const base = await server(t, (request, response) => {
    ranges.push(request.headers.range);
    if (!breaks) return handle(request, response);
    response.writeHead(200, { etag: '"v1"', 'content-length': data.length });
    response.write(data.subarray(0, cut), () => {
      breaks = false;
      response.destroy();
    });
  });
  const url = `${base}/a.qcow2#sha256=${hashOf(data)}`;
  await root.ok('image', 'pull', url);
  // What of the first half has arrived when the connection breaks is the network's affair.
  assert.equal(ranges.length, 2);
  assert.match(ranges[1] ?? '', /^bytes=[1-9]\d*-$/);
  assert.equal(hashOf(readFileSync(join(root.stateDir, 'images/a.qcow2'))), hashOf(data));

  // What a killed command left is continued by the next one.
  const slow = `${base}/slow.qcow2#sha256=${hashOf(data)}`;
  handle = (_, response) => {
    response.writeHead(200, { etag: '"v1"', 'content-length': data.length });
    response.write(data.subarray(0, cut));
  };
  const killed = root.spawn('qemu-init', ['image', 'pull', slow]);
  const part = (): string | undefined => stored(root).find((name) => name.endsWith('.part'));
  await until('half of it is there', () => {
    const name = part();
    return name !== undefined && statSync(join(root.stateDir, 'images', name)).size === cut;
  });
  killed.child.kill('SIGKILL');
  await killed.result;
  handle = serve(data);
  ranges.length = 0;
  await root.ok('image', 'pull', slow);
  assert.deepEqual(ranges, [`bytes=${cut}-`]);
  assert.deepEqual(stored(root), ['a.qcow2', 'slow.qcow2']);

  // The same address has another file now: the old one, which may be a base, stays.
  const newer = Buffer.concat([data, Buffer.alloc(512)]);
  handle = serve(newer, '"v2"');
  await root.ok('image', 'pull', `${base}/a.qcow2#sha256=${hashOf(newer)}`);
  assert.deepEqual(stored(root), [`a-${hashOf(newer).slice(0, 8)}.qcow2`, 'a.qcow2', 'slow.qcow2']);
});

test('wrong answers leave nothing: a wrong hash, an error, a page, a loop, a foreign image, plain http', async (t) => {
  const root = lab(t);
  const data = makeImage(root);
  execFileSync('qemu-img', [
    'create',
    '-q',
    '-f',
    'qcow2',
    '-u',
    '-b',
    '/etc/shadow',
    '-F',
    'raw',
    join(root.dir, 'evil'),
    '1M',
  ]);
  const evil = readFileSync(join(root.dir, 'evil'));
  const page = Buffer.from('<html>log in first</html>');
  const base = await server(t, (request, response) => {
    const path = request.url ?? '';
    if (path === '/gone') response.writeHead(404).end('no');
    else if (path === '/loop') response.writeHead(302, { location: '/loop' }).end();
    else if (path === '/ftp') response.writeHead(302, { location: 'ftp://127.0.0.1/a' }).end();
    else if (path === '/file') response.writeHead(302, { location: 'file:///etc/shadow' }).end();
    else if (path === '/hop') response.writeHead(301, { location: '/good.qcow2' }).end();
    else if (path === '/short')
      response.writeHead(200, { 'content-length': data.length + 1 }).write(data, () => response.destroy());
    else if (path === '/evil') serve(evil)(request, response);
    else if (path === '/page') serve(page)(request, response);
    else serve(data)(request, response);
  });
  const good = hashOf(data);
  for (const [url, pattern] of [
    [`/good.qcow2#sha256=${'0'.repeat(64)}`, /has the sha256 [0-9a-f]{64}, not 0{64}/],
    ['/good.qcow2#sha256=123', /A sha256 has 64 hexadecimal digits/],
    ['/good.qcow2', /by http: others could change it on the way[\s\S]*#sha256=/],
    [`/gone#sha256=${good}`, /the server says 404/],
    [`/loop#sha256=${good}`, /leads to more than 5 other addresses/],
    [`/ftp#sha256=${good}`, /it is not an https address/],
    [`/file#sha256=${good}`, /it is not an https address/],
    [`/short#sha256=${good}`, /Cannot fetch|The connection ended/],
    [`/evil#sha256=${hashOf(evil)}`, /names another file, "\/etc\/shadow"/],
    [`/page#sha256=${hashOf(page)}`, /perhaps a web page/],
  ] as const) {
    const { code, stderr } = await root.init('image', 'pull', `${base}${url}`);
    assert.notEqual(code, 0, url);
    assert.match(stderr, pattern);
    const left = existsSync(join(root.stateDir, 'images')) ? readdirSync(join(root.stateDir, 'images')) : [];
    assert.deepEqual(left, [], url);
  }
  for (const url of ['ftp://127.0.0.1/a', 'file:///etc/shadow', 'https://me:secret@127.0.0.1/a']) {
    const { code, stderr } = await root.init('image', 'pull', url);
    assert.equal(code, 2, stderr);
    assert.doesNotMatch(stderr, /secret/);
  }
  const created = await root.init('create', 'web', '--image', `${base}/good.qcow2#sha256=${'0'.repeat(64)}`);
  assert.match(created.stderr, /has the sha256/);
  assert.deepEqual(
    readdirSync(root.etcDir).filter((name) => name.includes('web')),
    [],
  );
  await root.ok('image', 'pull', `${base}/hop#sha256=${good}`);
  assert.deepEqual(stored(root), ['hop']);
});

test('https needs no hash, but a certificate, and never leads to http', async (t) => {
  const root = lab(t);
  const at = (name: string): string => join(root.dir, name);
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      ...subject,
      '-keyout',
      at('key'),
      '-out',
      at('cert'),
    ],
    { stdio: 'ignore' },
  );
  const data = makeImage(root);
  const plain = await server(t, serve(data));
  const secure = await server(
    t,
    (request, response) => {
      if (request.url === '/down') response.writeHead(302, { location: `${plain}/a.qcow2` }).end();
      else serve(data)(request, response);
    },
    { key: readFileSync(at('key'), 'utf8'), cert: readFileSync(at('cert'), 'utf8') },
  );
  const unknown = await root.init('image', 'pull', `${secure}/a.qcow2`);
  assert.notEqual(unknown.code, 0);
  assert.match(unknown.stderr, /certificate/);
  const env = { NODE_EXTRA_CA_CERTS: at('cert') };
  const down = await root.run('qemu-init', ['image', 'pull', `${secure}/down#sha256=${hashOf(data)}`], { env });
  assert.match(down.stderr, /leads from https to "http:/);
  const pulled = await root.run('qemu-init', ['image', 'pull', `${secure}/a.qcow2`], { env });
  assert.equal(pulled.code, 0, pulled.stderr);
  assert.match(pulled.stderr, new RegExp(`its sha256 is ${hashOf(data)}; compare`));
  const again = await root.run('qemu-init', ['image', 'pull', `${secure}/a.qcow2`], { env });
  assert.match(again.stdout, /a\.qcow2: unchanged/);
});

test('an answer without a length and an end does not fill the disk, and nothing of it stays', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can mount');
  const root = lab(t);
  const folder = join(root.stateDir, 'images');
  mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8M,mode=755', 'tmpfs', folder]);
  t.after(() => void execFileSync('umount', ['--lazy', folder]));
  const base = await server(t, (_request, response) => {
    response.writeHead(200, { etag: '"v1"' });
    const more = (): void => {
      while (response.write(Buffer.alloc(64 * 1024, 'x')));
      response.once('drain', more);
    };
    more();
  });
  const { code, stderr } = await root.init('image', 'pull', `${base}/a.img#sha256=${'0'.repeat(64)}`);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /The answer fills the disk/);
  assert.deepEqual(readdirSync(folder), []);
});
