import type { Domain } from '../../../domain/domain.ts';
import type { ExecuteOptions } from '../../../qmp/command.ts';
import type { WorkRecord } from '../../work/work-record.ts';

/** Work whose record can be changed. */
interface NotedWork {
  readonly record: WorkRecord;
  note(change: Pick<WorkRecord, 'data'>): void;
}

/** Stops the processors for a moment, and notes it before, so that the next command lets them run whoever is killed. */
export async function holdGuest(domain: Domain, work: NotedWork): Promise<void> {
  if ((await domain.status()) !== 'running') return;
  work.note({ data: { ...work.record.data, isHeld: true } });
  await domain.run('stop');
}

/** Lets a guest run that {@link holdGuest} has stopped. */
export async function releaseGuest(
  domain: Domain,
  { data }: Pick<WorkRecord, 'data'>,
  options?: ExecuteOptions,
): Promise<void> {
  if (data['isHeld'] !== true || (await domain.status(options)) !== 'paused') return;
  await domain.run('cont', undefined, options);
}
