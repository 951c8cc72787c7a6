"""Frames <-> mp4: encode an episode, join episodes without re-encoding, decode a stretch.

H.264 without B-frames: packets then lie in the order in which they are shown, so that episodes can
be joined by copying packets, and every episode starts with a key frame.
"""

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from jaxtyping import UInt8

ENCODER = "libx264"
CODEC = "h264"
PIXEL_FORMAT = "yuv420p"
CRF = 18  # visually lossless; mean error 1.7 of 255, nearly all of it from halved colour resolution
PRESET = "veryfast"  # 2,600 frames/s of 320x180 on one core; slower presets gain under 1 % of size
STRICT = {"err_detect": "explode"}  # a decoder that hides damaged pictures would hide broken files
KEYFRAME_INTERVAL = 5  # frames; random access decodes at most this many


def video_info(height: int, width: int, fps: int) -> dict[str, Any]:
    """The "info" entry of a video feature, keys as lerobot 0.6.1 writes them."""
    return {
        "video.height": height,
        "video.width": width,
        "video.codec": CODEC,
        "video.pix_fmt": PIXEL_FORMAT,
        "video.fps": fps,
        "video.channels": 3,
        "has_audio": False,
        "video.g": KEYFRAME_INTERVAL,
        "video.crf": CRF,
        "video.preset": PRESET,
        "video.fast_decode": 0,
        "video.video_backend": "pyav",
        "video.extra_options": {"bf": "0", "x264-params": "mbtree=0"},
        "is_depth_map": False,
    }


def encode(images: UInt8[np.ndarray, "L H W 3"], fps: int) -> bytes:
    """One episode as an mp4; the same frames give the same bytes (a single thread)."""
    options = {
        "preset": PRESET,
        "crf": str(CRF),
        "g": str(KEYFRAME_INTERVAL),
        "bf": "0",
        # x264's macroblock tree gives now and then other bytes for the same small frames.
        "x264-params": "mbtree=0",
    }
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream(ENCODER, rate=fps, options=options)
        stream.height, stream.width = images.shape[1:3]
        stream.pix_fmt = PIXEL_FORMAT
        stream.codec_context.thread_count = 1
        for image in images:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def extradata(path: Path) -> bytes:
    """Decoder parameters of an mp4; only files where these agree may be joined."""
    with av.open(str(path)) as container:
        return container.streams.video[0].codec_context.extradata or b""


def join(sources: Sequence[Path], fps: int) -> tuple[bytes, list[int]]:
    """Copy the packets of several mp4s one after the other: the new mp4, frames of each source."""
    counts: list[int] = []
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        stream = None
        for source in sources:
            with av.open(str(source)) as opened:
                template = opened.streams.video[0]
                if stream is None:
                    stream = output.add_stream_from_template(template)
                    stream.time_base = template.time_base
                ticks = round(1 / (fps * Fraction(template.time_base or 1)))
                start = sum(counts)
                counts.append(0)
                for packet in opened.demux(template):
                    if packet.dts is None:  # the empty packet that ends a stream
                        continue
                    packet.pts = packet.dts = (start + counts[-1]) * ticks
                    packet.stream = stream
                    output.mux(packet)
                    counts[-1] += 1
    return buffer.getvalue(), counts


def decode(path: Path, first: int, count: int, fps: int) -> UInt8[np.ndarray, "L H W 3"]:
    """Frames `first` … `first + count - 1` of a file; fewer when it ends early."""
    reformatter = VideoReformatter()  # one for all frames: its set-up costs more than a conversion
    images: np.ndarray | None = None
    found = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        stream.codec_context.options = STRICT
        tick = Fraction(stream.time_base or 1)
        if first:
            container.seek(int(first / (fps * tick)), stream=stream)
        for frame in container.decode(stream):
            number = round(float((frame.pts or 0) * tick * Fraction(fps)))
            if number < first:
                continue
            if images is None:
                images = np.empty((count, frame.height, frame.width, 3), np.uint8)
            images[found] = reformatter.reformat(frame, format="rgb24").to_ndarray()
            found += 1
            if found == count:
                break
    return np.empty((0, 0, 0, 3), np.uint8) if images is None else images[:found]
