/** Values that are kept for plots: two minutes. */
const KEPT = 120;

/** Machines by name, with what they did lately. */
export const machines = new Map();
/** What was begun from a page, oldest first. */
export let tasks = [];
/** Snapshots and backups of the machine that is shown. */
export let detail;

/** What could not even be begun: this page alone knows of it. */
export const refusals = [];

export function refuse(machine, action, text) {
  refusals.push({ id: `refusal-${refusals.length}`, machine, action, state: 'failed', text, isHere: true });
}

/** Takes a document of the server, which has only what is new. */
export function take(document_) {
  if (document_.machines) takeMachines(document_.machines);
  ({ tasks } = document_);
  if (document_.detail) ({ detail } = document_);
}

function takeMachines(views) {
  const known = new Map(machines);
  // In the order of the server.
  machines.clear();
  for (const view of views) machines.set(view.name, { view, history: grown(known.get(view.name), view) });
}

function grown(known, view) {
  const isSameRun = known !== undefined && known.view.startSeconds === view.startSeconds;
  const history = isSameRun ? known.history : { cpu: [], memory: [], read: [], written: [], received: [], sent: [] };
  const { rates } = view;
  if (rates) {
    push(history.cpu, rates.cpuPercent);
    push(history.memory, view.residentBytes ?? 0);
    push(history.read, rates.readBytesPerSecond);
    push(history.written, rates.writtenBytesPerSecond);
    push(history.received, rates.receivedBytesPerSecond);
    push(history.sent, rates.transmittedBytesPerSecond);
  }
  return history;
}

function push(values, value) {
  values.push(value);
  if (values.length > KEPT) values.shift();
}

/** The state as it is shown. */
export function stateOf(view) {
  return view.saved ? 'saved' : view.state;
}

/** The tasks of a machine that go on. */
export function runningTasks(name) {
  return tasks.filter(({ machine, state }) => machine === name && state === 'running');
}
