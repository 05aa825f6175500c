/** Another source: a video, a camera, or a phone. */
import { AddCamera } from './add-camera.js';
import { DropVideo } from './drop-video.js';
import { Phone } from './phone.js';

/** At `#manage/add`. */
export function AddPage() {
  return (
    <div class="manage-cards">
      <DropVideo />
      <AddCamera />
      <Phone />
    </div>
  );
}
