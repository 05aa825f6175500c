/** Why something failed, beside what started it. */
import { faultText } from '../strings/faults.js';

/** Nothing where it did not. @param error anything that was thrown; undefined: nothing was */
export function Fault({ error }: { readonly error: unknown }) {
  return error === undefined ? null : (
    <p class="fault" role="alert">
      {faultText(error)}
    </p>
  );
}
