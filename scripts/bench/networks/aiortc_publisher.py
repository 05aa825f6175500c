"""Publishes 640x360 at 30 pictures a second by WHIP with aiortc, the time in each picture as test/helpers/clock-pages.ts draws it.

Usage: aiortc_publisher.py URL [VP8|H264]. Ends with its standard input.
"""
import asyncio
import fractions
import sys
import time
import urllib.request

import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription, VideoStreamTrack

WIDTH, HEIGHT, FPS = 640, 360, 30


class Clock(VideoStreamTrack):
    def __init__(self):
        super().__init__()
        self.random = np.random.default_rng(7)
        self.count = 0
        self.started = time.monotonic()
        self.luma = np.full((HEIGHT, WIDTH), 90, np.uint8)

    async def recv(self):
        self.count += 1
        await asyncio.sleep(max(0, self.started + self.count / FPS - time.monotonic()))
        # Some of it changes all the time, so that an encoder takes what it gets.
        for _ in range(40):
            x, y = self.random.integers(0, WIDTH - 24), self.random.integers(120, HEIGHT - 24)
            self.luma[y : y + 24, x : x + 24] = self.random.integers(16, 235)
        now = int(time.time() * 1000) & 0xFFFF
        block = WIDTH // 16
        for bit in range(16):
            is_set = (now >> bit) & 1
            self.luma[0:60, bit * block : (bit + 1) * block] = 235 if is_set else 16
            self.luma[60:120, bit * block : (bit + 1) * block] = 16 if is_set else 235
        planes = np.concatenate([self.luma.reshape(-1), np.full(WIDTH * HEIGHT // 2, 128, np.uint8)])
        frame = av.VideoFrame.from_ndarray(planes.reshape(HEIGHT * 3 // 2, WIDTH), format="yuv420p")
        frame.pts = int((time.monotonic() - self.started) * 90000)
        frame.time_base = fractions.Fraction(1, 90000)
        return frame


async def main():
    url, codec = sys.argv[1], (sys.argv[2:] or ["VP8"])[0]
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    transceiver = connection.addTransceiver(Clock(), direction="sendonly")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([each for each in codecs if each.mimeType.lower() == f"video/{codec.lower()}" or "rtx" in each.mimeType])
    await connection.setLocalDescription(await connection.createOffer())
    request = urllib.request.Request(url, connection.localDescription.sdp.encode(), {"content-type": "application/sdp"})
    loop = asyncio.get_running_loop()
    answer = await loop.run_in_executor(None, lambda: urllib.request.urlopen(request, timeout=10).read().decode())
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await loop.run_in_executor(None, sys.stdin.read)
    await connection.close()


asyncio.run(main())
