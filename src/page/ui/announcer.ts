/** Says what has changed to whoever listens instead of looking. */

let place: HTMLElement | undefined;

/** Said once the screen reader is done with what it says now; the same text twice is said twice. */
export function announce(text: string): void {
  if (!place) {
    place = document.createElement('div');
    place.className = 'visually-hidden';
    place.setAttribute('role', 'status');
    place.setAttribute('aria-live', 'polite');
    document.body.append(place);
  }
  const line = document.createElement('p');
  line.textContent = text;
  place.replaceChildren(line);
}
