/** GStreamer acknowledges nothing, and reports every few seconds: on a link that becomes slow it has a smaller picture soon, and no lasting freeze. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import '../helpers/alone.js';
import { eventually } from '../helpers/deadline.js';
import { GstPeer, noGStreamer } from '../helpers/gstreamer.js';
import { ImpairedPath } from '../helpers/network/impaired-path.js';
import { SignallingProxy } from '../helpers/network/signalling-proxy.js';
import { startServerProcess, type ServerProcess } from '../helpers/server-process.js';
import { makePassthroughClip, temporaryFolder, type Folder } from './fixtures.js';

const FAST_BPS = 4_000_000;
/** The clip has 1.5 Mbit/s. */
const SLOW_BPS = 600_000;

const missing = noGStreamer('webrtcbin', 'nicesrc', 'rtph264depay', 'h264parse', 'avdec_h264|openh264dec', 'dtlsdec', 'srtpdec');

describe('GStreamer on a link that becomes slow', { skip: missing, timeout: 120_000 }, () => {
  let folder: Folder;
  let server: ServerProcess;
  let network: ImpairedPath;
  let proxy: SignallingProxy;
  let viewer: GstPeer;

  before(async () => {
    folder = await temporaryFolder();
    await makePassthroughClip(path.join(folder.videos, 'clip.mp4'));
    server = await startServerProcess({ UPLOAD_DIR: folder.videos, MODEL: 'none' });
    network = new ImpairedPath({ rateBps: FAST_BPS, delayMs: 20 }, { delayMs: 20 });
    proxy = await SignallingProxy.open(server.url, network);
    viewer = new GstPeer('gst-whep-viewer.py', `${proxy.url}/whep/clip/raw`, 'H264');
  });

  after(async () => {
    await viewer.kill();
    await proxy.close();
    network.close();
    await server.close();
    await folder.remove();
  });

  /** Pictures of that size so far. */
  const pictures = (size: string): number => viewer.lines.filter((line) => line.startsWith(`picture H264 ${size} `)).length;

  it('has a smaller picture within 5 s, all frames of it, and the best one again on a fast link', async () => {
    await viewer.until(() => pictures('640x360') > 60, 'the best picture');
    const slowMs = performance.now();
    network.change({ down: { rateBps: SLOW_BPS } });
    // It may have begun with the smaller one.
    const begun = pictures('320x180');
    await viewer.until(() => pictures('320x180') > begun, 'a smaller picture');
    assert.ok(performance.now() - slowMs < 5000, `a smaller picture came after ${Math.round(performance.now() - slowMs)} ms`);
    await viewer.until(() => pictures('320x180') > begun + 60, 'two seconds of it');
    const { dropped } = network.down;
    await viewer.until(() => pictures('320x180') > begun + 120, 'two seconds more');
    assert.ok(network.down.dropped - dropped < 10, `${network.down.dropped - dropped} datagrams found the queue full all the same`);
    network.change({ down: { rateBps: FAST_BPS } });
    const best = pictures('640x360');
    await eventually(() => pictures('640x360') > best + 30, 60_000, 'the best picture again');
  });
});
