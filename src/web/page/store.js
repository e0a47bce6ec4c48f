/** Values that are kept for plots: two minutes. */
const KEPT = 120;

/** Machines by name, with what they did lately. */
export const machines = new Map();

/** Takes a sample. */
export function take({ machines: views }) {
  const names = new Set(views.map(({ name }) => name));
  for (const name of [...machines.keys()]) if (!names.has(name)) machines.delete(name);
  for (const view of views) {
    const known = machines.get(view.name);
    const isSameRun = known !== undefined && known.view.startSeconds === view.startSeconds;
    const history = isSameRun ? known.history : { cpu: [], memory: [], disk: [], network: [] };
    const { rates } = view;
    if (rates) {
      push(history.cpu, rates.cpuPercent);
      push(history.memory, view.residentBytes ?? 0);
      push(history.disk, rates.readBytesPerSecond + rates.writtenBytesPerSecond);
      push(history.network, rates.receivedBytesPerSecond + rates.transmittedBytesPerSecond);
    }
    machines.set(view.name, { view, history });
  }
}

function push(values, value) {
  values.push(value);
  if (values.length > KEPT) values.shift();
}

/** The state as it is shown. */
export function stateOf(view) {
  return view.saved ? 'saved' : view.state;
}
