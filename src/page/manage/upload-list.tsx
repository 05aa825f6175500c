/** Videos on their way: how far they are, and what can be done about each. */
import { watchHash } from '../app/router.js';
import { words } from '../strings/index.js';
import { useAction } from '../ui/action.js';
import { Fault } from '../ui/fault.js';
import { begin, cancel, replace, uploads, type Upload } from './uploads.js';

/** Nothing where there are none. */
export function Uploads() {
  const text = words.value.manage;
  if (uploads.value.length === 0) return null;
  return (
    <section class="card-box manage-uploads" aria-labelledby="manage-uploads">
      <h3 id="manage-uploads">{text.uploads}</h3>
      <ul>
        {uploads.value.map((upload) => (
          <Row key={upload.name} upload={upload} />
        ))}
      </ul>
    </section>
  );
}

function Row({ upload }: { readonly upload: Upload }) {
  const text = words.value.manage;
  const { name, sent, total, state, error, hasFile, source } = upload;
  const { isBusy, error: failed, run } = useAction();
  const percent = total === 0 ? 100 : Math.floor((100 * sent) / total);
  const isOpen = state === 'sending' || state === 'interrupted';
  return (
    <li>
      <span class="manage-name" dir="auto" title={name}>
        {name}
      </span>
      {isOpen && <progress max={100} value={percent} aria-label={text.uploadOf(name)} />}
      <span role="status">{text.uploadState(hasFile ? state : 'chooseAgain', percent)}</span>
      {state !== 'sending' && state !== 'done' && <Fault error={error} />}
      <Fault error={failed} />
      <span class="row">
        {isOpen && !hasFile && (
          <label class="button file">
            {text.chooseAgain}
            <input type="file" class="visually-hidden" onChange={({ currentTarget }) => goOn(upload, currentTarget)} />
          </label>
        )}
        {state === 'exists' && (
          <button type="button" class="button" onClick={() => replace(name)}>
            {text.replaceVideo}
          </button>
        )}
        {state === 'done' && source !== undefined && (
          <a class="button" href={watchHash(source)}>
            {words.value.shell.views.watch}
          </a>
        )}
        <button type="button" class="button" disabled={isBusy} onClick={() => void run(() => cancel(name))}>
          {isOpen ? words.value.shell.cancel : words.value.shell.close}
        </button>
      </span>
    </li>
  );
}

/** Only the same file goes on where it was. */
function goOn({ name, total }: Upload, input: HTMLInputElement): void {
  const file = input.files?.[0];
  if (!file) return;
  const isSame = file.name === name && file.size === total;
  input.setCustomValidity(isSame ? '' : words.value.manage.otherFile(name));
  if (isSame) begin(file);
  else input.reportValidity();
}
