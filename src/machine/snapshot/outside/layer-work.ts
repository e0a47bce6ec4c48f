import { QemuError } from '../../../base/errors.ts';
import { asText, optionalText } from '../../../base/guards.ts';
import { setKey } from '../../../config/text/edit-text.ts';
import { Domain } from '../../../domain/domain.ts';
import { namedFile, noteDiskFile } from '../../disks/disk-line.ts';
import { diskNodes } from '../../disks/disk-nodes.ts';
import { isSameFile } from '../../disks/same-file.ts';
import { editConfig } from '../../edit-config.ts';
import { removeParts } from '../../work/part-files.ts';
import type { Leftover, WorkKind } from '../../work/work-kind.ts';
import { stoppedFor } from '../leftover.ts';
import { layersFrom, noteSnapshot, readSnapshotNotes, type SnapshotLayer } from '../snapshot-notes.ts';
import { removeOverlayLeftovers } from './overlay-file.ts';

/**
 * Overlays that were being put above disks. Those that QEMU writes to stay, and so do those that the machine's file names
 * when QEMU is gone; else the file names what it named before, and they are removed.
 */
export const LAYER_KIND: WorkKind = {
  settle: async (leftover) => {
    const { host, target, record, client } = leftover;
    const layers = layersFrom(record.data['layers']);
    removeOverlayLeftovers(
      layers.map(({ overlay }) => overlay),
      target.files.stateDir,
    );
    const isMade = layers.length > 0 && record.partFiles.length === layers.length;
    if (isMade && (await areInUse(leftover, layers))) {
      await name(leftover, 'to');
      if (client) for (const layer of layers) noteDiskFile(host, target, imageOf(layer));
      keepNote(leftover, layers);
      return { outcome: 'finished', detail: detailOf(leftover, abandonedOf(leftover)) };
    }
    if (layers.length > 0) await name(leftover, 'from');
    removeParts(record.partFiles);
    return { outcome: 'undone', detail: detailOf(leftover, []) };
  },
};

/** What its command would have said of a revert. */
function detailOf(leftover: Leftover, kept: readonly string[]): string | undefined {
  const isKept =
    kept.length === 0 ? [] : [`what the disks were is kept in ${kept.map((file) => `"${file}"`).join(', ')}`];
  const texts = [...isKept, ...stoppedFor(leftover)];
  return texts.length === 0 ? undefined : texts.join('; ');
}

function abandonedOf({ record: { data } }: Leftover): string[] {
  return Array.isArray(data['abandoned']) ? data['abandoned'].map(asText) : [];
}

function imageOf({ key, overlay }: SnapshotLayer): { key: string; file: string; format: string } {
  return { key, file: overlay, format: 'qcow2' };
}

async function areInUse({ host, target, client }: Leftover, layers: readonly SnapshotLayer[]): Promise<boolean> {
  if (client) {
    const disks = await diskNodes(new Domain(client, target.longName));
    return layers.every(({ key, overlay }) =>
      disks.some((disk) => disk.key === key && isSameFile(disk.layers[0].file, overlay)),
    );
  }
  return layers.some(({ key, overlay }) => {
    const file = namedFile(host, target, key);
    if (file !== undefined) return file === overlay || isSameFile(file, overlay);
    throw new QemuError('QEMU_IO', `Cannot tell which image "${target.configPath}" names for ${key}`, {
      hint: `it is "${overlay}" or the one before it; the file has to be readable again`,
    });
  });
}

async function name({ host, target, record }: Leftover, which: 'from' | 'to'): Promise<void> {
  const layers = layersFrom(record.data['layers']);
  const edits = record.cfgEdits.filter(({ key }) => {
    const overlay = layers.find((layer) => layer.key === key)?.overlay;
    return (namedFile(host, target, key) === overlay) !== (which === 'to');
  });
  if (edits.length === 0) return;
  const change = (text: string): string =>
    edits.reduce((changed, edit) => setKey(changed, edit.key, edit[which] ?? ''), text);
  await editConfig(host, target, { purpose: 'snapshot', change });
}

function keepNote(leftover: Leftover, layers: readonly SnapshotLayer[]): void {
  const {
    target,
    record: { data },
  } = leftover;
  const snapshot = asText(data['name']);
  const known = readSnapshotNotes(target.files).find((note) => note.name === snapshot);
  noteSnapshot(target.files, {
    name: snapshot,
    created: known?.created ?? asText(data['created']),
    description: known?.description ?? optionalText(data['description']),
    quiesced: known?.quiesced,
    disks: known?.disks ?? layers.map(({ key }) => key),
    layers,
    abandoned: [...(known?.abandoned ?? []), ...abandonedOf(leftover)],
  });
}
