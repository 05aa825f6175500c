"""Publish a test picture and tone by WHIP, with trickle ICE: gst-whip-publisher.py URL [H264|VP8] [TOKEN]

Says what happens on standard output, a word a line: `opened 201`, `patched 204`, `connected`. Ends its session and
itself when standard input ends. Debian packages: python3-gst-1.0 gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice
gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly.
"""
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC

URL = sys.argv[1]
CODEC = sys.argv[2] if len(sys.argv) > 2 else "VP8"
TOKEN = sys.argv[3] if len(sys.argv) > 3 else None

ENCODERS = {
    "VP8": "vp8enc deadline=1 keyframe-max-dist=60 ! rtpvp8pay ! application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=96",
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=60 ! video/x-h264,profile=baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency"
    " ! application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=96",
}
PIPELINE = (
    "webrtcbin name=peer bundle-policy=max-bundle"
    f" videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=30/1 ! videoconvert ! {ENCODERS[CODEC]} ! peer."
    " audiotestsrc is-live=true wave=sine ! audio/x-raw,rate=48000,channels=2 ! opusenc ! rtpopuspay"
    " ! application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,payload=111,encoding-params=(string)2 ! peer."
)

session = {"url": None, "etag": None, "waiting": []}


def say(*words):
    print(*words, flush=True)


def request(method, url, body=None, **headers):
    """The response, also where it is a refusal."""
    if TOKEN:
        headers["Authorization"] = f"Bearer {TOKEN}"
    asked = urllib.request.Request(url, body and body.encode(), {name.replace("_", "-"): value for name, value in headers.items()}, method=method)
    try:
        return urllib.request.urlopen(asked, timeout=10)
    except urllib.error.HTTPError as refusal:
        return refusal


def on_offer(promise, _, __):
    promise.wait()
    reply = promise.get_reply()  # owns the offer: keep it while the offer is used
    offer = reply.get_value("offer")
    peer.emit("set-local-description", offer, Gst.Promise.new())
    threading.Thread(target=post, args=(offer.sdp.as_text(),), daemon=True).start()


def post(offer):
    response = request("POST", URL, offer, Content_Type="application/sdp")
    answer = response.read().decode()
    say("opened", response.status)
    if response.status != 201:
        say(answer)
        return loop.quit()
    session["url"] = urllib.parse.urljoin(URL, response.headers["Location"])
    session["etag"] = response.headers["ETag"]
    _, message = GstSdp.SDPMessage.new_from_text(answer)
    peer.emit("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message), Gst.Promise.new())
    trickle()


def on_candidate(_, mline, candidate):
    session["waiting"].append(candidate)
    if session["url"]:
        threading.Thread(target=trickle, daemon=True).start()


def trickle():
    """Sends what has been gathered so far; all m-lines are bundled, so that the first one carries it."""
    candidates, session["waiting"] = session["waiting"], []
    if not candidates:
        return
    lines = peer.get_property("local-description").sdp.as_text().splitlines()
    # Credentials: those of the first m-line.
    credentials = [next(line for line in lines if line.startswith(name)) for name in ("m=", "a=mid:", "a=ice-ufrag:", "a=ice-pwd:")]
    body = "\r\n".join([*credentials, *(f"a={candidate}" for candidate in candidates), ""])
    response = request("PATCH", session["url"], body, Content_Type="application/trickle-ice-sdpfrag", If_Match=session["etag"])
    say("patched", response.status)


def on_state(*_):
    state = peer.get_property("connection-state")
    if state == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
        say("connected")
    if state in (GstWebRTC.WebRTCPeerConnectionState.FAILED, GstWebRTC.WebRTCPeerConnectionState.CLOSED):
        say("lost")


def leave_at_end_of_input():
    sys.stdin.read()
    if session["url"]:
        say("left", request("DELETE", session["url"]).status)
    GLib.idle_add(loop.quit)


Gst.init(None)
loop = GLib.MainLoop()
pipeline = Gst.parse_launch(PIPELINE)
peer = pipeline.get_by_name("peer")
agent = peer.get_property("ice-agent")
agent.emit("add-local-ip-address", "127.0.0.1")
peer.connect("on-negotiation-needed", lambda _: peer.emit("create-offer", None, Gst.Promise.new_with_change_func(on_offer, None, None)))
peer.connect("on-ice-candidate", on_candidate)
peer.connect("notify::connection-state", on_state)
threading.Thread(target=leave_at_end_of_input, daemon=True).start()
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)
