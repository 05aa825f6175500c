/** Drawn signs, in the colour of the text. They say nothing to a screen reader: the text beside them, or a label, does. */

/** Paths in a box of 24 × 24, drawn as lines. */
const PATHS = {
  watch: 'M4 5h16v11H4z M9 20h6 M12 16v4 M10.5 8.5v4l3.5-2z',
  wall: 'M4 5h7v6H4z M13 5h7v6h-7z M4 13h7v6H4z M13 13h7v6h-7z',
  events: 'M12 4a5 5 0 0 1 5 5v4l2 3H5l2-3V9a5 5 0 0 1 5-5z M10 19a2 2 0 0 0 4 0',
  zones: 'M5 7l9-3 6 7-4 9-9-2z M5 7v0 M14 4v0',
  manage: 'M4 7h10 M18 7h2 M16 5v4 M4 17h2 M10 17h10 M8 15v4',
  status: 'M3 12h4l2.5-6 4 12 2.5-6h5',
  close: 'M6 6l12 12 M18 6L6 18',
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
