import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { QemuError } from '../../base/errors.ts';
import type { LongWorkOptions } from '../../base/progress.ts';
import { messageOf } from '../../base/text.ts';
import { type FileHash, hashFile } from '../../system/files/hash-file.ts';
import { chainAsJson } from '../../system/images/chain-as-json.ts';
import { newImageUser, readerPrefix } from '../../system/images/image-user.ts';
import { runQemuImg } from '../../system/images/qemu-img.ts';
import { ancestry, asQcow2, dependentsOf, fileOfDisk, filesOfDisk, type ReadablePoint } from './chain.ts';
import type { BackupPoint } from './destination.ts';
import type { BackupDisk } from './manifest.ts';

/** What was found of a point. */
export interface VerifiedPoint {
  /** Long name of the machine. */
  readonly name: string;
  readonly point: string;
  /** `unusable`: its own files are as they were, but not those of a point that it rests on. */
  readonly outcome: 'ok' | 'damaged' | 'unusable';
  /** What is wrong, as sentences. */
  readonly problems: readonly string[];
  /** The points that rest on it, directly or not: of a damaged one these are of no use. */
  readonly dependents: readonly string[];
}

/** A day: a check of a large image on a slow disk takes an hour. */
const LONGEST_MS = 24 * 3600 * 1000;

/**
 * Reads all files of points and compares them with their manifests, lets qemu-img check the images, and looks whether
 * everything that a point rests on is there. Nothing is changed.
 *
 * @param points of one machine, the oldest first.
 * @param wanted those that are asked for: what they rest on is verified as well.
 * @throws {QemuError} `QEMU_NOT_INSTALLED` without qemu-img, `QEMU_ABORTED`.
 */
export async function verifyPoints(
  points: readonly BackupPoint[],
  wanted: readonly BackupPoint[],
  options: LongWorkOptions = {},
): Promise<readonly VerifiedPoint[]> {
  const asked = new Set(wanted.flatMap((point) => [point.point, ...restsOn(points, point)]));
  const chosen = points.filter(({ point }) => asked.has(point));
  const onBytes = meter(chosen, options);
  const problems = new Map<string, readonly string[]>();
  for (const each of chosen) problems.set(each.point, await problemsOf(each, { ...options, onBytes }));
  return chosen.map((each) => {
    const own = problems.get(each.point) ?? [];
    const inherited = own.length > 0 ? [] : problemsBelow(points, each, problems);
    return {
      name: each.name,
      point: each.point,
      outcome: own.length > 0 ? 'damaged' : inherited.length > 0 ? 'unusable' : 'ok',
      problems: [...own, ...inherited],
      dependents: dependentsOf(points, each.point).map(({ point }) => point),
    };
  });
}

/** Why a point that is whole itself is of no use. */
function problemsBelow(
  points: readonly BackupPoint[],
  point: BackupPoint,
  problems: ReadonlyMap<string, readonly string[]>,
): string[] {
  const bad = restsOn(points, point).filter((each) => (problems.get(each) ?? []).length > 0);
  if (bad.length > 0) return bad.map((each) => `It rests on ${each}, which is damaged`);
  try {
    const { manifest } = point;
    if (manifest === undefined) return [];
    const chain = ancestry(points, { ...point, manifest });
    for (const { key } of manifest.disks) filesOfDisk(chain, key);
    return [];
  } catch (error) {
    if (error instanceof QemuError) return [sentence(error)];
    throw error;
  }
}

/** Names of the points that a point rests on, if they are there. */
function restsOn(points: readonly BackupPoint[], from: BackupPoint): string[] {
  const found: string[] = [];
  for (let at: BackupPoint | undefined = from; at !== undefined; ) {
    const parent: string | undefined = at.manifest?.parent;
    at = points.find(({ point }) => point === parent && !found.includes(point));
    if (at) found.push(at.point);
  }
  return found;
}

interface CheckOptions extends LongWorkOptions {
  readonly onBytes: (count: number, phase: string) => void;
}

async function problemsOf(point: BackupPoint, options: CheckOptions): Promise<readonly string[]> {
  const { manifest, error } = point;
  if (manifest === undefined) return [sentence(error)];
  const readable: ReadablePoint = { ...point, manifest };
  const problems: string[] = [];
  for (const file of [...manifest.files.map((each) => ({ ...each, file: each.name })), ...manifest.disks]) {
    problems.push(...(await attempt(() => compare(readable, file, options))));
  }
  if (problems.length > 0) return problems;
  for (const disk of manifest.disks) {
    problems.push(...(await attempt(() => checkImage(readable, disk, options))));
  }
  return problems;
}

async function compare(
  { folder, point }: ReadablePoint,
  wanted: FileHash & { readonly file: string },
  { signal, onBytes }: CheckOptions,
): Promise<string | undefined> {
  const path = join(folder, wanted.file);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return `"${path}" is missing`;
  if (found.isFile() && found.size !== wanted.sizeBytes) {
    return `"${path}" has ${found.size} bytes, not ${wanted.sizeBytes}`;
  }
  const { sha256 } = await hashFile(path, { signal, onBytes: (count) => onBytes(count, `verifying ${point}`) });
  return sha256 === wanted.sha256 ? undefined : `"${path}" has changed: its checksum is not that of the manifest`;
}

async function checkImage(
  point: ReadablePoint,
  disk: BackupDisk,
  { signal }: CheckOptions,
): Promise<string | undefined> {
  const file = fileOfDisk(point, disk);
  const options = { prefix: readerPrefix(newImageUser()), timeoutMs: LONGEST_MS, signal };
  const { exitCode, stdout, stderr } = await runQemuImg(['check', chainAsJson(asQcow2([file]))], options);
  // Leaked clusters (3) only waste space: qemu-img(1).
  if (exitCode === 0 || exitCode === 3) return undefined;
  const [reason = ''] = (exitCode === 2 ? stdout : stderr).trim().split('\n');
  return `qemu-img finds errors in "${file}": ${reason}`;
}

async function attempt(check: () => Promise<string | undefined>): Promise<string[]> {
  try {
    return [await check()].filter((problem) => problem !== undefined);
  } catch (error) {
    const isOfFile = error instanceof QemuError && OF_FILE.includes(error.code);
    if (isOfFile) return [sentence(error)];
    throw error;
  }
}

const OF_FILE: readonly string[] = ['QEMU_IO', 'QEMU_NOT_PERMITTED', 'QEMU_TIMEOUT'];

function sentence(error: unknown): string {
  if (!(error instanceof QemuError)) return messageOf(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}

function meter(
  points: readonly BackupPoint[],
  { onProgress }: LongWorkOptions,
): (count: number, phase: string) => void {
  const sizes = points.flatMap(({ manifest }) => [...(manifest?.disks ?? []), ...(manifest?.files ?? [])]);
  const total = sizes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let done = 0;
  return (count, phase) => {
    done += count;
    onProgress?.({ phase, done, total });
  };
}
