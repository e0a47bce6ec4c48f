import { asArray, asText, isRecord } from '../../../base/guards.ts';
import type { PartFile, WorkRecord } from '../../work/work-record.ts';

/**
 * A disk that is to go on in another image: a copy of it (`disk mirror`), or the image at the bottom of its chain
 * (`disk commit`). Kept in the record of the work.
 */
export interface Pivot {
  /** `DSK1`. */
  readonly key: string;
  readonly jobId: string;
  /** Absolute path of the image that the disk goes on in. */
  readonly file: string;
  readonly format: string;
  /** Nodes that were made for it, and are removed when the work is undone. */
  readonly newNodes: readonly string[];
  /** Nodes that are of no use afterwards. */
  readonly oldNodes: readonly string[];
  /** Files that are of no use afterwards. */
  readonly oldFiles: readonly PartFile[];
  /** It was decided that the disk stays where it is. */
  readonly isGivenUp: boolean;
}

/** The nodes of a new image: its format and its file. */
export function nodesOf({ newNodes }: Pivot): { readonly format: string; readonly file: string } {
  const [format = '', file = ''] = newNodes;
  return { format, file };
}

/** What is found of a pivot that was interrupted. */
export interface PivotFacts {
  /** Whether there is something that has the disk open. */
  readonly isRunning: boolean;
  /** QEMU's word for the state of the job; undefined: it has none. */
  readonly job: string | undefined;
  /** Whether the guest's writes go to the new image. */
  readonly isActive: boolean;
  /** Whether the machine's file names the new image; undefined: it cannot be told. */
  readonly isNamed: boolean | undefined;
  /** Whether it was decided before that the disk stays where it is. */
  readonly isGivenUp: boolean;
  /** Whether work that goes on is to be ended. */
  readonly cancel: boolean;
}

/** What to do about it. */
export type PivotStep =
  /** The machine's file is to name the new image, and what is left of the old one goes. */
  | 'keep-new'
  /** The machine's file is to name the old image, and what is left of the new one goes. */
  | 'keep-old'
  /** Both images are the same and the guest waits: it is to go on in the new one. */
  | 'finalize'
  /** The job is to be cancelled. */
  | 'cancel'
  /** The job is on its way into another state. */
  | 'wait'
  /** It goes on by itself. */
  | 'leave'
  /** Only a look at the machine's file could tell, and it cannot be read. */
  | 'unknown';

/** States of a job between two others, in which it cannot be changed: `JobStatus` of QEMU. */
const PASSING: ReadonlySet<string> = new Set(['waiting', 'aborting']);

/**
 * The next step after an interruption. The image that the guest's writes go to is the one to keep. While QEMU waits for
 * the decision (`pending`) both are the same, and the machine's file, which was written then, decides; so it does when
 * QEMU is gone.
 */
export function nextPivotStep({ isRunning, job, isActive, isNamed, isGivenUp, cancel }: PivotFacts): PivotStep {
  if (!isRunning) {
    if (isGivenUp || isNamed === false) return 'keep-old';
    return isNamed === true ? 'keep-new' : 'unknown';
  }
  if (job !== undefined && PASSING.has(job)) return 'wait';
  if (isActive) return 'keep-new';
  if (job === undefined || job === 'concluded' || job === 'null') return 'keep-old';
  if (job === 'pending') return isNamed === true && !isGivenUp ? 'finalize' : 'cancel';
  return cancel || isGivenUp ? 'cancel' : 'leave';
}

/** The pivot in a record; undefined when it is damaged. */
export function pivotOf({ data }: WorkRecord): Pivot | undefined {
  const { key, jobId, file, format } = data;
  const texts = [key, jobId, file, format];
  if (!texts.every((each) => typeof each === 'string' && each !== '')) return undefined;
  return {
    key: asText(key),
    jobId: asText(jobId),
    file: asText(file),
    format: asText(format),
    newNodes: asArray(data['newNodes']).filter((each) => typeof each === 'string'),
    oldNodes: asArray(data['oldNodes']).filter((each) => typeof each === 'string'),
    oldFiles: asArray(data['oldFiles']).flatMap((each) =>
      isRecord(each) && typeof each['path'] === 'string'
        ? [{ path: each['path'], id: typeof each['id'] === 'string' ? each['id'] : undefined }]
        : [],
    ),
    isGivenUp: data['isGivenUp'] === true,
  };
}
