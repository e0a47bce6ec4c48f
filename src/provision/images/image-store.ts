import { createHash } from 'node:crypto';
import { chmodSync, createReadStream, linkSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { nearest, quote } from '../../base/text.ts';
import type { MachineManager } from '../../fleet/machine-manager.ts';
import { fileError } from '../../system/files/file-error.ts';
import { ensureDir, isThere, namesIn, removeIfExists } from '../../system/files/files.ts';
import { writeFileAtomic } from '../../system/files/write-file.ts';
import { withLock } from '../../system/lock/lock.ts';
import { readTrustedText, trustPath } from '../../system/trust/trusted-path.ts';
import { examineImage } from '../disks/source-image.ts';
import { usersOf } from '../used-files.ts';
import { download } from './download.ts';
import { checkedUrl, openResponse } from './http.ts';

/** What is known of an image of the store. */
export interface ImageRecord {
  /** Its file's name in the store. */
  readonly name: string;
  readonly url: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly virtualSizeBytes: number;
  /** `qcow2`, `raw`, …; `iso` for a CD-ROM. */
  readonly format: string;
  readonly etag: string | undefined;
  /** The caller said which hash it must have; else only TLS vouches for it. */
  readonly isHashGiven: boolean;
  /** ISO 8601. */
  readonly pulledAt: string;
}

/** An image of the store. */
export interface StoredImage extends ImageRecord {
  readonly path: string;
  /** Long names of the machines that use it. */
  readonly usedBy: readonly string[];
}

/** What {@link ImageStore.pull} did. */
export interface PullResult {
  readonly outcome: 'pulled' | 'unchanged';
  readonly image: StoredImage;
}

/** How to fetch an image. */
export interface PullOptions extends LongWorkOptions {
  /** What it must have. */
  readonly sha256?: string | undefined;
}

/** A second command that fetches the same waits so long for the first. */
const LOCK_MS = 3_600_000;
const LARGEST_NOTE = 64 * 1024;
const MODE = 0o444;

/**
 * Images that are kept once and used by many machines, in `images` of the state folder; nothing ever writes to them.
 */
export class ImageStore {
  readonly #fleet: MachineManager;
  readonly #dir: string;

  constructor(fleet: MachineManager) {
    this.#fleet = fleet;
    this.#dir = join(fleet.host.paths.stateDir, 'images');
  }

  /** All images, by name. @throws {QemuError} `QEMU_NOT_PERMITTED` when others may change the store. */
  list(): StoredImage[] {
    trustPath(this.#dir);
    const records = namesIn(this.#dir).flatMap((file) => {
      const name = /^([^.].*)\.json$/.exec(file)?.[1];
      const record = name === undefined ? undefined : this.#read(name);
      return record === undefined ? [] : [record];
    });
    const users = usersOf(
      this.#fleet,
      records.map(({ name }) => join(this.#dir, name)),
    );
    return records
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((record) => {
        const path = join(this.#dir, record.name);
        return { ...record, path, usedBy: users.get(path) ?? [] };
      });
  }

  /**
   * The image of that name or address; of several of one address the newest.
   *
   * @returns undefined when there is none.
   */
  find(nameOrUrl: string): StoredImage | undefined {
    const images = this.list();
    const { url } = parseImageUrl(nameOrUrl);
    const sameUrl = images.filter((image) => image.url === url);
    return (
      images.find(({ name }) => name === nameOrUrl) ?? sameUrl.toSorted((a, b) => (a.pulledAt < b.pulledAt ? 1 : -1))[0]
    );
  }

  /**
   * Fetches an image, unless the store has what is there. An image that has changed there gets another name: the old
   * one may be the base of disks.
   *
   * @param address may end in `#sha256=HEX`.
   * @throws {QemuError} `QEMU_USAGE`, `QEMU_IO`, `QEMU_TIMEOUT`, `QEMU_NOT_PERMITTED`, `QEMU_LOCKED`, `QEMU_ABORTED`.
   */
  async pull(address: string, options: PullOptions = {}): Promise<PullResult> {
    const { url, sha256: inUrl } = parseImageUrl(address);
    const sha256 = checkedHash(options.sha256 ?? inUrl);
    const plain = checkedUrl(url, sha256 !== undefined);
    const key = createHash('sha256').update(url).digest('hex').slice(0, 8);
    const { runDir, stateDir } = this.#fleet.host.paths;
    ensureDir(runDir, 0o711);
    ensureDir(stateDir, 0o755);
    ensureDir(this.#dir, 0o755);
    trustPath(this.#dir);
    const lock = join(runDir, `.image-${key}.lock`);
    return withLock(lock, { timeoutMs: LOCK_MS, signal: options.signal, purpose: 'image' }, async () => {
      const known = this.find(url);
      if (known && (await isCurrent(known, sha256, options.signal))) return { outcome: 'unchanged', image: known };
      return { outcome: 'pulled', image: await this.#fetch(url, nameIn(plain), key, sha256, options) };
    });
  }

  async #fetch(
    url: string,
    wanted: string,
    key: string,
    sha256: string | undefined,
    { signal, onProgress }: PullOptions,
  ): Promise<StoredImage> {
    const part = join(this.#dir, `.${key}.part`);
    const got = await download({ url, part, sha256, signal, onProgress });
    try {
      const { format, virtualSizeBytes } = await examineImage(part, { signal, isIsoFine: true, shownAs: url });
      const name = this.#freeName(wanted, got.sha256);
      const record: ImageRecord = {
        name,
        url,
        sha256: got.sha256,
        sizeBytes: got.sizeBytes,
        virtualSizeBytes,
        format,
        etag: got.etag,
        isHashGiven: sha256 !== undefined,
        pulledAt: new Date().toISOString(),
      };
      const path = join(this.#dir, name);
      chmodSync(part, MODE);
      writeFileAtomic(`${path}.json`, `${JSON.stringify(record, null, 1)}\n`, 0o644, { durable: true });
      if (!isThere(path)) linkSync(part, path);
      return { ...record, path, usedBy: [] };
    } catch (error) {
      throw error instanceof QemuError ? error : fileError('keep', url, error);
    } finally {
      removeIfExists(part);
    }
  }

  /** Another image of that name, be it an older one of the same address, is never replaced. */
  #freeName(wanted: string, sha256: string): string {
    const isFree = (name: string): boolean => !isThere(join(this.#dir, name)) || this.#read(name)?.sha256 === sha256;
    if (isFree(wanted)) return wanted;
    const extension = extname(wanted);
    return `${basename(wanted, extension)}-${sha256.slice(0, 8)}${extension}`;
  }

  /**
   * Removes an image.
   *
   * @throws {QemuError} `QEMU_USAGE` when there is none of that name, `QEMU_LOCKED` when a machine uses it.
   */
  remove(name: string): StoredImage {
    const image = this.#get(name);
    if (image.usedBy.length > 0) {
      throw new QemuError('QEMU_LOCKED', `Cannot remove image "${name}": it is used by ${image.usedBy.join(', ')}`, {
        hint: 'delete these machines first, or collapse their disks: qemu-init disk commit',
      });
    }
    removeIfExists(image.path);
    removeIfExists(`${image.path}.json`);
    return image;
  }

  /**
   * Reads an image again and compares it with what was fetched.
   *
   * @throws {QemuError} `QEMU_USAGE` when there is none of that name, `QEMU_IO` when it is not the same any more.
   */
  async verify(name: string, { signal, onProgress }: LongWorkOptions = {}): Promise<StoredImage> {
    const image = this.#get(name);
    const hash = createHash('sha256');
    let done = 0;
    try {
      for await (const chunk of createReadStream(image.path)) {
        if (signal?.aborted) throw new QemuError('QEMU_ABORTED', 'Interrupted');
        if (!Buffer.isBuffer(chunk)) continue;
        hash.update(chunk);
        done += chunk.length;
        onProgress?.({ phase: 'reading', done, total: image.sizeBytes });
      }
    } catch (error) {
      throw error instanceof QemuError ? error : fileError('read', image.path, error);
    }
    const found = hash.digest('hex');
    if (found === image.sha256) return image;
    throw new QemuError('QEMU_IO', `Image "${name}" has changed: its sha256 is ${found}, and was ${image.sha256}`, {
      hint: image.usedBy.length > 0 ? `disks of these machines rest on it: ${image.usedBy.join(', ')}` : 'remove it',
    });
  }

  #get(name: string): StoredImage {
    const images = this.list();
    const found = images.find((image) => image.name === name);
    if (found) return found;
    const near = nearest(
      name,
      images.map((image) => image.name),
    );
    throw new QemuError('QEMU_USAGE', `There is no image ${quote(name)}`, {
      hint: near === undefined ? 'see: qemu-init image list' : `did you mean "${near}"?`,
    });
  }

  #read(name: string): ImageRecord | undefined {
    const text = readTrustedText(join(this.#dir, `${name}.json`), LARGEST_NOTE);
    if (text === undefined || !isThere(join(this.#dir, name))) return undefined;
    return parseRecord(text, name);
  }
}

/** Whether an address is meant to be fetched. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/** An address and the hash behind it: `https://…/a.qcow2#sha256=…`. */
export function parseImageUrl(address: string): { readonly url: string; readonly sha256: string | undefined } {
  const [, url = address, sha256] = /^([^#]*)#sha256=(.*)$/s.exec(address) ?? [];
  return { url, sha256 };
}

function checkedHash(hash: string | undefined): string | undefined {
  if (hash === undefined || /^[0-9a-f]{64}$/i.test(hash)) return hash?.toLowerCase();
  throw new QemuError('QEMU_USAGE', `A sha256 has 64 hexadecimal digits, unlike ${quote(hash)}`);
}

/** The last part of an address as the name of a file. */
function nameIn({ pathname, hostname }: URL): string {
  const last = pathname.split('/').findLast((part) => part !== '') ?? hostname;
  const name = last
    .replaceAll(/%[0-9a-f]{2}|[^A-Za-z0-9._+-]/gi, '_')
    .replace(/^[.-]+/, '')
    .slice(-100);
  return name === '' || name.endsWith('.json') ? `${name}image` : name;
}

async function isCurrent(
  known: StoredImage,
  sha256: string | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (statSync(known.path).size !== known.sizeBytes) return false;
  if (sha256 !== undefined) return known.sha256 === sha256;
  if (known.etag === undefined) return false;
  const response = await openResponse(known.url, { unless: known.etag, allowPlain: known.isHashGiven, signal });
  response.close();
  return response.kind === 'not-modified' || response.etag === known.etag;
}

function parseRecord(text: string, name: string): ImageRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { url, sha256, sizeBytes, virtualSizeBytes, format, etag, isHashGiven, pulledAt } = value as Readonly<
      Record<string, unknown>
    >;
    const areTexts = [url, sha256, format, pulledAt].every((each) => typeof each === 'string');
    if (!areTexts || typeof sizeBytes !== 'number' || typeof virtualSizeBytes !== 'number') return undefined;
    return {
      name,
      url: String(url),
      sha256: String(sha256),
      sizeBytes,
      virtualSizeBytes,
      format: String(format),
      etag: typeof etag === 'string' ? etag : undefined,
      isHashGiven: isHashGiven === true,
      pulledAt: String(pulledAt),
    };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
