"""Watch by WHEP and decode what comes: gst-whep-viewer.py URL H265[/PROFILE-ID],H264,VP8 [TOKEN]

Offers the codecs in that order. Says what happens on standard output, a line each: `opened 201`, `connected`,
`receives H265 96`, and for each decoded picture `picture H265 640x360 RTP-TIMESTAMP-IN-NANOSECONDS`. Ends its session and
itself when standard input ends. Debian packages: python3-gst-1.0 gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice
gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad, or gstreamer1.0-libav for its decoders.
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
OFFERED = sys.argv[2].split(",")
TOKEN = sys.argv[3] if len(sys.argv) > 3 else None

DECODERS = {"H265": ["avdec_h265", "libde265dec"], "H264": ["avdec_h264", "openh264dec"], "VP8": ["vp8dec"]}
BEFORE = {"H265": "rtph265depay ! h265parse", "H264": "rtph264depay ! h264parse", "VP8": "rtpvp8depay"}
FMTP = {"H264": ",packetization-mode=(string)1,profile-level-id=(string)42e01f"}

session = {"url": None, "loop": GLib.MainLoop()}


def say(*words):
    print(*words, flush=True)


def caps_of(offered, payload):
    codec, _, profile = offered.partition("/")
    h265 = f",level-id=(string)180,profile-id=(string){profile or 1},tier-flag=(string)0,tx-mode=(string)SRST" if codec == "H265" else ""
    return (
        f"application/x-rtp,media=video,encoding-name={codec},clock-rate=90000,payload={payload}"
        f"{FMTP.get(codec, '')}{h265},rtcp-fb-nack-pli=true"
    )


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
    peer.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())


def on_gathering(*_):
    if peer.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
        threading.Thread(target=post, args=(peer.get_property("local-description").sdp.as_text(),), daemon=True).start()


def post(offer):
    response = request("POST", URL, offer, Content_Type="application/sdp")
    answer = response.read().decode()
    say("opened", response.status)
    if response.status != 201:
        say(answer)
        return session["loop"].quit()
    session["url"] = urllib.parse.urljoin(URL, response.headers["Location"])
    for line in answer.splitlines():
        say("answer", line)
    _, message = GstSdp.SDPMessage.new_from_text(answer)
    peer.emit("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message), Gst.Promise.new())


def on_pad(_, pad):
    caps = pad.get_current_caps().get_structure(0)
    codec = caps.get_string("encoding-name")
    say("receives", codec, caps.get_int("payload")[1])
    decoder = next(name for name in DECODERS[codec] if Gst.ElementFactory.find(name))
    branch = Gst.parse_bin_from_description(f"{BEFORE[codec]} ! {decoder} ! fakesink name=sink sync=false async=false signal-handoffs=true", True)
    branch.get_by_name("sink").connect("handoff", on_picture, codec)
    pipeline.add(branch)
    branch.sync_state_with_parent()
    pad.link(branch.get_static_pad("sink"))


def on_picture(_, picture, pad, codec):
    size = pad.get_current_caps().get_structure(0)
    say("picture", codec, f"{size.get_int('width')[1]}x{size.get_int('height')[1]}", picture.pts)


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
    GLib.idle_add(session["loop"].quit)


Gst.init(None)
pipeline = Gst.Pipeline.new("viewer")
peer = Gst.parse_launch("webrtcbin name=peer bundle-policy=max-bundle latency=50")
pipeline.add(peer)
pipeline.set_state(Gst.State.READY)  # makes its ICE agent
agent = peer.get_property("ice-agent")  # owned: keep it while the peer is used
agent.emit("add-local-ip-address", "127.0.0.1")
peer.connect("notify::ice-gathering-state", on_gathering)
peer.connect("notify::connection-state", on_state)
peer.connect("pad-added", on_pad)
caps = Gst.Caps.from_string(";".join(caps_of(offered, 96 + i) for i, offered in enumerate(OFFERED)))
peer.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, caps)
threading.Thread(target=leave_at_end_of_input, daemon=True).start()
pipeline.set_state(Gst.State.PLAYING)
peer.emit("create-offer", None, Gst.Promise.new_with_change_func(on_offer, None, None))
session["loop"].run()
pipeline.set_state(Gst.State.NULL)
