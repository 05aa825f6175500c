/** A phone as a camera: a code that it reads, and the address in it. */
import { useState } from 'preact/hooks';
import { encode } from 'uqr';
import { addressOf } from '../api/address.js';
import { words } from '../strings/index.js';

/** The code of the page that publishes. */
export function Phone() {
  const text = words.value.manage;
  const [room, setRoom] = useState('phone');
  const url = `${addressOf('/publish')}?room=${encodeURIComponent(room)}`;
  const isReachable = !/^https?:\/\/(localhost|127\.|\[::1\])/.test(url);
  return (
    <section class="card-box" aria-labelledby="manage-phone">
      <h3 id="manage-phone">{text.phone}</h3>
      <div class="form">
        <label>
          {text.room}
          <input
            type="text"
            maxLength={64}
            pattern="[A-Za-z0-9._\-]+"
            autocapitalize="none"
            spellcheck={false}
            value={room}
            onInput={(event) => setRoom(event.currentTarget.value.replace(/[^\w.-]/g, '-'))}
          />
        </label>
      </div>
      <Code text={url} />
      <p>
        <a href={url}>{url}</a>
      </p>
      {!isReachable && <p class="manage-reason">{text.phoneLocal}</p>}
      {isReachable && url.startsWith('http:') && <p class="manage-reason">{text.phoneHttps}</p>}
    </section>
  );
}

function Code({ text }: { readonly text: string }) {
  const { data, size } = encode(text, { border: 2 });
  const path = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : []))).join('');
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={words.value.manage.phoneCode} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
