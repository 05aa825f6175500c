/** Where videos are dropped, or chosen. */
import { useState } from 'preact/hooks';
import { words } from '../strings/index.js';
import { begin } from './uploads.js';

/** Several at once may come. */
export function DropVideo() {
  const text = words.value.manage;
  const [isOver, setIsOver] = useState(false);
  const take = (files: FileList | null | undefined): void => [...(files ?? [])].forEach((file) => begin(file));
  return (
    <section class="card-box" aria-labelledby="manage-video">
      <h3 id="manage-video">{text.addVideo}</h3>
      <label
        class={`drop ${isOver ? 'over' : ''}`}
        onDragOver={(event) => {
          event.preventDefault();
          setIsOver(true);
        }}
        onDragLeave={() => setIsOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setIsOver(false);
          take(event.dataTransfer?.files);
        }}
      >
        <span class="button">{text.drop}</span>
        <input
          type="file"
          class="visually-hidden"
          accept="video/*,.mkv,.ts,.m2ts,.avi"
          multiple
          onChange={({ currentTarget }) => {
            take(currentTarget.files);
            currentTarget.value = '';
          }}
        />
      </label>
      <small>{text.dropHelp}</small>
    </section>
  );
}
