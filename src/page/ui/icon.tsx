/** Drawn signs, in the colour of the text. They say nothing to a screen reader: the text beside them, or a label, does. */

/** Paths in a box of 24 × 24, drawn as lines. */
const PATHS = {
  watch: 'M4 5h16v11H4z M9 20h6 M12 16v4 M10.5 8.5v4l3.5-2z',
  wall: 'M4 5h7v6H4z M13 5h7v6h-7z M4 13h7v6H4z M13 13h7v6h-7z',
  events: 'M12 4a5 5 0 0 1 5 5v4l2 3H5l2-3V9a5 5 0 0 1 5-5z M10 19a2 2 0 0 0 4 0',
  zones: 'M5 7l9-3 6 7-4 9-9-2z M5 7v0 M14 4v0',
  manage: 'M4 7h10 M18 7h2 M16 5v4 M4 17h2 M10 17h10 M8 15v4',
  status: 'M3 12h4l2.5-6 4 12 2.5-6h5',
  back: 'M15 5l-7 7 7 7',
  forward: 'M9 5l7 7-7 7',
  line: 'M4 19L20 5 M12 12l5 5 M17 13v4h-4',
  undo: 'M4 9h10a5 5 0 0 1 0 10h-4 M8 5L4 9l4 4',
  redo: 'M20 9H10a5 5 0 0 0 0 10h4 M16 5l4 4-4 4',
  flip: 'M7 4v16 M3 8l4-4 4 4 M17 20V4 M13 16l4 4 4-4',
  remove: 'M5 7h14 M10 7V4h4v3 M7 7l1 13h8l1-13 M10.5 11v5 M13.5 11v5',
  sound: 'M4 9h4l5-4v14l-5-4H4z M16.5 8.5a5 5 0 0 1 0 7 M19 6a9 9 0 0 1 0 12',
  silent: 'M4 9h4l5-4v14l-5-4H4z M17 10l4 4 M21 10l-4 4',
  snapshot: 'M4 8h4l1.5-2.5h5L16 8h4v11H4z M12 10.2a3 3 0 1 0 .01 0',
  pip: 'M4 5h16v14H4z M12 12h6v5h-6z',
  share: 'M12 15V4 M8 8l4-4 4 4 M6 12v8h12v-8',
  fullScreen: 'M4 9V4h5 M15 4h5v5 M20 15v5h-5 M9 20H4v-5',
  help: 'M12 3a9 9 0 1 0 .01 0 M9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7 M12 16.8v.2',
  figures: 'M5 20V11 M12 20V4 M19 20v-6',
  search: 'M10.5 4a6.5 6.5 0 1 0 .01 0 M15.5 15.5L20 20',
  close: 'M6 6l12 12 M18 6L6 18',
  play: 'M8 5l11 7-11 7z',
  pause: 'M8 5v14 M16 5v14',
  stepBack: 'M18 6l-8 6 8 6z M6 6v12',
  stepForward: 'M6 6l8 6-8 6z M18 6v12',
  back10: 'M4 4v5h5 M4.5 9a8 8 0 1 1-.8 5 M9.5 11v5 M13 11.5h3v4.5h-3z',
  forward10: 'M20 4v5h-5 M19.5 9a8 8 0 1 0 .8 5 M8.5 11v5 M12 11.5h3v4.5h-3z',
  earlier: 'M13 6l-6 6 6 6 M19 6l-6 6 6 6',
  later: 'M11 6l6 6-6 6 M5 6l6 6-6 6',
  plus: 'M12 5v14 M5 12h14',
  minus: 'M5 12h14',
  download: 'M12 4v11 M7 11l5 5 5-5 M5 20h14',
} as const;

/** A sign that there is. */
export type IconName = keyof typeof PATHS;

/** A sign of 20 pixels. */
export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
