import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cameraError, choicesOf, constraintsOf, whyNoCamera } from '../../../src/page/camera/devices.js';

const camera = (deviceId: string, label: string) => ({ kind: 'videoinput' as const, deviceId, label });

describe('the cameras of a device', () => {
  it('are two sides as long as the browser names none', () => {
    const nameless = [camera('', ''), camera('a', ''), { kind: 'audioinput' as const, deviceId: 'm', label: 'Microphone' }];
    for (const devices of [[], nameless])
      assert.deepEqual(
        choicesOf(devices).map(({ value }) => value),
        ['front', 'back'],
      );
  });

  it('are chosen by name on a laptop, and by side or name on a phone', () => {
    assert.deepEqual(choicesOf([camera('a', 'Webcam'), camera('b', 'Capture card')]), [
      { value: 'a', name: 'Webcam' },
      { value: 'b', name: 'Capture card' },
    ]);
    const phone = [camera('a', 'Front camera'), camera('b', 'Back camera')];
    assert.deepEqual(
      choicesOf(phone).map(({ name }) => name),
      ['Front', 'Back', 'Front camera', 'Back camera'],
    );
  });

  it('are asked for by side or by id, with a size as a wish', () => {
    const size = { width: 640, height: 360, sound: false };
    const video = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 30 } };
    assert.deepEqual(constraintsOf({ ...size, camera: 'front' }), { audio: false, video: { ...video, facingMode: 'user' } });
    assert.deepEqual(constraintsOf({ ...size, camera: 'back' }).video, { ...video, facingMode: { ideal: 'environment' } });
    assert.deepEqual(constraintsOf({ ...size, camera: 'x1' }).video, { ...video, deviceId: { exact: 'x1' } });
  });

  it('cannot be used in a page that is not secure, or by a browser that has no access to them, and the person is told what to do', () => {
    const location = { origin: 'http://10.0.0.7:8001', port: '8001' };
    const devices = { getUserMedia: () => Promise.reject(new Error('none')) };
    assert.equal(whyNoCamera({ isSecureContext: true, mediaDevices: devices, location }), undefined);
    assert.equal(whyNoCamera({ isSecureContext: true, mediaDevices: {}, location })?.title, 'This browser has no camera access');
    const insecure = whyNoCamera({ isSecureContext: false, mediaDevices: undefined, location });
    assert.equal(insecure?.title, 'A camera needs a secure page');
    assert.match(insecure.message, /not to http:\/\/10\.0\.0\.7:8001.*http:\/\/localhost:8001\/publish/);
  });

  it('are refused in words, whatever the browser throws', () => {
    const denied = cameraError(new DOMException('no', 'NotAllowedError'));
    assert.equal(denied.title, 'The camera may not be used');
    assert.equal(cameraError(denied), denied);
    for (const [thrown, text] of [
      [new TypeError('odd'), 'odd'],
      ['odd', 'odd'],
      [new DOMException('odd', 'toString'), 'odd'],
    ] as const) {
      const { title, message } = cameraError(thrown);
      assert.deepEqual([title, message], ['The camera cannot be opened', text]);
    }
  });
});
