import type { Family, Series } from './prometheus.ts';
import type { DiskSample, MachineSample, NicSample, RunningSample } from './sample.ts';

/** States that each machine has a series for, so that one that it leaves goes to 0 instead of away. */
const STATES: readonly string[] = [
  'running',
  'paused',
  'stopped',
  'dead',
  'unresponsive',
  'io-error',
  'guest-panicked',
  'internal-error',
  'shutdown',
  'suspended',
  'prelaunch',
  'preconfig',
];

/** How long a scrape took, and what it could not read. */
export interface ScrapeFacts {
  readonly seconds: number;
}

/** The metrics of machines. Pure. */
export function familiesOf(samples: readonly MachineSample[], { seconds }: ScrapeFacts): Family[] {
  return [
    gauge('qemu_machine_info', 'What a machine is; always 1.', samples, (machine) => [
      [
        {
          short: machine.shortName ?? '',
          os: machine.os ?? '',
          type: machine.machineType ?? '',
          uuid: machine.uuid ?? '',
        },
        1,
      ],
    ]),
    gauge('qemu_machine_state', 'Whether a machine is in that state.', samples, ({ state }) =>
      [...new Set([...STATES, state])].map((name) => [{ state: name }, name === state ? 1 : 0]),
    ),
    gauge('qemu_machine_saved', 'Whether a machine waits with a saved state.', samples, ({ saved }) => [
      [{}, saved ? 1 : 0],
    ]),
    ...runningFamilies(samples),
    ...diskFamilies(samples),
    ...nicFamilies(samples),
    gauge('qemu_machine_job_progress_ratio', 'How much of a job inside QEMU is done.', samples, ({ running }) =>
      (running?.jobs ?? []).map(({ job, type, ratio }) => [{ job, type }, ratio]),
    ),
    {
      name: 'qemu_host_machines',
      type: 'gauge',
      help: 'Machines of the host in each state.',
      series: [...countBy(samples)].map(([state, value]) => ({ labels: { state }, value })),
    },
    {
      name: 'qemu_scrape_errors',
      type: 'gauge',
      help: 'Running machines whose QEMU did not answer in time.',
      series: [{ labels: {}, value: samples.filter(({ running }) => running?.answers === false).length }],
    },
    {
      name: 'qemu_scrape_duration_seconds',
      type: 'gauge',
      help: 'How long it took to read all machines.',
      series: [{ labels: {}, value: seconds }],
    },
  ];
}

function countBy(samples: readonly MachineSample[]): Map<string, number> {
  const counts = new Map(STATES.map((state) => [state, 0]));
  for (const { state } of samples) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

type Values = readonly (readonly [labels: Readonly<Record<string, string>>, value: number | undefined])[];

function gauge(
  name: string,
  help: string,
  samples: readonly MachineSample[],
  read: (sample: MachineSample) => Values,
): Family {
  return { name, type: 'gauge', help, series: seriesOf(samples, read) };
}

function seriesOf(samples: readonly MachineSample[], read: (sample: MachineSample) => Values): Series[] {
  return samples.flatMap((sample) =>
    read(sample).flatMap(([labels, value]) =>
      value === undefined ? [] : [{ labels: { machine: sample.name, ...labels }, value }],
    ),
  );
}

/** Metrics of machines that run, one value each or a few. */
const RUNNING: readonly (readonly [
  name: string,
  type: Family['type'],
  help: string,
  read: (running: RunningSample) => Values,
])[] = [
  [
    'qemu_machine_answers',
    'gauge',
    'Whether QEMU answered within two seconds.',
    ({ answers }) => [[{}, answers ? 1 : 0]],
  ],
  [
    'qemu_machine_start_time_seconds',
    'gauge',
    'When QEMU was started, in seconds since the epoch.',
    ({ startSeconds }) => [[{}, startSeconds]],
  ],
  [
    'qemu_machine_cpu_seconds_total',
    'counter',
    'Processor time of QEMU with its guest.',
    ({ userSeconds, systemSeconds }) => [
      [{ mode: 'user' }, userSeconds],
      [{ mode: 'system' }, systemSeconds],
    ],
  ],
  [
    'qemu_machine_vcpu_seconds_total',
    'counter',
    'Processor time of each virtual processor.',
    ({ vcpuSeconds }) => vcpuSeconds.map(({ vcpu, seconds }) => [{ vcpu: String(vcpu) }, seconds]),
  ],
  [
    'qemu_machine_resident_memory_bytes',
    'gauge',
    'Memory of the host that QEMU with its guest has.',
    ({ residentBytes }) => [[{}, residentBytes]],
  ],
  [
    'qemu_machine_balloon_bytes',
    'gauge',
    'Memory that the balloon leaves to the guest.',
    ({ balloonBytes }) => [[{}, balloonBytes]],
  ],
];

function runningFamilies(samples: readonly MachineSample[]): Family[] {
  const configured: Family[] = [
    gauge('qemu_machine_vcpus', 'Virtual processors of a machine.', samples, ({ vcpus }) => [[{}, vcpus]]),
    gauge('qemu_machine_memory_bytes', 'Memory of a machine.', samples, ({ memoryBytes }) => [[{}, memoryBytes]]),
  ];
  const measured = RUNNING.map(
    ([name, type, help, read]): Family => ({
      name,
      type,
      help,
      series: seriesOf(samples, ({ running }) => (running ? read(running) : [])),
    }),
  );
  return [...configured, ...measured];
}

const DISKS: readonly (readonly [
  name: string,
  type: Family['type'],
  help: string,
  read: (disk: DiskSample) => number | undefined,
])[] = [
  ['read_bytes_total', 'counter', 'Bytes that the guest has read.', ({ readBytes }) => readBytes],
  ['written_bytes_total', 'counter', 'Bytes that the guest has written.', ({ writtenBytes }) => writtenBytes],
  ['reads_completed_total', 'counter', 'Reads of the guest.', ({ reads }) => reads],
  ['writes_completed_total', 'counter', 'Writes of the guest.', ({ writes }) => writes],
  ['flushes_completed_total', 'counter', 'Flushes of the guest.', ({ flushes }) => flushes],
  ['read_time_seconds_total', 'counter', 'Time that reads took, added up.', ({ readSeconds }) => readSeconds],
  ['write_time_seconds_total', 'counter', 'Time that writes took, added up.', ({ writeSeconds }) => writeSeconds],
  ['flush_time_seconds_total', 'counter', 'Time that flushes took, added up.', ({ flushSeconds }) => flushSeconds],
  ['size_bytes', 'gauge', 'Size of the disk for the guest.', ({ sizeBytes }) => sizeBytes],
  ['allocated_bytes', 'gauge', 'What the image takes on the host.', ({ allocatedBytes }) => allocatedBytes],
];

const DISK_ERRORS: readonly string[] = ['nospace', 'failed'];

function diskFamilies(samples: readonly MachineSample[]): Family[] {
  const counters = DISKS.map(
    ([name, type, help, read]): Family => ({
      name: `qemu_machine_disk_${name}`,
      type,
      help,
      series: seriesOf(samples, ({ running }) =>
        (running?.disks ?? []).map((disk) => [{ disk: disk.disk }, read(disk)]),
      ),
    }),
  );
  const errors = gauge('qemu_machine_disk_errors', 'Whether a disk has that error now.', samples, ({ running }) =>
    (running?.disks ?? []).flatMap(({ disk, ioStatus }) =>
      DISK_ERRORS.map((error) => [{ disk, error }, error === ioStatus ? 1 : 0] as const),
    ),
  );
  return [...counters, errors];
}

const NICS: readonly (readonly [name: string, help: string, read: (nic: NicSample) => number])[] = [
  ['receive_bytes_total', 'Bytes that the guest has received.', ({ receivedBytes }) => receivedBytes],
  ['transmit_bytes_total', 'Bytes that the guest has sent.', ({ transmittedBytes }) => transmittedBytes],
  ['receive_packets_total', 'Packets that the guest has received.', ({ receivedPackets }) => receivedPackets],
  ['transmit_packets_total', 'Packets that the guest has sent.', ({ transmittedPackets }) => transmittedPackets],
  ['receive_drop_total', 'Packets that did not reach the guest.', ({ receiveDropped }) => receiveDropped],
  ['transmit_drop_total', 'Packets of the guest that were dropped.', ({ transmitDropped }) => transmitDropped],
];

function nicFamilies(samples: readonly MachineSample[]): Family[] {
  return NICS.map(([name, help, read]) => ({
    name: `qemu_machine_network_${name}`,
    type: 'counter' as const,
    help,
    series: seriesOf(samples, ({ running }) => (running?.nics ?? []).map((nic) => [{ nic: nic.nic }, read(nic)])),
  }));
}
