/**
 * Keys go to a guest, Tab too. Ctrl and Alt, pressed together and let go, give the keyboard back, as in the windows of
 * QEMU.
 *
 * @param leave puts the focus elsewhere.
 */
export function leaveByCtrlAlt(place, leave) {
  let isArmed = false;
  const isOneOfThem = ({ key }) => key === 'Control' || key === 'Alt';
  place.addEventListener(
    'keydown',
    (event) => {
      isArmed = isOneOfThem(event) && event.ctrlKey && event.altKey;
    },
    true,
  );
  place.addEventListener(
    'keyup',
    (event) => {
      // The guest has to see that both were let go.
      if (!isArmed || !isOneOfThem(event) || event.ctrlKey || event.altKey) return;
      isArmed = false;
      setTimeout(() => leave());
    },
    true,
  );
}
