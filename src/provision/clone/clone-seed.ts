import { type SeedConfig, seedFiles } from '../../machine/seed/seed.ts';

/** Files of a seed by name. */
export type CloneSeed = ReadonlyMap<string, string | Uint8Array>;

/**
 * The files of a clone's seed: those of its source, for another instance with another host name. cloud-init makes new
 * host keys for that, but leaves the machine-id, by which DHCP servers recognise a guest. Pure but for reading.
 *
 * @throws {QemuError} as {@link seedFiles}.
 */
export function cloneSeed(
  source: SeedConfig,
  { uuid, name }: { readonly uuid: string; readonly name: string },
): CloneSeed {
  const files = new Map<string, string | Uint8Array>(seedFiles(source).map(({ name: file, data }) => [file, data]));
  const metaData = Buffer.from(files.get('meta-data') ?? '').toString('utf8');
  files.set('meta-data', newInstance(metaData, uuid, name));
  return withNewMachineId(files);
}

/** The same, and the guest makes itself a new machine-id; files with `vendor-data` stay as they are. Pure. */
export function withNewMachineId(files: CloneSeed): CloneSeed {
  return new Map([['vendor-data', NEW_MACHINE_ID], ...files]);
}

/** With user-data that has a `bootcmd` itself, that one counts. */
const NEW_MACHINE_ID = `#cloud-config\n${JSON.stringify({
  bootcmd: [
    [
      ...['cloud-init-per', 'instance', 'qemu-init-machine-id', 'sh', '-c'],
      'rm -f /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup; systemctl try-restart systemd-networkd',
    ],
  ],
})}\n`;

/** Texts of meta-data in JSON, and in YAML with its members on lines of their own. Pure. */
export function newInstance(metaData: string, uuid: string, name: string): string {
  const parsed = parseObject(metaData);
  if (parsed) return `${JSON.stringify({ ...parsed, 'instance-id': uuid, 'local-hostname': name }, null, 2)}\n`;
  const others = metaData
    .split(/\r?\n/)
    .filter((line) => !/^(?:instance-id|instance_id|local-hostname|hostname)\s*:/.test(line));
  return [`instance-id: ${uuid}`, `local-hostname: ${name}`, ...others].join('\n');
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
