import { isRecord } from '../../base/guards.ts';
import { quote } from '../../base/text.ts';
import { isValidName } from '../../config/text/names.ts';
import type { BackupDisk, BackupFile, BackupManifest } from './manifest.ts';
import { isPointName } from './point-name.ts';

type Fail = (why: string) => never;
type Members = Readonly<Record<string, unknown>>;

/**
 * Takes a manifest out of a JSON value. Members that are not known are left out.
 *
 * @param fail throws what is wrong with it.
 * @param refuse throws that it is of another version.
 */
export function checkManifest(value: unknown, fail: Fail, refuse: (version: number) => never): BackupManifest {
  if (!isRecord(value)) return fail('not an object');
  const { version, disks, files } = value;
  if (version !== 1) return typeof version === 'number' ? refuse(version) : fail('version is not a number');
  const member = memberReader(value, '', fail);
  const kind = member.matching('kind', /^(?:full|incremental)$/) === 'full' ? 'full' : 'incremental';
  const parent = member.optional('parent');
  if ((kind === 'incremental') !== (parent !== undefined))
    return fail(`kind is ${kind}, but parent is ${shown(parent)}`);
  if (parent !== undefined && !isPointName(parent)) return fail(`parent ${quote(parent)} is not the name of a point`);
  const manifest: BackupManifest = {
    version,
    name: member.name('name'),
    shortName: member.name('shortName'),
    createdAt: member.time('createdAt'),
    kind,
    ...defined('reason', member.optional('reason')),
    ...defined('parent', parent),
    chain: member.matching('chain', CHAIN),
    quiesced: member.flag('quiesced'),
    qemuVersion: member.text('qemuVersion'),
    compressed: member.flag('compressed'),
    disks: list(disks, 'disks', fail).map((each, position) => readDisk(each, `disks[${position}].`, parent, fail)),
    files: list(files, 'files', fail).map((each, position) => readFile(each, `files[${position}].`, fail)),
  };
  if (manifest.disks.length === 0) return fail('it has no disks');
  demandUnique(
    manifest.disks.map(({ key }) => key),
    'key',
    fail,
  );
  // File systems that ignore case are used for backups, too.
  demandUnique([...manifest.disks.map(({ file }) => file), ...manifest.files.map(({ name }) => name)], 'file', fail);
  return manifest;
}

/** More than any machine has. */
const MOST_ENTRIES = 1000;

const CHAIN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;
const SHA256 = /^[0-9a-f]{64}$/;
const DISK_KEY = /^DSK[1-9]\d{0,2}$/;
const FORMAT = /^[a-z0-9]{1,20}$/;

function readDisk(value: unknown, where: string, parent: string | undefined, fail: Fail): BackupDisk {
  if (!isRecord(value)) return fail(`${where.slice(0, -1)} is not an object`);
  const member = memberReader(value, where, fail);
  member.matching('format', /^qcow2$/);
  const file = member.fileName('file');
  const backing = member.optional('backing');
  if (backing !== undefined) {
    const [up, point, name, ...rest] = backing.split('/');
    const isOfParent = up === '..' && point === parent && name !== undefined && isFileName(name) && rest.length === 0;
    if (!isOfParent) return fail(`${where}backing ${quote(backing)} is not a file of the parent`);
  }
  const sourcePath = member.text('sourcePath');
  if (!sourcePath.startsWith('/')) return fail(`${where}sourcePath ${quote(sourcePath)} is not an absolute path`);
  return {
    key: member.matching('key', DISK_KEY),
    file,
    format: 'qcow2',
    virtualSizeBytes: member.count('virtualSizeBytes'),
    sizeBytes: member.count('sizeBytes'),
    sha256: member.matching('sha256', SHA256),
    sourcePath,
    sourceFormat: member.matching('sourceFormat', FORMAT),
    ...defined('backing', backing),
  };
}

function readFile(value: unknown, where: string, fail: Fail): BackupFile {
  if (!isRecord(value)) return fail(`${where.slice(0, -1)} is not an object`);
  const member = memberReader(value, where, fail);
  const role = member.matching('role', /^(?:cfg|firmware|tpm)$/);
  const sizes = { sizeBytes: member.count('sizeBytes'), sha256: member.matching('sha256', SHA256) };
  if (role !== 'tpm') return { name: member.fileName('name'), role: role === 'cfg' ? role : 'firmware', ...sizes };
  const name = member.text('name');
  const [folder, ...rest] = name.split('/');
  const isInside = folder === 'tpm' && rest.length > 0 && rest.length <= DEEPEST && rest.every(isComponent);
  return isInside ? { name, role, ...sizes } : fail(`${where}name ${quote(name)} is not a file in "tpm"`);
}

/** swtpm keeps all its files in one folder. */
const DEEPEST = 3;

interface MemberReader {
  readonly text: (name: string) => string;
  readonly optional: (name: string) => string | undefined;
  readonly matching: (name: string, pattern: RegExp) => string;
  readonly name: (name: string) => string;
  readonly fileName: (name: string) => string;
  readonly time: (name: string) => string;
  readonly count: (name: string) => number;
  readonly flag: (name: string) => boolean;
}

function memberReader(members: Members, where: string, fail: Fail): MemberReader {
  const get = (name: string): unknown => (Object.hasOwn(members, name) ? members[name] : undefined);
  const wrong = (name: string, what: string): never => fail(`${where}${name} is ${shown(get(name))}, not ${what}`);
  const text = (name: string): string => {
    const value = get(name);
    return typeof value === 'string' && isText(value) ? value : wrong(name, 'a text');
  };
  const textThat = (name: string, isRight: (value: string) => boolean, what: string): string => {
    const value = text(name);
    return isRight(value) ? value : wrong(name, what);
  };
  return {
    text,
    optional: (name) => (get(name) === undefined ? undefined : text(name)),
    matching: (name, pattern) => textThat(name, (value) => pattern.test(value), `like ${pattern.source}`),
    name: (name) => textThat(name, isValidName, 'the name of a machine'),
    fileName: (name) => textThat(name, isFileName, 'the name of a file'),
    time: (name) => textThat(name, isTime, 'a time (ISO 8601)'),
    count: (name) => {
      const value = get(name);
      return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
        ? value
        : wrong(name, 'a number of bytes');
    },
    flag: (name) => {
      const value = get(name);
      return typeof value === 'boolean' ? value : wrong(name, 'true or false');
    },
  };
}

/** Longest text: PATH_MAX of Linux. */
const MOST_CHARACTERS = 4096;

/** Neither control characters nor halves of characters, which no path that we write has. */
function isText(text: string): boolean {
  return text !== '' && text.length <= MOST_CHARACTERS && !/\p{Cc}|\p{Cs}/u.test(text);
}

/** Something in the folder itself, and not one of our hidden temporary files. */
function isFileName(name: string): boolean {
  return isComponent(name) && !name.startsWith('.');
}

/** NAME_MAX of Linux, in bytes. */
const MOST_NAME_BYTES = 255;

function isComponent(name: string): boolean {
  return (
    isText(name) && name !== '.' && name !== '..' && !name.includes('/') && Buffer.byteLength(name) <= MOST_NAME_BYTES
  );
}

/** RFC 3339, as Date.toISOString() writes it. */
function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(text) && !Number.isNaN(Date.parse(text));
}

function list(value: unknown, name: string, fail: Fail): readonly unknown[] {
  if (!Array.isArray(value)) return fail(`${name} is ${shown(value)}, not a list`);
  return value.length <= MOST_ENTRIES ? value : fail(`${name} has more than ${MOST_ENTRIES} entries`);
}

function demandUnique(names: readonly string[], what: string, fail: Fail): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name.toLowerCase())) fail(`${what} ${quote(name)} is there twice`);
    seen.add(name.toLowerCase());
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (value === undefined) return 'missing';
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'of another type';
}

function defined<Name extends string>(name: Name, value: string | undefined): { readonly [Key in Name]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [Key in Name]?: string });
}
